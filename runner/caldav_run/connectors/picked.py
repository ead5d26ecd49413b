"""Chosen items out of a repository, as a source of their own."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from caldav_run import shelf
from caldav_run.connectors.protocol import Baseline
from caldav_run.connectors.selection import Selection
from caldav_run.model import Calendar, CalendarStart, Changed, Failed, Reading
from caldav_run.repository.reader import Reader
from caldav_run.repository.snapshots import ItemInfo, SnapshotInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """What was chosen of an account.

    Attributes:
        account: The account.
        time: Of when it is: the snapshot's time.
        calendars: The calendars in which something was chosen, by id.
        items: What was chosen in each of them, by the calendar's id.
    """

    account: str
    time: datetime
    calendars: Mapping[str, Calendar]
    items: Mapping[str, Sequence[ItemInfo]]

    @property
    def count(self) -> int:
        """How many items were chosen."""
        return sum(len(each) for key, each in self.items.items() if key != shelf.ID)


def belonging(
    reader: Reader, snapshots: Iterable[SnapshotInfo], items: Iterable[ItemInfo]
) -> Iterator[ItemInfo]:
    """Yield the files that belong to some items, out of the snapshots that these are in."""
    owners = {(each.calendar, each.href) for each in items}
    given: set[str] = set()
    for snapshot in snapshots:
        if all(each.calendar.id != shelf.ID for each in reader.calendars(snapshot)):
            continue
        for each in reader.items(snapshot, shelf.ID):
            place = shelf.place(each.href)
            if place is not None and place.owner in owners and each.href not in given:
                given.add(each.href)
                yield each


class PickedSource:
    """Gives what was chosen, and nothing else; see `connectors.protocol.Source`."""

    as_of: datetime | None

    def __init__(self, reader: Reader, picked: Picked) -> None:
        """Take where the bytes are, and which are meant."""
        self.account = picked.account
        self.selection = Selection(include=tuple(picked.items)).text
        self.as_of = picked.time
        self._reader = reader
        self._picked = picked

    def origin(self) -> str:
        """Return the repository's id and the account."""
        return f"snapshot:{self._reader.repository}:{self.account}"

    def read(self, baseline: Baseline) -> Iterator[Reading]:
        """Yield the calendars and the chosen items.

        No calendar is called done: other members than the chosen ones were not named.
        """
        del baseline
        for identity, items in self._picked.items.items():
            yield CalendarStart(self._picked.calendars[identity])
            for found in self._reader.bodies(items):
                yield found if isinstance(found, Failed) else Changed(found)

    def close(self) -> None:
        """Do nothing: a reading holds nothing open."""
