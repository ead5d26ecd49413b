"""What a snapshot gives, remembered until it has been compared."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from caldav_run import shelf
from caldav_run.connectors.protocol import Baseline
from caldav_run.connectors.selection import Selection
from caldav_run.engine.spool import Slot, Spool
from caldav_run.model import CalendarDone, CalendarStart, Changed, Failed, Reading
from caldav_run.repository.reader import Reader
from caldav_run.repository.snapshots import SnapshotInfo

Key = tuple[str, str]
"""A calendar's id and an item's href."""


class Unread(NamedTuple):
    """What the snapshot cannot give, and why."""

    place: str
    reason: str


class Given:
    """The source of a drill; see `connectors.protocol.Source`.

    Attributes:
        items: Where the bytes of each item lie in the spool.
        unread: What could not be read out of the repository.
        stale: How many items were last read before the snapshot.
        size: The bytes of all items.
    """

    as_of: datetime | None

    def __init__(
        self, reader: Reader, snapshot: SnapshotInfo, selection: Selection, spool: Spool
    ) -> None:
        """Take what to give, and where to remember it."""
        self.account = snapshot.account
        self.selection = selection.text
        self.as_of = snapshot.time
        self.items: dict[Key, Slot] = {}
        self.unread: list[Unread] = []
        self.stale = 0
        self.size = 0
        self._reader = reader
        self._snapshot = snapshot
        self._selection = selection
        self._spool = spool

    def origin(self) -> str:
        """Return the repository's id and the account."""
        return f"snapshot:{self._reader.repository}:{self.account}"

    def read(self, baseline: Baseline) -> Iterator[Reading]:
        """Yield the snapshot's calendars and items."""
        del baseline
        for info in self._reader.calendars(self._snapshot):
            calendar = info.calendar
            files = not shelf.is_calendar(calendar.id)
            if not files and (info.excluded or not self._selection.selects(calendar)):
                continue
            yield CalendarStart(calendar)
            for found in self._reader.bodies(self._reader.items(self._snapshot, calendar.id)):
                if isinstance(found, Failed):
                    self.unread.append(Unread(f"{found.calendar}/{found.href}", found.reason))
                    yield found
                    continue
                if not files:
                    # Files are compared with the items that refer to them.
                    self.items[found.calendar, found.href] = self._spool.put(found.body)
                self.size += len(found.body)
                self.stale += found.stale_since is not None
                yield Changed(found)
            yield CalendarDone(calendar.id)

    def body(self, key: Key) -> bytes:
        """Return the bytes of an item that was given."""
        return self._spool.get(self.items[key])

    def close(self) -> None:
        """Do nothing: a reading holds nothing open."""
