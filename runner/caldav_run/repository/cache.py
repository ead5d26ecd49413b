"""What a writer remembers of one account between runs; safe to lose.

Everything here can be read back from the store with the writer's metadata key.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from caldav_run.model import Mark, Op
from caldav_run.repository import cachefile, rows
from caldav_run.repository.header import Counts, Header, LogEntry, decode_entry, encode_entry
from caldav_run.repository.rows import Kind, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where an account's log stands.

    Attributes:
        repository: The repository's id.
        stream: The account's history.
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
    stream: str
    generation: str
    id: str
    number: int
    time: datetime
    origin: str
    recipients: str
    fingerprint: str
    read_at: datetime

    @property
    def place(self) -> tuple[str, str, str]:
        """The repository, the stream and the writer: of others a cache may only be a copy."""
        return self.repository, self.stream, self.generation.split("-")[1]


def head_of(header: Header, identity: str) -> Head:
    """Return the head that a segment with this header and hash makes."""
    return Head(
        repository=header.repository,
        stream=header.generation.stream,
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
        self._base = cachefile.opened(path)

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

    def count(self, calendar: str) -> int:
        """Return how many items a calendar has."""
        ((count,),) = self._rows("SELECT COUNT(*) FROM item WHERE calendar = ?", calendar)
        return int(count)

    def unsettled(self, calendar: str) -> Iterator[Row]:
        """Yield the newest row of each item that is unread or has a `valid_until`.

        A few others may be among them.
        """
        query = (
            "SELECT row FROM item WHERE calendar = ?"
            " AND (kind IN (?, ?) OR instr(row, CAST('\"valid_until\"' AS BLOB)))"
        )
        found = self._rows(query, calendar, Kind.STALE.value, Kind.MISSING.value)
        return rows.decode_all(row for (row,) in found)

    def reading(self, calendar: str) -> Mark | None:
        """Return how far a calendar was read."""
        found = next(self._rows("SELECT value FROM reading WHERE calendar = ?", calendar), None)
        return None if found is None else Mark(*json.loads(found[0]))

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
            self._base.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            raise cachefile.refused(self._path, error) from error
        except BaseException:
            self._undo()
            raise

    def clear(self) -> None:
        """Forget everything."""
        for table in cachefile.TABLES:
            self._base.execute(f"DELETE FROM {table}")  # noqa: S608  # a constant

    def apply(self, lines: Iterable[bytes]) -> None:
        """Let encoded rows happen, in order."""
        for line in lines:
            row = rows.decode(line)
            if row.seq > 0:
                self._insert("INSERT INTO log(row, mark) VALUES(?, ?)", (), line)
            if row.href is None:
                self._apply_calendar(row, line)
            elif row.op is Op.GONE:
                key = (row.calendar, row.href)
                self._base.execute("DELETE FROM item WHERE calendar = ? AND href = ?", key)
            else:
                columns = (row.calendar, row.href, row.kind.value)
                self._insert("REPLACE INTO item VALUES(?, ?, ?, ?, ?)", columns, line)

    def settle(self, head: Head, entries: Iterable[LogEntry]) -> None:
        """Remember where the log stands now, and further segments of it."""
        value = json.dumps(asdict(head), default=datetime.isoformat)
        self._insert("REPLACE INTO head VALUES(?, ?, ?)", (0,), value.encode())
        for each in entries:
            entry = json.dumps(encode_entry(each)).encode()
            self._insert("REPLACE INTO segment VALUES(?, ?, ?)", (each.number,), entry)

    def settle_readings(self, marks: Mapping[str, Mark | None]) -> None:
        """Remember how far calendars were read; None for one that is not known any more."""
        for calendar, each in marks.items():
            if each is None:
                self._base.execute("DELETE FROM reading WHERE calendar = ?", (calendar,))
            else:
                value = json.dumps(each).encode()
                self._insert("REPLACE INTO reading VALUES(?, ?, ?)", (calendar,), value)

    def _apply_calendar(self, row: Row, line: bytes) -> None:
        if row.op in {Op.CALENDAR_GONE, Op.EXCLUDED}:
            self._base.execute("DELETE FROM item WHERE calendar = ?", (row.calendar,))
            self._base.execute("DELETE FROM reading WHERE calendar = ?", (row.calendar,))
        if row.op is Op.CALENDAR_GONE:
            self._base.execute("DELETE FROM calendar WHERE id = ?", (row.calendar,))
        else:
            columns = (row.calendar, row.op.value)
            self._insert("REPLACE INTO calendar VALUES(?, ?, ?, ?)", columns, line)

    def _insert(self, query: str, columns: Sequence[str | int], value: bytes) -> None:
        """Store a value behind its columns, and the mark that tells whether both are whole."""
        self._base.execute(query, (*columns, value, cachefile.mark(*columns, value)))

    def _expect(self, expected: Head | None) -> None:
        if self.head != expected:
            raise cachefile.busy(self._path)

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
            raise cachefile.refused(self._path, error) from error
