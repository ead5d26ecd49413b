"""What a run did to its destinations, written down before and after each write.

One file a run, in the state folder: lines of JSON that are only ever appended, so that a run that
was killed can be undone as well. It holds names, UIDs, hashes and the values of `--set`, and
nothing of what the items say.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from caldav_run.connectors.mirroring import Outcome
from caldav_run.errors import TemporaryError, UnsureError, UsageError
from caldav_run.model import Calendar, Version

FORMAT: Final = "caldav-run journal 1"
FOLDER: Final = "runs"
_SUFFIX: Final = ".jsonl"
_KEPT: Final = timedelta(days=90)
_PRIVATE: Final = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """Where a destination was saved before the first destructive write.

    Attributes:
        sink: The snapshot sink of the pipeline; None for the repository in the state folder.
        account: What the destination is called there.
        snapshot: The snapshot's id.
    """

    sink: str | None
    account: str
    snapshot: str


class Journal:
    """Writes one run's file; it is begun with the first line."""

    def __init__(self, state_dir: Path, now: datetime, head: Mapping[str, Any]) -> None:
        """Take where it goes, without touching anything.

        Args:
            state_dir: The folder for caches.
            now: The start of the run, in UTC.
            head: What `undo` needs to find the pipeline again.
        """
        self.run = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
        self._folder = state_dir / FOLDER
        self._now = now
        self._head = head
        self._file: int | None = None
        self._count = 0
        self._begun = False
        self._torn = False

    @property
    def begun(self) -> bool:
        """Whether anything was written down."""
        return self._begun

    def place(self, sink: str, origin: str, where: Mapping[str, Any]) -> None:
        """Write down what a destination is, before anything about it."""
        self._write({"op": "place", "sink": sink, "origin": origin, **where})

    def saved(self, sink: str, saved: Saved) -> None:
        """Write down that a destination was saved."""
        self._write({"op": "saved", "sink": sink, "in": asdict(saved)})

    def calendar(self, sink: str, identity: str, source: str, calendar: Calendar) -> None:
        """Write down which source calendar goes to a destination calendar."""
        told = asdict(calendar)
        self._write(
            {"op": "calendar", "sink": sink, "id": identity, "source": source, "calendar": told}
        )

    def whole(self, op: str, sink: str, calendar: Calendar) -> None:
        """Write down that a whole calendar is created (`create`) or deleted (`remove`)."""
        self._write({"op": op, "sink": sink, "id": calendar.id, "calendar": asdict(calendar)})

    def available(self, sink: str, before: bytes | None, after: bytes | None) -> None:
        """Write down, as digests, when the user was said to be available, and is now."""
        told = [None if each is None else each.hex() for each in (before, after)]
        self._write({"op": "available", "sink": sink, "before": told[0], "after": told[1]})

    def intend(
        self, sink: str, calendar: str, wanted: Version | None, replaces: Version | None
    ) -> int:
        """Write down what will be done with an item, and return its number."""
        self._count += 1
        named = wanted or replaces
        self._write(
            {
                "op": "write",
                "n": self._count,
                "sink": sink,
                "calendar": calendar,
                "href": replaces.href if replaces else None,
                "uid": named.uid if named else "",
                "before": replaces.digest.hex() if replaces else None,
                "after": wanted.digest.hex() if wanted else None,
            }
        )
        return self._count

    def ended(self, number: int, outcome: Outcome) -> None:
        """Write down what became of that."""
        if outcome.error is not None:
            unsure = isinstance(outcome.error, UnsureError)
            self._write({"op": "failed", "n": number, "moved": outcome.moved, "unsure": unsure})
        else:
            self._write({"op": "done", "n": number, "href": outcome.href, "etag": outcome.etag})

    def found(self, sink: str, calendar: str, version: Version) -> None:
        """Write down what lies there, where it is not what was sent."""
        self._write(
            {
                "op": "found",
                "sink": sink,
                "calendar": calendar,
                "href": version.href,
                "etag": version.etag,
                "digest": version.digest.hex(),
            }
        )

    def close(self) -> None:
        """Make it durable, and let go of it; safe to call twice."""
        if self._file is not None:
            with suppress(OSError):
                os.fsync(self._file)
            os.close(self._file)
            self._file = None

    def _write(self, line: Mapping[str, Any]) -> None:
        """Append a line.

        Raises:
            TemporaryError: The disk refuses: what cannot be written down is not done.
        """
        try:
            if self._file is None:
                self._file = self._begin()
            # A line that was cut off must not take the next one with it.
            start, self._torn = b"\n" * self._torn, False
            data = memoryview(start + json.dumps(line, separators=(",", ":")).encode() + b"\n")
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            self._torn = True
            raise TemporaryError(
                f"cannot write down in {self._folder} what is done: {error.strerror}",
                mend="make room there, or name another folder with --state-dir",
            ) from error

    def _begin(self) -> int:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        prune(self._folder, self._now)
        path = self._folder / f"{self.run}{_SUFFIX}"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, _PRIVATE)
        # Whoever wants to undo it sees that it is not over; some file systems have no locks.
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        head = {"format": FORMAT, "run": self.run, "time": self._now.isoformat(), **self._head}
        os.write(file, json.dumps(head).encode() + b"\n")
        self._begun = True
        return file


def prune(folder: Path, now: datetime) -> None:
    """Forget runs that nobody will undo any more."""
    oldest = (now - _KEPT).timestamp()
    for path in folder.glob(f"*{_SUFFIX}"):
        with suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()


@dataclass(frozen=True, slots=True, kw_only=True)
class Journaled:
    """One run's file, as it was read.

    Attributes:
        path: The file.
        run: The run's id.
        time: When it began, in UTC.
        head: What it says of the run as a whole.
        lines: All that follows, in order.
        undone: The run that undid it; None when none did.
    """

    path: Path
    run: str
    time: datetime
    head: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]] = field(repr=False)
    undone: str | None = None

    def mark_undone(self, by: str) -> None:
        """Write down that a run was undone.

        Raises:
            TemporaryError: The disk refuses.
        """
        try:
            with self.path.open("a", encoding="utf-8") as file:
                # A kill may have cut the last line off.
                file.write("\n" + json.dumps({"op": "undone", "by": by}) + "\n")
        except OSError as error:
            raise TemporaryError(
                f"the run is undone, which cannot be written down in {self.path}: {error.strerror}",
                mend="make room there",
            ) from error


def journals(state_dir: Path) -> list[Journaled]:
    """Return the runs that were written down, oldest first; what cannot be read is left out."""
    found = map(_read, (state_dir / FOLDER).glob(f"*{_SUFFIX}"))
    return sorted((each for each in found if each is not None), key=lambda each: each.time)


def find(state_dir: Path, run: str) -> Journaled:
    """Return the run of that id, or the only one whose id begins so; `latest` is the last one.

    Raises:
        UsageError: There is none, or more than one.
        TemporaryError: It is not over.
    """
    known = journals(state_dir)
    matching = [each for each in known if each.run.startswith(run)]
    if run == "latest":
        matching = known[-1:]
    if len(matching) != 1:
        ids = ", ".join(each.run for each in (matching or known)[-10:]) or "none"
        what = "several runs begin with" if matching else "no run that can be undone is called"
        raise UsageError(f'{what} "{run}"', mend=f"the last ones: {ids}")
    (only,) = matching
    with only.path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            raise TemporaryError(
                f"the run {only.run} is not over", mend="wait for it, or stop it"
            ) from error
    return only


def _read(path: Path) -> Journaled | None:
    try:
        head, *lines = map(_line, path.read_bytes().splitlines())
        if head is None or head["format"] != FORMAT:
            return None
        time = datetime.fromisoformat(head["time"])
        run = str(head["run"])
    except (OSError, ValueError, KeyError):
        return None
    # A kill may cut the last line off; what it was about was not done then.
    whole = [each for each in lines if each is not None]
    undone = next((str(each["by"]) for each in whole if each.get("op") == "undone"), None)
    return Journaled(path=path, run=run, time=time, head=head, lines=whole, undone=undone)


def _line(data: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(data)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
