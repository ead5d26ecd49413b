"""An account in memory: what the engine and sinks are driven with where no server is needed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from caldav_run.connectors.protocol import Baseline
from caldav_run.errors import CaldavRunError
from caldav_run.model import (
    Calendar,
    CalendarDone,
    CalendarExcluded,
    CalendarStart,
    Changed,
    Failed,
    Item,
    Provenance,
    Reading,
    Unchanged,
)


@dataclass(slots=True)
class MemorySource:
    """A source that reads from plain dicts, and fails where it is told to.

    Attributes:
        account: The account's name.
        selection: See `Source.selection`.
        as_of: See `Source.as_of`.
        calendars: The calendars by id.
        bodies: What they hold: (calendar, href) to bytes. The etag is made of the bytes.
        excluded: Ids of calendars that are not selected.
        unreadable: (calendar, href) of items that cannot be read; href None for a whole calendar.
        lost: Raised when the account is reached for.
        broken: Raised after all calendars but the last.
        read_anew: Which items were read with their bytes, over all readings.
    """

    account: str = "memory"
    selection: str = "all"
    as_of: datetime | None = None
    calendars: dict[str, Calendar] = field(default_factory=dict)
    bodies: dict[tuple[str, str], bytes] = field(default_factory=dict)
    excluded: set[str] = field(default_factory=set)
    unreadable: set[tuple[str, str | None]] = field(default_factory=set)
    lost: CaldavRunError | None = None
    broken: CaldavRunError | None = None
    read_anew: list[tuple[str, str]] = field(default_factory=list)

    def put(self, calendar: str, href: str, body: bytes) -> None:
        """Hold an item, in a new calendar where there is none of that id."""
        self.calendars.setdefault(calendar, Calendar(id=calendar))
        self.bodies[calendar, href] = body

    def origin(self) -> str:
        """Return a name for the account."""
        if self.lost is not None:
            raise self.lost
        return f"memory:{self.account}"

    def read(self, baseline: Baseline) -> Iterator[Reading]:
        """Yield every calendar with its items, in the order of their names."""
        for number, (name, calendar) in enumerate(sorted(self.calendars.items()), start=1):
            if self.broken is not None and number == len(self.calendars):
                raise self.broken
            if name in self.excluded:
                yield CalendarExcluded(calendar)
                continue
            yield CalendarStart(calendar)
            if (name, None) in self.unreadable:
                yield Failed(name, None, "the calendar cannot be read")
                continue
            for held_in, href in sorted(self.bodies):
                if held_in == name:
                    yield self._member(name, href, baseline)
            yield CalendarDone(name)

    def close(self) -> None:
        """Hold on to everything: a dict needs no closing."""

    def _member(self, calendar: str, href: str, baseline: Baseline) -> Reading:
        body = self.bodies[calendar, href]
        etag = f'"{hash(body):x}"'
        if baseline.etag(calendar, href) == etag:
            return Unchanged(calendar, href)
        if (calendar, href) in self.unreadable:
            return Failed(calendar, href, "the item cannot be read")
        self.read_anew.append((calendar, href))
        return Changed(Item(calendar, href, etag, body, Provenance.FILE))
