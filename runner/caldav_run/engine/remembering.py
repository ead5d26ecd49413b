"""What destinations made of the items that were written: so that a second run changes nothing."""

import hashlib
import logging
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import unquote

from caldav_run.model import Version

_FOLDER: Final = "mirrors"
_WAIT_S: Final = 5.0
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
        try:
            found = self._base.execute(
                "SELECT 1 FROM item WHERE calendar = ? AND href = ? AND written = ? AND found = ?",
                (calendar, unquote(present.href), wanted.digest, present.digest),
            )
            return found.fetchone() is not None
        except sqlite3.Error as error:
            _log.info("cannot look up what became of %s: %s", present.href, error)
            return False

    def remember(self, calendar: str, wanted: Version, found: Version) -> None:
        """Keep what became of an item."""
        try:
            self._base.execute(
                "INSERT OR REPLACE INTO item VALUES(?, ?, ?, ?)",
                # A listing may escape a name in another way than it was written with.
                (calendar, unquote(found.href), wanted.digest, found.digest),
            )
        except sqlite3.Error as error:
            _log.info("cannot remember what became of %s: %s", found.href, error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._base.close()


def _private() -> sqlite3.Connection:
    return _made(sqlite3.connect(":memory:", isolation_level=None))


def _opened(state_dir: Path, origin: str) -> sqlite3.Connection:
    name = hashlib.sha256(origin.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    file = state_dir / _FOLDER / f"{name}.sqlite"
    try:
        for folder in (state_dir, file.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _made(sqlite3.connect(file, timeout=_WAIT_S, isolation_level=None))
    except (OSError, sqlite3.Error) as error:
        _log.info("cannot use %s: %s", file, error)
        return _private()


def _made(base: sqlite3.Connection) -> sqlite3.Connection:
    # Each row at once, so that two runs do not wait for each other, and none for the disk.
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("PRAGMA synchronous = OFF")
    base.execute(
        "CREATE TABLE IF NOT EXISTS item(calendar, href, written, found,"
        " PRIMARY KEY(calendar, href)) WITHOUT ROWID"
    )
    return base
