"""What waits for its plan, outside of memory: items, in the order in which a plan takes them."""

import sqlite3
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from caldav_run.engine.packed import pack, unpack
from caldav_run.engine.plan import order
from caldav_run.engine.spool import Slot, Spool
from caldav_run.errors import TemporaryError
from caldav_run.model import Version


class Wanted:
    """The items of a source, by calendar: bodies in a spool, the rest in a nameless database."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._spool = Spool()
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.execute("PRAGMA journal_mode = OFF")
        self._base.execute("CREATE TABLE item(calendar, uid, href, version, offset, size)")
        # One transaction that never ends: nothing of it has to be safe.
        self._base.execute("BEGIN")

    def put(self, calendar: str, version: Version, body: bytes) -> None:
        """Keep an item.

        Raises:
            TemporaryError: The disk refuses.
        """
        slot = self._spool.put(body)
        keys = map(_sortable, (calendar, *order(version)))
        try:
            self._base.execute(
                "INSERT INTO item VALUES(?, ?, ?, ?, ?, ?)", (*keys, pack(version), *slot)
            )
        except sqlite3.Error as error:
            raise TemporaryError(
                f"cannot keep what is known of items in a temporary folder: {error}",
                mend=f"make room in {tempfile.gettempdir()}, or set TMPDIR to another folder",
            ) from error

    def put_file(self, body: bytes) -> Slot:
        """Keep a file that belongs to an item, and return where it lies.

        Raises:
            TemporaryError: The disk refuses.
        """
        return self._spool.put(body)

    def versions(self, calendar: str) -> Iterator[tuple[Version, Slot]]:
        """Yield a calendar's items in the order of a plan, and where their bodies lie."""
        query = "SELECT version, offset, size FROM item WHERE calendar = ? ORDER BY uid, href"
        for version, offset, size in self._base.execute(query, (_sortable(calendar),)):
            yield unpack(version), Slot(offset, size)

    def body(self, slot: Slot) -> bytes:
        """Return the body that lies there."""
        return self._spool.get(slot)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._spool:
            self._base.close()


def _sortable(text: str) -> bytes:
    """Return bytes that sort as the text does; bytes of it that are no UTF-8 as well."""
    return text.encode("utf-8", "surrogatepass")
