"""A person's desk: the shipped pipelines, an account on a real server, the program."""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from caldav_run.testing.sample import sample_account, upload
from caldav_run.testing.servers import Server

EXAMPLES = Path(__file__).parents[3] / "pipelines"
TODAY = date(2026, 5, 6)


def event(uid: str, summary: str, hour: int = 10, sequence: int = 0) -> bytes:
    """Return an event of an hour on 8 May 2026."""
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//tests//tests//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"SEQUENCE:{sequence}",
        "DTSTAMP:20260501T080000Z",
        f"DTSTART:20260508T{hour:02}0000Z",
        f"DTEND:20260508T{hour + 1:02}0000Z",
        f"SUMMARY:{summary}",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    )
    return "\r\n".join(lines).encode()


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Desk:
    """A person's folder with the shipped pipelines, an account, and the program.

    Every command is held to what must hold for all: no traceback, no secret.
    """

    folder: Path
    server: Server
    environment: dict[str, str] = field(init=False)
    wrapper: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for each in ("quickstart.yaml", "restore.yaml"):
            shutil.copy(EXAMPLES / each, self.folder / each)
        kept = {name: value for name, value in os.environ.items() if "CALDAV" not in name}
        self.environment = kept | {
            "HOME": str(self.folder / "home"),
            "CALDAV_URL": self.server.url,
            "CALDAV_USERNAME": self.server.username,
            "CALDAV_PASSWORD": self.server.password,
            "CALDAV_RUN_CONFIG_DIR": str(self.folder / "keys"),
            "CALDAV_RUN_STATE_DIR": str(self.folder / "state"),
            "CALDAV_RUN_VAULT": str(self.folder / "vault"),
        }

    @property
    def program(self) -> list[str]:
        return [*self.wrapper, sys.executable, "-P", "-m", "caldav_run"]

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a command; its output goes into pipes."""
        return subprocess.Popen(
            [*self.program, *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Whoever started the tests in the background had Ctrl-C ignored.
            preexec_fn=_listen_to_ctrl_c,  # noqa: PLW1509
        )

    def run(self, *arguments: str, **environment: str) -> Done:
        """Run a command to its end."""
        return self.ended(self.start(*arguments, **environment))

    def ended(self, process: subprocess.Popen[bytes]) -> Done:
        """Wait for a command, and look for what must never be printed."""
        out, err = (each or b"" for each in process.communicate(timeout=60))
        assert b"Traceback" not in out + err, err.decode()
        found = [each for each in self.secrets() if each in out + err]
        assert not found, (found, out, err)
        return Done(process.returncode, out.decode(), err.decode())

    def measure_nothing(self) -> None:
        """Run without coverage: a signal may find its lock held for ever, and it writes files."""
        for name in [each for each in self.environment if each.startswith("COV")]:
            del self.environment[name]

    def create(self) -> None:
        """Make keys and repository."""
        assert self.run("create", "quickstart.yaml", "--yes").status == 0

    def back_up(self) -> Done:
        """Run the quick-start pipeline, which has to end well."""
        done = self.run("quickstart.yaml")
        assert done.status == 0, done
        return done

    def snapshots(self) -> list[dict[str, Any]]:
        """Return what `snapshots` lists."""
        done = self.run("snapshots", "quickstart.yaml", "--output", "json")
        found: list[dict[str, Any]] = json.loads(done.out)
        return found

    def put(self, path: str, summary: str, hour: int = 10, sequence: int = 0) -> None:
        """Store an event whose UID is its path."""
        uid = path.replace("/", "-")
        self.server.put(quote(path), event(uid, summary, hour, sequence))

    def delete(self, path: str) -> None:
        assert self.server.send("DELETE", path) in {200, 204}

    def secrets(self) -> set[bytes]:
        """Return every secret that is in use, in all spellings that could give it away."""
        password = self.server.password
        pair = f"{self.server.username}:{password}".encode()
        found = {password.encode(), quote(password).encode(), base64.b64encode(pair)}
        keys = self.folder / "keys"
        for each in (keys / "identity.txt", keys / "writer.key"):
            lines = each.read_text().splitlines() if each.exists() else []
            words = (line.split(": ")[-1] for line in lines)
            found |= {
                word.encode()
                for line, word in zip(lines, words, strict=True)
                if not line.startswith("#") or "name-key" in line
            }
        return found


def _listen_to_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def desk(radicale: Server, tmp_path: Path) -> Desk:
    """A desk whose account holds four calendars with three items each."""
    small = [replace(each, items=each.items[:3]) for each in sample_account(TODAY)]
    upload(radicale, small)
    return Desk(tmp_path, radicale)
