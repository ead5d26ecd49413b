"""An account in memory: what the engine and sinks are driven with where no server is needed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from caldav_run.connectors.protocol import Baseline
from caldav_run.connectors.selection import Selection
from caldav_run.errors import CaldavRunError
from caldav_run.model import (
    Calendar,
    CalendarDone,
    CalendarExcluded,
    CalendarStart,
    CalendarSynced,
    Changed,
    Failed,
    Gone,
    Item,
    Mark,
    Provenance,
    Reading,
    Unchanged,
)

_LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)


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
        filtered: Ids of calendars of which a backup's filter left something out.
        unreadable: (calendar, href) of items that cannot be read; href None for a whole calendar.
        stale: (calendar, href) of items whose bytes were last read long ago.
        lost: Raised when the account is reached for.
        broken: Raised after all calendars but the last.
        names_changes: Whether it names only what has changed, where it knows since when.
        read_anew: Which items were read with their bytes, over all readings.
    """

    account: str = "memory"
    selection: str = Selection().text
    as_of: datetime | None = None
    calendars: dict[str, Calendar] = field(default_factory=dict)
    bodies: dict[tuple[str, str], bytes] = field(default_factory=dict)
    excluded: set[str] = field(default_factory=set)
    filtered: set[str] = field(default_factory=set)
    unreadable: set[tuple[str, str | None]] = field(default_factory=set)
    stale: set[tuple[str, str]] = field(default_factory=set)
    lost: CaldavRunError | None = None
    broken: CaldavRunError | None = None
    names_changes: bool = False
    read_anew: list[tuple[str, str]] = field(default_factory=list)
    _states: dict[str, dict[str, str]] = field(default_factory=dict)

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
            yield from self._members(name, baseline)

    def close(self) -> None:
        """Hold on to everything: a dict needs no closing."""

    def _members(self, name: str, baseline: Baseline) -> Iterator[Reading]:
        now = {
            href: _etag(body) for (held_in, href), body in self.bodies.items() if held_in == name
        }
        token = str(len(self._states))
        self._states[token] = now
        mark = baseline.mark(name) if self.names_changes else None
        if mark is None or mark.token not in self._states:
            for href in sorted(now):
                yield self._member(name, href, baseline)
            yield CalendarDone(name, Mark(None, token, 0.0), filtered=name in self.filtered)
            return
        then = self._states[mark.token]
        for href in sorted(then.keys() - now):
            yield Gone(name, href)
        changed = {href for href, etag in now.items() if then.get(href) != etag}
        for href in sorted(changed | (now.keys() & set(baseline.doubtful(name)))):
            yield self._member(name, href, baseline)
        yield CalendarSynced(name, mark._replace(token=token))

    def _member(self, calendar: str, href: str, baseline: Baseline) -> Reading:
        body = self.bodies[calendar, href]
        etag = _etag(body)
        if baseline.etag(calendar, href) == etag:
            return Unchanged(calendar, href)
        if (calendar, href) in self.unreadable:
            return Failed(calendar, href, "the item cannot be read")
        self.read_anew.append((calendar, href))
        since = _LONG_AGO if (calendar, href) in self.stale else None
        return Changed(Item(calendar, href, etag, body, Provenance.FILE, since))


def _etag(body: bytes) -> str:
    return f'"{hash(body):x}"'
