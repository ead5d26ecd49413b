"""`python -m caldav_run.testing.launch MODULE …` runs a module until standard input ends.

A server started so goes with whoever started it, even one that is killed: the pipe then closes.
"""

import os
import runpy
import sys
import threading


def _until_input_ends() -> None:
    # Not through sys.stdin, whose lock would hold up the interpreter's own end.
    while os.read(0, 4096):
        pass
    os._exit(0)


def main() -> None:
    """Run the module named by the first argument with the others."""
    threading.Thread(target=_until_input_ends, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
