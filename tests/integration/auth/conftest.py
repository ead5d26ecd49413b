"""A real Radicale behind TLS, and readers of it."""

import contextlib
import http.client
import os
import pty
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.integration.auth.provider import Provider, provider
from tests.integration.cli.conftest import Done, event

from caldav_run.testing.certificates import Authority, Issued
from caldav_run.testing.processes import HOST, LAUNCH, free_port, running

CALENDARS, EVENTS = 3, 4
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@contextlib.contextmanager
def radicale_with_tls(folder: Path, shown: Issued, more: Sequence[str] = ()) -> Iterator[str]:
    """Run a Radicale that shows this certificate; gives its URL. The only user is alice."""
    (folder / "users").write_text("alice:word-1\n")
    port = free_port()
    command = [
        *(*LAUNCH, "radicale", "--config", "", "--server-hosts", f"{HOST}:{port}"),
        *("--auth-type", "htpasswd", "--auth-htpasswd-filename", str(folder / "users")),
        *("--auth-htpasswd-encryption", "plain", "--auth-delay", "0"),
        *("--storage-filesystem-folder", str(folder / "collections")),
        *("--server-ssl", "--server-certificate", str(shown.file), "--server-key"),
        *(str(shown.key), *more),
    ]

    def answers() -> bool:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1):
            return True
        return False

    with running(command, answers, folder / "radicale.log"):
        yield f"https://{HOST}:{port}/"


@pytest.fixture(scope="module")
def trusting_radicale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the `host:port` of a Radicale that believes the header X-Remote-User."""
    folder = tmp_path_factory.mktemp("trusting")
    port = free_port()
    command = [
        *(*LAUNCH, "radicale", "--config", "", "--server-hosts", f"{HOST}:{port}"),
        *("--auth-type", "http_x_remote_user", "--logging-level", "error"),
        *("--storage-filesystem-folder", str(folder / "collections")),
    ]

    def send(method: str, path: str, body: bytes = b"") -> int:
        link = http.client.HTTPConnection(HOST, port, timeout=5)
        with contextlib.closing(link):
            link.request(method, path, body, {"X-Remote-User": "alice"})
            return link.getresponse().status

    def answers() -> bool:
        with contextlib.suppress(OSError):
            return send("OPTIONS", "/") != 0
        return False

    with running(command, answers, folder / "radicale.log"):
        for calendar in range(CALENDARS):
            assert send("MKCALENDAR", f"/alice/cal{calendar}/") == 201
            for number in range(EVENTS):
                uid = f"{calendar}-{number}"
                assert send("PUT", f"/alice/cal{calendar}/{uid}.ics", event(uid, uid)) == 201
        yield f"{HOST}:{port}"


@pytest.fixture
def gate(trusting_radicale: str) -> Iterator[Provider]:
    """Give an OAuth2 server and a guard in front of the calendars."""
    with provider(trusting_radicale) as running_provider:
        yield running_provider


@dataclass
class Person:
    """Somebody at a terminal with a pipeline and a browser.

    Attributes:
        folder: Where everything of theirs lies.
        gate: The OAuth2 server.
        browse: Whether the browser follows the address that is shown.
    """

    folder: Path
    gate: Provider
    browse: bool = True
    secret: str = "s3cret-of-client"
    more: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)

    @property
    def pipeline(self) -> Path:
        return self.folder / "auth.yaml"

    @property
    def store(self) -> Path:
        (found,) = (self.folder / "config" / "tokens").glob("*.json")
        return found

    def write(self, oauth2: str | None = None) -> None:
        """Write the pipeline: all calendars of the account into a folder."""
        said = oauth2 or f"issuer: {self.gate.url}"
        self.pipeline.write_text(
            f"""\
version: 1
name: auth
sources:
  cloud:
    type: caldav
    url: {self.gate.guarded}alice/
    oauth2: {{{said}, client_id: backup, client_secret: {{env: CLIENT_SECRET}}{self.more}}}
sinks:
  plain: {{type: ics, path: out}}
""",
            encoding="utf-8",
        )

    def run(self, *arguments: str, entered: str = "") -> Done:
        """Run the program; what it tells to open is opened as a browser does."""
        said = []
        with subprocess.Popen(
            [sys.executable, "-m", "caldav_run", *arguments],
            cwd=self.folder,
            env=self._environ(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdin.write(entered)
            process.stdin.close()
            watch = threading.Timer(PATIENCE_S, process.kill)
            watch.start()
            try:
                for line in process.stderr:
                    said.append(line)
                    if self.browse and "/authorize?" in line:
                        follow(line.strip())
                out = process.stdout.read()
            except BaseException:
                process.kill()
                raise
            finally:
                watch.cancel()
        self.printed.append(out + "".join(said))
        return Done(process.returncode, out, "".join(said))

    def run_at_terminal(self, *arguments: str) -> Done:
        """Run the program at a terminal of its own; nobody types there."""
        master, slave = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-m", "caldav_run", *arguments],
            cwd=self.folder,
            env=self._environ(),
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=slave,
        ) as process:
            os.close(slave)
            watch = threading.Timer(PATIENCE_S, process.kill)
            watch.start()
            try:
                said = "".join(_lines(master))
                assert process.stdout is not None
                out = process.stdout.read().decode()
            finally:
                watch.cancel()
                os.close(master)
        return Done(process.returncode, out, said)

    def _environ(self) -> dict[str, str]:
        return {
            **os.environ,
            "CALDAV_RUN_CONFIG_DIR": str(self.folder / "config"),
            "CALDAV_RUN_STATE_DIR": str(self.folder / "state"),
            "CLIENT_SECRET": self.secret,
            "PYTHONWARNINGS": "ignore",
            **self.environ,
        }

    def backed_up(self) -> int:
        """Return how many events lie in the folder."""
        return len(list((self.folder / "out").rglob("*.ics")))


def _lines(terminal: int) -> Iterator[str]:
    # A terminal whose other side is closed is an error on Linux.
    with contextlib.suppress(OSError):
        while piece := os.read(terminal, 4096):
            yield piece.decode()


def follow(address: str) -> str:
    """Open an address as a browser that is allowed everything; returns where it ended."""
    for _ in range(5):
        parts = urlsplit(address)
        link = http.client.HTTPConnection(parts.netloc, timeout=10)
        with contextlib.closing(link):
            link.request("GET", parts._replace(scheme="", netloc="").geturl())
            answer = link.getresponse()
            answer.read()
        if answer.status not in {302, 303}:
            assert answer.status == 200
            return address
        address = answer.headers["Location"]
    raise AssertionError(address)


@pytest.fixture
def person(tmp_path: Path, gate: Provider) -> Person:
    someone = Person(tmp_path, gate)
    someone.write()
    return someone
