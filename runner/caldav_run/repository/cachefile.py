"""The SQLite file of a cache: made, checked whole, and renewed when it cannot be used."""

import os
import sqlite3
from pathlib import Path
from typing import Final
from zlib import crc32

from caldav_run.errors import CaldavRunError, SetupError, TemporaryError

_VERSION: Final = 3
_PATIENCE_S: Final = 5.0
# The columns that a value's mark covers.
TABLES: Final = {
    "head": "id, value",
    "segment": "number, entry",
    "calendar": "id, op, row",
    "item": "calendar, href, kind, row",
    "reading": "calendar, value",
    "log": "row",
}
# What tells of the disk or of another run; any other error while opening tells of the file.
_REFUSALS: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    }
)
# What Python's module makes of a damaged file: it decodes some of SQLite's messages as UTF-8.
_BROKEN: Final = (sqlite3.Error, ValueError, AttributeError)
_MEND: Final = "look at that disk's free space and rights; the file itself may be deleted"
_SCHEMA: Final = f"""
BEGIN EXCLUSIVE;
CREATE TABLE head(id INTEGER PRIMARY KEY, value BLOB NOT NULL, mark INTEGER NOT NULL);
CREATE TABLE segment(number INTEGER PRIMARY KEY, entry BLOB NOT NULL, mark INTEGER NOT NULL);
CREATE TABLE calendar(
    id TEXT PRIMARY KEY, op TEXT NOT NULL, row BLOB NOT NULL, mark INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE item(
    calendar TEXT, href TEXT, kind TEXT NOT NULL, row BLOB NOT NULL, mark INTEGER NOT NULL,
    PRIMARY KEY(calendar, href)
) WITHOUT ROWID;
CREATE TABLE reading(
    calendar TEXT PRIMARY KEY, value BLOB NOT NULL, mark INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE log(position INTEGER PRIMARY KEY, row BLOB NOT NULL, mark INTEGER NOT NULL);
PRAGMA user_version = {_VERSION};
COMMIT;
"""


def opened(path: Path) -> sqlite3.Connection:
    """Open a file, or begin an empty one where there is none that can be used.

    Raises:
        SetupError: The file cannot be written.
        TemporaryError: Another run holds it.
    """
    try:
        # `parents` would give the state folder the mode of the umask.
        for folder in (path.parent.parent, path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(path)
        try:
            return _connected(path)
        except _BROKEN as error:
            if isinstance(error, sqlite3.Error) and _kind(error) in _REFUSALS:
                raise
        # Damaged, or of another version: it is only a cache.
        path.unlink()
        _make(path)
        return _connected(path)
    except sqlite3.Error as error:
        raise refused(path, error) from error
    except OSError as error:
        raise SetupError(f"cannot write the cache {path}: {error.strerror}", mend=_MEND) from error


def refused(path: Path, error: sqlite3.Error) -> CaldavRunError:
    """Return what SQLite's refusal means to a person."""
    if _kind(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return busy(path)
    return SetupError(f"cannot write the cache {path}: {error}", mend=_MEND)


def busy(path: Path) -> TemporaryError:
    """Return the error that says that another run is at work."""
    return TemporaryError(
        f"another run uses the cache {path}", mend="try again when that run has ended"
    )


def mark(*values: str | int | bytes) -> int:
    """Return the checksum of some columns with their types, the last of which holds bytes."""
    *key, value = values
    # SQLite keeps text and bytes apart by one bit, which may flip as well.
    return crc32(value, crc32(repr(key).encode())) if isinstance(value, bytes) else -1


def _make(path: Path) -> None:
    # SQLite gives its journal the same mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _connected(path: Path) -> sqlite3.Connection:
    base = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE_S)
    try:
        if base.execute("PRAGMA user_version").fetchone() == (0,):
            base.executescript(_SCHEMA)
        _check(base)
    except BaseException:
        base.close()
        raise
    return base


def _kind(error: sqlite3.Error) -> int:
    # The lower byte is the kind, the rest details it; Python's own errors have none.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF


def _check(base: sqlite3.Connection) -> None:
    """Compare every value with its mark: a wrong hash would be carried into a signed segment.

    Raises:
        sqlite3.Error: The cache is damaged, or of another version.
    """
    if base.execute("PRAGMA user_version").fetchone() != (_VERSION,):
        raise sqlite3.DatabaseError("another version")
    if base.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise sqlite3.DatabaseError("damaged")
    for table, columns in TABLES.items():
        for *values, marked in base.execute(f"SELECT {columns}, mark FROM {table}"):  # noqa: S608  # constants
            if mark(*values) != marked:
                raise sqlite3.DatabaseError("damaged")
    if base.execute("SELECT COUNT(*) = IFNULL(MAX(position), 0) FROM log").fetchone() != (1,):
        raise sqlite3.DatabaseError("damaged")
