"""Server processes of this machine that go when they are no longer needed."""

import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from caldav_run.errors import SetupError, TemporaryError

HOST: Final = "127.0.0.1"
# -P: what lies in the caller's current folder is not to be taken for a module.
LAUNCH: Final = (sys.executable, "-P", "-m", "caldav_run.testing.launch")
_START_LIMIT_S: Final = 20.0
_STOP_LIMIT_S: Final = 5.0
_POLL_S: Final = 0.03


@contextlib.contextmanager
def running(
    command: Sequence[str],
    answers: Callable[[], bool],
    log: Path,
    environ: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run a server until the context ends, however it ends.

    Args:
        command: What to run, begun with `LAUNCH`.
        answers: Tells whether the server answers by now.
        log: The file for what it says.
        environ: Its environment; by default this process' own.

    Raises:
        TemporaryError: It does not start.
    """
    # A server whose lines are counted takes a minute where it takes a second.
    kept = {
        key: value
        for key, value in (os.environ if environ is None else environ).items()
        if not key.startswith("COVERAGE_PROCESS")
    }
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and fixed arguments
            command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=kept
        )
        try:
            _wait(process, answers, log)
            yield
        finally:
            process.terminate()
            try:
                # Closes standard input too, which ends the server by itself.
                process.communicate(timeout=_STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def require(module: str, mend: str) -> None:
    """Make sure that a package is installed.

    Raises:
        SetupError: It is not.
    """
    if importlib.util.find_spec(module) is None:
        raise SetupError(f"{module} is not installed", mend=mend)


def _wait(process: subprocess.Popen[bytes], answers: Callable[[], bool], log: Path) -> None:
    limit = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < limit:
        if process.poll() is not None:
            said = log.read_text(errors="replace").strip().splitlines()
            raise TemporaryError(f"the server ended at once: {said[-1] if said else 'no reason'}")
        if answers():
            return
        time.sleep(_POLL_S)
    raise TemporaryError(f"the server did not answer within {_START_LIMIT_S:g} s")
