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
from urllib.parse import urlsplit

from caldav_run.errors import ItemError, SetupError, TemporaryError
from caldav_run.model import Options
from caldav_run.secret import Secret

HOST: Final = "127.0.0.1"
_START_LIMIT_S: Final = 20.0
_STOP_LIMIT_S: Final = 5.0
_POLL_S: Final = 0.03
# -P: what lies in the caller's current folder is not to be taken for a module.
_LAUNCH: Final = (sys.executable, "-P", "-m", "caldav_run.testing.launch")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and one account on it.

    Attributes:
        url: The server's root, with a final slash.
        username: The account.
        password: Its password; empty where the server asks for none.
        home: The path of its calendar home, with a final slash.
    """

    url: str
    username: str
    password: str = field(repr=False)
    home: str

    @property
    def options(self) -> Options:
        """What a caldav source or sink needs to reach the account."""
        if not self.password:
            return {"url": self.url}
        password = Secret.of(self.password)
        return {"url": self.url, "username": self.username, "password": password}

    def send(self, method: str, path: str, body: bytes = b"", content_type: str = "") -> int:
        """Send one plain request, without the client that is to be tested.

        Args:
            method: The HTTP method.
            path: Where to, relative to the home.
            body: What to send.
            content_type: Its media type, where there is a body.

        Returns:
            The status; 0 when nothing answers.
        """
        pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}"} if self.password else {}
        if content_type:
            headers["Content-Type"] = content_type
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=_STOP_LIMIT_S)
        try:
            connection.request(method, self.home + path, body, headers)
            response = connection.getresponse()
            response.read()
        except (OSError, HTTPException):
            return 0
        finally:
            connection.close()
        return response.status

    def put(self, path: str, body: bytes) -> None:
        """Store one item.

        Raises:
            ItemError: The server does not take it.
        """
        status = self.send("PUT", path, body, "text/calendar; charset=utf-8")
        if status not in {200, 201, 204}:
            raise ItemError(f"{path} was answered {status}")


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
        *(*_LAUNCH, "radicale", "--config", "", "--server-hosts", f"{HOST}:{port}"),
        *("--auth-type", "htpasswd", "--auth-htpasswd-filename", str(passwords)),
        *("--auth-htpasswd-encryption", "plain", "--auth-delay", "0"),
        *("--storage-filesystem-folder", str(folder / "collections")),
        *("--logging-level", "error"),
    ]
    username, password = next(iter(accounts.items()))
    server = Server(f"http://{HOST}:{port}/", username, password, f"/{username}/")
    with _process(command, server, folder / "radicale.log"):
        yield server


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
        *(*_LAUNCH, "xandikos", "serve", "-d", str(folder / "data"), "--defaults"),
        *("--current-user-principal", "/alice/", "-l", HOST, "-p", str(port)),
        "--no-detect-systemd",
    ]
    server = Server(f"http://{HOST}:{port}/", "alice", "", "/alice/calendars/")
    with _process(command, server, folder / "xandikos.log"):
        yield server


@contextlib.contextmanager
def _process(command: Sequence[str], server: Server, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and fixed arguments
            command, stdin=subprocess.PIPE, stdout=output, stderr=output
        )
        try:
            _wait(process, server, log)
            yield
        finally:
            process.terminate()
            try:
                # Closes standard input too, which ends the server by itself.
                process.communicate(timeout=_STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _wait(process: subprocess.Popen[bytes], server: Server, log: Path) -> None:
    limit = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < limit:
        if process.poll() is not None:
            said = log.read_text(errors="replace").strip().splitlines()
            raise TemporaryError(f"the server ended at once: {said[-1] if said else 'no reason'}")
        if server.send("OPTIONS", ""):
            return
        time.sleep(_POLL_S)
    raise TemporaryError(f"the server did not answer within {_START_LIMIT_S:g} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _require(module: str, mend: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise SetupError(f"{module} is not installed", mend=mend)
