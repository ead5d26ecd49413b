"""`python -m caldav_run.testing.launch MODULE …` runs a module until standard input ends.

A server started so goes with whoever started it, even one that is killed: the pipe then closes.
A program is run in the same way, by its full path instead of a module.
"""

import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Callable


def _until_input_ends(stop: Callable[[], None]) -> None:
    # Not through sys.stdin, whose lock would hold up the interpreter's own end.
    while os.read(0, 4096):
        pass
    stop()
    os._exit(0)


def _watch(stop: Callable[[], None]) -> None:
    threading.Thread(target=_until_input_ends, args=(stop,), daemon=True).start()


def _run_program(command: list[str]) -> None:
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:  # noqa: S603 - a server
        signal.signal(signal.SIGTERM, lambda *_: process.kill())
        _watch(process.kill)
        sys.exit(process.wait())


def main() -> None:
    """Run the module named by the first argument with the others."""
    sys.argv = sys.argv[1:]
    if os.sep in sys.argv[0]:
        _run_program(sys.argv)
    _watch(lambda: None)
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
