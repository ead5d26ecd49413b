"""What a writer remembers of one account between runs; safe to lose.

Everything here can be read back from the store with the writer's metadata key.
"""

import json
import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from caldav_run.errors import CaldavRunError, SetupError, TemporaryError
from caldav_run.model import Op
from caldav_run.repository import rows
from caldav_run.repository.rows import Kind, Row
from caldav_run.repository.segment import Counts, Header, LogEntry, decode_entry, encode_entry

_log = logging.getLogger(__name__)

_VERSION: Final = 1
_PATIENCE_S: Final = 5.0
_SCHEMA: Final = f"""
BEGIN EXCLUSIVE;
CREATE TABLE head(id INTEGER PRIMARY KEY CHECK(id = 0), value TEXT NOT NULL);
CREATE TABLE segment(number INTEGER PRIMARY KEY, entry TEXT NOT NULL);
CREATE TABLE calendar(id TEXT PRIMARY KEY, op TEXT NOT NULL, row BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE item(
    calendar TEXT, href TEXT, kind TEXT NOT NULL, row BLOB NOT NULL, PRIMARY KEY(calendar, href)
) WITHOUT ROWID;
CREATE TABLE log(position INTEGER PRIMARY KEY, row BLOB NOT NULL);
PRAGMA user_version = {_VERSION};
COMMIT;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where an account's log stands.

    Attributes:
        repository: The repository's id.
        generation: The generation's name.
        id: The newest segment's hash.
        number: Its number.
        time: Its time.
        origin: What the account is.
        recipients: What it was sealed to, hashed.
        fingerprint: What selection and filters made it.
        read_at: When the account was last read, whether or not that made a segment.
    """

    repository: str
    generation: str
    id: str
    number: int
    time: datetime
    origin: str
    recipients: str
    fingerprint: str
    read_at: datetime


def head_of(header: Header, identity: str) -> Head:
    """Return the head that a segment with this header and hash makes."""
    return Head(
        repository=header.repository,
        generation=header.generation.name,
        id=identity,
        number=header.number,
        time=header.time,
        origin=header.origin,
        recipients=header.recipients,
        fingerprint=header.fingerprint,
        read_at=header.time,
    )


class Cache:
    """One account's state, its log's entries, and its rows since the base, in SQLite."""

    def __init__(self, path: Path) -> None:
        """Open the cache, or begin an empty one where there is none that can be used.

        Raises:
            SetupError: The folder cannot be written.
            TemporaryError: Another run holds it.
        """
        self._path = path
        try:
            # `parents` would give the state folder the mode of the umask.
            for folder in (path.parent.parent, path.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # SQLite gives its journal the same mode.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise SetupError(f"cannot write the cache {path}: {error.strerror}") from error
        self._base = self._opened()

    def close(self) -> None:
        """Let go of the file; what was not committed is forgotten."""
        self._base.close()

    @property
    def head(self) -> Head | None:
        """Where the log stands; None when nothing is known."""
        found = next(self._rows("SELECT value FROM head"), None)
        if found is None:
            return None
        values = json.loads(found[0])
        times = {key: datetime.fromisoformat(values[key]) for key in ("time", "read_at")}
        return Head(**{**values, **times})

    def calendars(self) -> Iterator[Row]:
        """Yield the newest row of each calendar."""
        found = self._rows("SELECT row FROM calendar ORDER BY id")
        return rows.decode_all(row for (row,) in found)

    def calendar(self, identity: str) -> Row | None:
        """Return a calendar's newest row."""
        return self._one("SELECT row FROM calendar WHERE id = ?", identity)

    def items(self, calendar: str) -> Iterator[Row]:
        """Yield the newest row of each item of a calendar."""
        found = self._rows("SELECT row FROM item WHERE calendar = ?", calendar)
        return rows.decode_all(row for (row,) in found)

    def item(self, calendar: str, href: str) -> Row | None:
        """Return an item's newest row."""
        return self._one("SELECT row FROM item WHERE calendar = ? AND href = ?", calendar, href)

    def counts(self) -> Counts:
        """Count calendars and items."""
        held = "SELECT COUNT(*) FROM calendar WHERE op != ?"
        ((calendars,),) = self._rows(held, Op.EXCLUDED)
        kinds = dict(self._rows("SELECT kind, COUNT(*) FROM item GROUP BY kind"))
        stale = kinds.get(Kind.STALE, 0)
        items = kinds.get(Kind.HELD, 0) + stale
        return Counts(
            calendars, items, stale, kinds.get(Kind.MISSING, 0), kinds.get(Kind.EXCLUDED, 0)
        )

    def log(self) -> tuple[LogEntry, ...]:
        """Return what is known of the generation's segments, by number."""
        found = self._rows("SELECT entry FROM segment ORDER BY number")
        return tuple(decode_entry(json.loads(entry)) for (entry,) in found)

    def lines(self) -> Iterator[bytes]:
        """Yield the encoded rows since the base, in order."""
        return (row for (row,) in self._rows("SELECT row FROM log ORDER BY position"))

    @contextmanager
    def change(self, expected: Head | None) -> Iterator[None]:
        """Change the cache as a whole or not at all.

        Args:
            expected: The head that the change builds on.

        Raises:
            SetupError: The disk refuses.
            TemporaryError: Another run holds the cache or has moved its head.
        """
        try:
            self._base.execute("BEGIN IMMEDIATE")
            self._expect(expected)
            yield
        except BaseException as error:
            self._undo()
            if isinstance(error, sqlite3.Error):
                raise self._refused(error) from error
            raise
        try:
            self._base.execute("COMMIT")
        except sqlite3.Error as error:
            # The store holds the truth; the next run reads from it what is lacking here.
            _log.warning("the cache %s was not updated: %s", self._path, error)
            self._undo()

    def clear(self) -> None:
        """Forget everything."""
        for table in ("head", "segment", "calendar", "item", "log"):
            self._base.execute(f"DELETE FROM {table}")  # noqa: S608  # a constant

    def apply(self, lines: Iterable[bytes]) -> None:
        """Let encoded rows happen, in order."""
        for line in lines:
            row = rows.decode(line)
            if row.seq > 0:
                self._base.execute("INSERT INTO log(row) VALUES(?)", (line,))
            if row.href is None:
                self._apply_calendar(row, line)
            elif row.op is Op.GONE:
                key = (row.calendar, row.href)
                self._base.execute("DELETE FROM item WHERE calendar = ? AND href = ?", key)
            else:
                values = (row.calendar, row.href, row.kind, line)
                self._base.execute("REPLACE INTO item VALUES(?, ?, ?, ?)", values)

    def settle(self, head: Head, entries: Iterable[LogEntry]) -> None:
        """Remember where the log stands now, and further segments of it."""
        value = json.dumps(asdict(head), default=datetime.isoformat)
        self._base.execute("REPLACE INTO head VALUES(0, ?)", (value,))
        self._base.executemany(
            "REPLACE INTO segment VALUES(?, ?)",
            ((each.number, json.dumps(encode_entry(each))) for each in entries),
        )

    def _apply_calendar(self, row: Row, line: bytes) -> None:
        if row.op in {Op.CALENDAR_GONE, Op.EXCLUDED}:
            self._base.execute("DELETE FROM item WHERE calendar = ?", (row.calendar,))
        if row.op is Op.CALENDAR_GONE:
            self._base.execute("DELETE FROM calendar WHERE id = ?", (row.calendar,))
        else:
            values = (row.calendar, row.op, line)
            self._base.execute("REPLACE INTO calendar VALUES(?, ?, ?)", values)

    def _expect(self, expected: Head | None) -> None:
        if self.head != expected:
            raise self._busy()

    def _undo(self) -> None:
        if self._base.in_transaction:
            self._base.execute("ROLLBACK")

    def _one(self, query: str, *values: Any) -> Row | None:
        found = next(self._rows(query, *values), None)
        return None if found is None else rows.decode(found[0])

    def _rows(self, query: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """Yield what a query finds.

        Raises:
            TemporaryError: Another run holds the cache.
            SetupError: The disk refuses.
        """
        try:
            yield from self._base.execute(query, values)
        except sqlite3.Error as error:
            raise self._refused(error) from error

    def _opened(self) -> sqlite3.Connection:
        try:
            return self._connected()
        except sqlite3.OperationalError as error:
            raise self._refused(error) from error
        except sqlite3.DatabaseError:
            # Damaged, or of another version: it is only a cache.
            self._path.unlink()
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            return self._connected()

    def _connected(self) -> sqlite3.Connection:
        base = sqlite3.connect(self._path, isolation_level=None, timeout=_PATIENCE_S)
        try:
            if base.execute("PRAGMA user_version").fetchone() == (0,):
                base.executescript(_SCHEMA)
            _check(base)
        except BaseException:
            base.close()
            raise
        return base

    def _refused(self, error: sqlite3.Error) -> CaldavRunError:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_BUSY)
        # The lower byte is the kind, the rest details it.
        if code & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return self._busy()
        return SetupError(
            f"cannot write the cache {self._path}: {error}", mend="look at that disk's free space"
        )

    def _busy(self) -> TemporaryError:
        return TemporaryError(
            f"another run uses the cache {self._path}", mend="try again when that run has ended"
        )


def _check(base: sqlite3.Connection) -> None:
    if base.execute("PRAGMA user_version").fetchone() != (_VERSION,):
        raise sqlite3.DatabaseError("another version")
    if base.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise sqlite3.DatabaseError("damaged")
