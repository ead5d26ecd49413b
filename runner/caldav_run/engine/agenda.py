"""What is to be written, and what was: kept outside of memory between planning and the end."""

import sqlite3
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Final, NamedTuple, Self

from caldav_run.engine.packed import pack, unpack
from caldav_run.engine.spool import Slot
from caldav_run.errors import TemporaryError
from caldav_run.model import Version

_TODO: Final = "SELECT * FROM todo WHERE calendar = ? ORDER BY rowid"
_DONE: Final = "SELECT * FROM done WHERE calendar = ? ORDER BY rowid LIMIT -1 OFFSET ?"


class Place(NamedTuple):
    """Where a wanted item's body lies: in which source's spool, and where there."""

    feed: int
    slot: Slot


class Write(NamedTuple):
    """An item to be written: over another one, or as a new one."""

    wanted: Version
    replaces: Version | None
    place: Place


class Written(NamedTuple):
    """An item that was written, and under which name and etag it lies there."""

    write: Write
    href: str
    etag: str | None


class Agenda:
    """The writes of a run into one destination, by the number of their calendar."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.execute("PRAGMA journal_mode = OFF")
        self._base.execute("CREATE TABLE todo(calendar, wanted, present, feed, offset, size)")
        self._base.execute(
            "CREATE TABLE done(calendar, wanted, present, feed, offset, size, href, etag)"
        )
        self._base.execute("CREATE INDEX todo_calendar ON todo(calendar)")
        self._base.execute("CREATE INDEX done_calendar ON done(calendar)")
        # One transaction that never ends: nothing of it has to be safe.
        self._base.execute("BEGIN")

    def plan(self, calendar: int, write: Write) -> None:
        """Remember what is to be written.

        Raises:
            TemporaryError: The disk refuses.
        """
        self._insert("INSERT INTO todo VALUES(?, ?, ?, ?, ?, ?)", (calendar, *_columns(write)))

    def writes(self, calendar: int) -> Iterator[Write]:
        """Yield what is to be written, in the order in which it was planned."""
        rows = self._base.execute(
            "SELECT * FROM todo WHERE calendar = ? ORDER BY rowid", [calendar]
        )
        for _, *columns in rows:
            yield _write(*columns)

    def finish(self, calendar: int, done: Written) -> None:
        """Remember what was written.

        Raises:
            TemporaryError: The disk refuses.
        """
        columns = (calendar, *_columns(done.write), done.href, done.etag)
        self._insert("INSERT INTO done VALUES(?, ?, ?, ?, ?, ?, ?, ?)", columns)

    def written(self, calendar: int, skipped: int) -> Iterator[Written]:
        """Yield what was written, without the first so many."""
        rows = self._base.execute(_DONE, [calendar, skipped])
        for _, *columns, href, etag in rows:
            yield Written(_write(*columns), href, etag)

    def destroys(self) -> bool:
        """Return whether anything of it is written over something else."""
        found = self._base.execute("SELECT 1 FROM todo WHERE present IS NOT NULL LIMIT 1")
        return found.fetchone() is not None

    def _insert(self, statement: str, columns: tuple[object, ...]) -> None:
        try:
            self._base.execute(statement, columns)
        except sqlite3.Error as error:
            raise TemporaryError(
                f"cannot keep what is planned in a temporary folder: {error}",
                mend=f"make room in {tempfile.gettempdir()}, or set TMPDIR to another folder",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._base.close()


def _columns(write: Write) -> tuple[object, ...]:
    over = None if write.replaces is None else pack(write.replaces)
    return pack(write.wanted), over, write.place.feed, *write.place.slot


def _write(wanted: str, present: str | None, feed: int, offset: int, size: int) -> Write:
    over = None if present is None else unpack(present)
    return Write(unpack(wanted), over, Place(feed, Slot(offset, size)))
