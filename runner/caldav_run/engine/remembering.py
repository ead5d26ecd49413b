"""What destinations made of the items that were written: so that a second run changes nothing."""

import hashlib
import logging
import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote

from caldav_run.model import Version

_FOLDER: Final = "mirrors"
_WAIT_S: Final = 5.0
_DAMAGED: Final = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})
_log: Final = logging.getLogger(__name__)


class Remembered:
    """By calendar and name: which version was written, and which one was found there then.

    Many servers rewrite what they are given. Safe to lose: then items that are written over again
    are written over again once.
    """

    def __init__(self, state_dir: Path | None, origin: str) -> None:
        """Open what is remembered of a destination; nothing where the disk refuses.

        Args:
            state_dir: The folder for what is safe to lose; None to remember nothing.
            origin: What the destination is.
        """
        self._base = _private() if state_dir is None else _opened(state_dir, origin)

    def says(self, calendar: str, wanted: Version, present: Version) -> bool:
        """Return whether what is present is what became of the wanted item."""
        found = self._rows(
            "SELECT 1 FROM became WHERE calendar = ? AND href = ? AND written = ? AND found = ?",
            (calendar, _name(present), wanted.digest, present.digest),
        )
        return bool(found)

    def as_written(self, calendar: str, present: Iterable[Version]) -> list[Version]:
        """Return what is present, each with the UID that it was written with.

        Some servers spell a UID in another way, or give one to an item that has none.
        """
        rows = self._rows(
            "SELECT href, found, uid FROM became WHERE calendar = ? AND uid IS NOT NULL",
            (calendar,),
        )
        uids = {(href, found): uid for href, found, uid in rows}
        return [
            each
            if (uid := uids.get((_name(each), each.digest))) is None
            else replace(each, uid=uid)
            for each in present
        ]

    def remember(self, calendar: str, wanted: Version, found: Version) -> None:
        """Keep what became of an item."""
        uid = None if wanted.uid == found.uid else wanted.uid
        self._rows(
            "INSERT OR REPLACE INTO became VALUES(?, ?, ?, ?, ?)",
            (calendar, _name(found), wanted.digest, found.digest, uid),
        )

    def _rows(self, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        try:
            return self._base.execute(statement, tuple(values)).fetchall()
        except sqlite3.Error as error:
            _log.info("what became of items is not known: %s", error)
            return []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._base.close()


def _name(found: Version) -> str:
    # A listing may escape a name in another way than it was written with.
    return unquote(found.href)


def _private() -> sqlite3.Connection:
    return _made(sqlite3.connect(":memory:", isolation_level=None))


def _opened(state_dir: Path, origin: str) -> sqlite3.Connection:
    name = hashlib.sha256(origin.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    file = state_dir / _FOLDER / f"{name}.sqlite"
    try:
        for folder in (state_dir, file.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return _made(_connected(file))
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode not in _DAMAGED:
                raise
            _log.info("%s is damaged, and begun anew: %s", file, error)
            file.unlink()
            return _made(_connected(file))
    except (OSError, sqlite3.Error) as error:
        _log.info("cannot use %s: %s", file, error)
        return _private()


def _connected(file: Path) -> sqlite3.Connection:
    # SQLite gives its journal the same mode.
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    return sqlite3.connect(file, timeout=_WAIT_S, isolation_level=None)


def _made(base: sqlite3.Connection) -> sqlite3.Connection:
    # Each row at once, so that two runs do not wait for each other, and none for the disk.
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("PRAGMA synchronous = OFF")
    base.execute(
        "CREATE TABLE IF NOT EXISTS became(calendar, href, written, found, uid,"
        " PRIMARY KEY(calendar, href)) WITHOUT ROWID"
    )
    return base
