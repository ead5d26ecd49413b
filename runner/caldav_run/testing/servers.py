"""Real CalDAV servers as processes on a free port of this machine, for tests and the demo."""

import base64
import contextlib
import importlib.util
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from caldav_run.errors import SetupError, TemporaryError

HOST: Final = "127.0.0.1"
_START_LIMIT_S: Final = 20.0
_STOP_LIMIT_S: Final = 5.0
_POLL_S: Final = 0.03


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and one account on it.

    Attributes:
        url: The server's root, with a final slash.
        username: The account.
        password: Its password; empty where the server asks for none.
    """

    url: str
    username: str
    password: str = field(repr=False)


@contextlib.contextmanager
def embedded_radicale(folder: Path, users: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run a Radicale until the context ends, however it ends.

    Args:
        folder: Where it keeps everything; made when missing.
        users: Passwords by user; by default alice with a random one. The first is the account.

    Raises:
        SetupError: Radicale is not installed.
        TemporaryError: It does not start.
    """
    _require("radicale", "pip install 'caldav-run[demo]'")
    folder.mkdir(parents=True, exist_ok=True)
    accounts = dict(users or {"alice": secrets.token_urlsafe(12)})
    passwords = folder / "users"
    passwords.touch(mode=0o600)
    passwords.write_text("".join(f"{user}:{word}\n" for user, word in accounts.items()))
    port = _free_port()
    command = [
        *(sys.executable, "-m", "radicale", "--config", "", "--server-hosts", f"{HOST}:{port}"),
        *("--auth-type", "htpasswd", "--auth-htpasswd-filename", str(passwords)),
        *("--auth-htpasswd-encryption", "plain", "--auth-delay", "0"),
        *("--storage-filesystem-folder", str(folder / "collections")),
        *("--logging-level", "error"),
    ]
    username, password = next(iter(accounts.items()))
    token = base64.b64encode(f"{username}:{password}".encode()).decode()
    with _process(command, port, folder / "radicale.log", {"Authorization": f"Basic {token}"}):
        yield Server(f"http://{HOST}:{port}/", username, password)


@contextlib.contextmanager
def embedded_xandikos(folder: Path) -> Iterator[Server]:
    """Run a Xandikos, which asks for no password, until the context ends.

    Raises:
        SetupError: Xandikos is not installed.
        TemporaryError: It does not start.
    """
    _require("xandikos", "pip install xandikos")
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    command = [
        *(sys.executable, "-m", "xandikos", "serve", "-d", str(folder / "data"), "--defaults"),
        *("--current-user-principal", "/alice/", "-l", HOST, "-p", str(port)),
        "--no-detect-systemd",
    ]
    with _process(command, port, folder / "xandikos.log", {}):
        yield Server(f"http://{HOST}:{port}/", "alice", "")


@contextlib.contextmanager
def _process(
    command: Sequence[str], port: int, log: Path, headers: Mapping[str, str]
) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and fixed arguments
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            _wait(process, port, log, headers)
            yield
        finally:
            process.terminate()
            try:
                process.wait(_STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(
    process: subprocess.Popen[bytes], port: int, log: Path, headers: Mapping[str, str]
) -> None:
    limit = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < limit:
        if process.poll() is not None:
            said = log.read_text(errors="replace").strip().splitlines()
            raise TemporaryError(f"the server ended at once: {said[-1] if said else 'no reason'}")
        if _answers(port, headers):
            return
        time.sleep(_POLL_S)
    raise TemporaryError(f"the server did not answer within {_START_LIMIT_S:g} s")


def _answers(port: int, headers: Mapping[str, str]) -> bool:
    connection = HTTPConnection(HOST, port, timeout=_STOP_LIMIT_S)
    try:
        connection.request("OPTIONS", "/", headers=dict(headers))
        connection.getresponse().read()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _require(module: str, mend: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise SetupError(f"{module} is not installed", mend=mend)
