"""Real CalDAV servers as processes on a free port of this machine, for tests and the demo."""

import base64
import contextlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from caldav_run.errors import ItemError
from caldav_run.model import Options
from caldav_run.secret import Secret
from caldav_run.testing.processes import HOST, LAUNCH, free_port, require, running

_ANSWER_LIMIT_S: Final = 5.0


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
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=_ANSWER_LIMIT_S)
        try:
            connection.request(method, self.home + path, body, headers)
            response = connection.getresponse()
            response.read()
        except (OSError, HTTPException):
            return 0
        finally:
            connection.close()
        return response.status

    def answers(self) -> bool:
        """Return whether anything answers."""
        return self.send("OPTIONS", "") != 0

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
    require("radicale", "pip install 'caldav-run[demo]'")
    folder.mkdir(parents=True, exist_ok=True)
    accounts = dict(users or {"alice": secrets.token_urlsafe(12)})
    passwords = folder / "users"
    passwords.touch(mode=0o600)
    passwords.write_text("".join(f"{user}:{word}\n" for user, word in accounts.items()))
    port = free_port()
    command = [
        *(*LAUNCH, "radicale", "--config", "", "--server-hosts", f"{HOST}:{port}"),
        *("--auth-type", "htpasswd", "--auth-htpasswd-filename", str(passwords)),
        *("--auth-htpasswd-encryption", "plain", "--auth-delay", "0"),
        *("--storage-filesystem-folder", str(folder / "collections")),
        *("--logging-level", "error"),
    ]
    username, password = next(iter(accounts.items()))
    server = Server(f"http://{HOST}:{port}/", username, password, f"/{username}/")
    with running(command, server.answers, folder / "radicale.log"):
        yield server


@contextlib.contextmanager
def embedded_xandikos(folder: Path) -> Iterator[Server]:
    """Run a Xandikos, which asks for no password, until the context ends.

    Raises:
        SetupError: Xandikos is not installed.
        TemporaryError: It does not start.
    """
    require("xandikos", "pip install xandikos")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [
        *(*LAUNCH, "xandikos", "serve", "-d", str(folder / "data"), "--defaults"),
        *("--current-user-principal", "/alice/", "-l", HOST, "-p", str(port)),
        "--no-detect-systemd",
    ]
    server = Server(f"http://{HOST}:{port}/", "alice", "", "/alice/calendars/")
    with running(command, server.answers, folder / "xandikos.log"):
        yield server
