"""What a plan waits for, outside of memory: bodies, and what is known of each."""

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple, Self

from caldav_run.engine.plan import order
from caldav_run.errors import TemporaryError
from caldav_run.model import Stamp, Version


class Slot(NamedTuple):
    """Where a body lies in the spool."""

    offset: int
    size: int


class Spool:
    """Two nameless temporary files: nobody else can open them; they are gone with the process."""

    def __init__(self) -> None:
        """Open an empty spool."""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 -- closed by __exit__
        self._end = 0
        self._index = sqlite3.connect("", isolation_level=None)
        self._index.execute("PRAGMA journal_mode = OFF")
        self._index.execute("CREATE TABLE wanted(calendar, uid, href, version, offset, size)")
        # One transaction that never ends: nothing of it has to be safe.
        self._index.execute("BEGIN")

    def put(self, calendar: str, wanted: Version, body: bytes) -> None:
        """Keep an item of a calendar.

        Raises:
            TemporaryError: The disk refuses.
        """
        row = (*map(_sortable, (calendar, *order(wanted))), _encode(wanted), self._end, len(body))
        try:
            self._write(body)
            self._index.execute("INSERT INTO wanted VALUES(?, ?, ?, ?, ?, ?)", row)
        except (OSError, sqlite3.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise TemporaryError(
                f"cannot keep items in {tempfile.gettempdir()}: {reason}",
                mend="make room there, or set TMPDIR to a folder that has some",
            ) from error
        self._end += len(body)

    def wanted(self, calendar: str) -> Iterator[tuple[Version, Slot]]:
        """Yield the items of a calendar in the order of a plan, and where their bodies lie."""
        query = "SELECT version, offset, size FROM wanted WHERE calendar = ? ORDER BY uid, href"
        for version, offset, size in self._index.execute(query, (_sortable(calendar),)):
            yield _decode(version), Slot(offset, size)

    def get(self, slot: Slot) -> bytes:
        """Return the body that lies there."""
        return os.pread(self._file.fileno(), slot.size, slot.offset)

    def _write(self, body: bytes) -> None:
        # Past the buffers, so that a full disk shows here and not again when the file is closed.
        end = self._end
        rest = memoryview(body)
        while rest:
            written = os.pwrite(self._file.fileno(), rest, end)
            end, rest = end + written, rest[written:]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._index.close()
        self._file.close()


def _sortable(text: str) -> bytes:
    """Return bytes that sort as the text does, surrogates too."""
    return text.encode("utf-8", "surrogatepass")


def _encode(version: Version) -> str:
    return json.dumps(
        [
            version.uid,
            version.href,
            version.etag,
            version.digest.hex(),
            version.stamp,
            version.scheduled,
            version.label,
        ]
    )


def _decode(text: str) -> Version:
    uid, href, etag, digest, stamp, scheduled, label = json.loads(text)
    return Version(
        uid=uid,
        href=href,
        etag=etag,
        digest=bytes.fromhex(digest),
        stamp=Stamp(*stamp),
        scheduled=scheduled,
        label=label,
    )
