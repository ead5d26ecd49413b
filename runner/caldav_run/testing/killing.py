"""A machine whose backup is killed: the real program, as a process, with SIGKILL.

Run as a module it is the program itself, which kills itself at the n-th thing that it does to a
file below a folder: `python -m caldav_run.testing.killing N FOLDER run nightly.yaml`.
"""

import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Final

from caldav_run.repository import create, keys
from caldav_run.repository.reader import Reader
from caldav_run.repository.storage import Storage
from caldav_run.repository.stores import open_store
from caldav_run.testing.world import Picture, picture

_PIPELINE: Final = """\
version: 1
name: nightly
sources:
  cloud: {{type: ics, path: calendars}}
sinks:
  vault: {{type: snapshot, repository: "{location}"}}
"""
_EVENTS: Final = 300
_DEEDS: Final = frozenset({"open", "os.link", "os.mkdir", "os.remove", "os.rename"})
_LIMIT_S: Final = 60.0


@dataclass
class Host:
    """A folder of calendars, a repository, and the program that backs the one up into the other.

    Attributes:
        folder: Empty; holds everything of the machine then.
        location: Where the repository is.
        environ: What leads to it, beside the machine's own environment.
        chance: Decides what changes and when the program dies.
        known: What every snapshot gives back that was acknowledged, or found whole after a kill.
        killed: How many runs were killed before their end.
        committed: How many of those had committed a snapshot by then.
    """

    folder: Path
    location: str
    environ: Mapping[str, str]
    chance: Random
    known: dict[str, Picture] = field(default_factory=dict)
    killed: int = 0
    committed: int = 0
    _lasts_s: float = 0.0
    _edits: int = 0

    def __post_init__(self) -> None:
        """Make keys, repository and pipeline, and back up for the first time."""
        self._calendar = self.folder / "calendars" / "family"
        self._calendar.mkdir(parents=True)
        self._keys = self.folder / "keys"
        keys.create_keys(self._keys)
        self._store = open_store(self.location, Storage())
        writer = keys.load_writer(self._keys / keys.WRITER)
        recipients = keys.load_recipients(self._keys / keys.RECIPIENTS)
        create.create(self._store, recipients, writer, datetime.now(UTC))
        (self.folder / "nightly.yaml").write_text(_PIPELINE.format(location=self.location))
        for number in range(_EVENTS):
            self._edit(number)

    def edit(self) -> None:
        """Change some events, and remove or add one."""
        for number in self.chance.sample(range(_EVENTS), k=self.chance.choice([1, 3, 40])):
            self._edit(number)
        lost = self._calendar / f"event-{self.chance.randrange(_EVENTS)}.ics"
        lost.unlink(missing_ok=True)
        if self.chance.random() < 0.1:
            self.forget()

    def change_one(self) -> None:
        """Change one event."""
        self._edit(0)

    def forget(self) -> None:
        """Lose the cache."""
        for each in (self.folder / "state").rglob("*.sqlite*"):
            each.unlink()

    def run(self) -> None:
        """Do a run that nothing disturbs, and check that its snapshot equals the source."""
        begun = time.monotonic()
        done = self._program("-m", "caldav_run")
        self._lasts_s = time.monotonic() - begun
        assert done.wait(_LIMIT_S) == 0, self.said()
        self._lasts_s = time.monotonic() - begun
        assert "a new full backup begins" not in self.said()
        reader = self._reader()
        latest = reader.resolve("latest")
        self.known[latest.id] = picture(reader, latest)
        assert self.known[latest.id] == {"family": self._source()}

    def killed_run(self) -> None:
        """Kill a run at a random time within it, and check what it left behind."""
        process = self._program("-m", "caldav_run")
        try:
            # The interpreter's start, where nothing can happen, takes the first third.
            process.wait(self._lasts_s * self.chance.uniform(0.3, 1.0))
        except subprocess.TimeoutExpired:
            process.kill()
        self._settle(process)

    def killed_at(self, deed: int) -> bool:
        """Have a run kill itself, and check what it left behind.

        Args:
            deed: At which opening, making, linking or removing of a file below `folder`.

        Returns:
            Whether it came to that.
        """
        before = self.killed
        module = ("-m", "caldav_run.testing.killing", str(deed), str(self.folder))
        self._settle(self._program(*module))
        return self.killed > before

    def check(self) -> None:
        """Check that every snapshot still gives back what it gave back before."""
        reader = self._reader()
        infos = {each.id: each for each in reader.snapshots()}
        assert not reader.problems
        assert infos.keys() == self.known.keys()
        for identity, expected in self.known.items():
            assert picture(reader, infos[identity]) == expected

    def _settle(self, process: subprocess.Popen[bytes]) -> None:
        status = process.wait(_LIMIT_S)
        assert status in {0, -signal.SIGKILL}, self.said()
        self.killed += status != 0
        reader = self._reader()
        infos = {each.id: each for each in reader.snapshots()}
        assert not reader.problems, reader.problems
        assert self.known.keys() <= infos.keys()
        (*new,) = infos.keys() - self.known.keys()
        assert len(new) == (1 if status == 0 else len(new)) <= 1
        self.committed += bool(new) and status != 0
        for each in new:
            self.known[each] = picture(reader, infos[each])
            assert self.known[each] == {"family": self._source()}

    def _program(self, *module: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", *module, "run", "nightly.yaml"]
        environ = {
            **os.environ,
            **self.environ,
            "HOME": str(self.folder),
            "CALDAV_RUN_CONFIG_DIR": str(self._keys),
            "CALDAV_RUN_STATE_DIR": str(self.folder / "state"),
        }
        with self._output.open("wb") as output:
            return subprocess.Popen(  # noqa: S603  # our own interpreter and fixed arguments
                command, cwd=self.folder, env=environ, stdout=output, stderr=output
            )

    @property
    def _output(self) -> Path:
        return self.folder / "output.txt"

    def said(self) -> str:
        """Return what the last run printed."""
        return self._output.read_text(errors="replace")

    def _reader(self) -> Reader:
        return Reader(self._store, keys.load_keyring([self._keys / keys.IDENTITY]))

    def _edit(self, number: int) -> None:
        self._edits += 1
        text = (
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//tests//EN\r\nBEGIN:VEVENT\r\n"
            f"UID:event-{number}\r\nDTSTAMP:20260501T080000Z\r\nDTSTART:20260508T100000Z\r\n"
            f"SUMMARY:Edit {self._edits} {self.chance.randbytes(200).hex()}\r\n"
            "END:VEVENT\r\nEND:VCALENDAR\r\n"
        )
        (self._calendar / f"event-{number}.ics").write_bytes(text.encode())

    def _source(self) -> dict[str, tuple[bytes | None, bool]]:
        return {each.name: (each.read_bytes(), False) for each in self._calendar.iterdir()}


def kill_at(deed: int, folder: str) -> None:
    """Have this process kill itself at the n-th thing that it does to a file below a folder."""
    left = deed

    def notice(event: str, values: tuple[Any, ...]) -> None:
        nonlocal left
        if event in _DEEDS and str(values[0]).startswith(folder):
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(notice)


if __name__ == "__main__":
    kill_at(int(sys.argv[1]), sys.argv[2])
    sys.argv = ["caldav-run", *sys.argv[3:]]
    # By name: this is a layer below the program's.
    runpy.run_module("caldav_run", run_name="__main__")
