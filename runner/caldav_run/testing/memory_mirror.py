"""A destination in memory: what the engine is driven with where others have to interfere."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from caldav_run.connectors.mirroring import Clash, Held, MirrorOptions, Order, Outcome, Target
from caldav_run.errors import CalendarError, ConnectorError, ItemError
from caldav_run.ical.version import version
from caldav_run.model import Calendar, Version


@dataclass(slots=True)
class MemoryMirror:
    """A sink that writes into plain dicts.

    Attributes:
        options: How to write.
        names: New names for calendars, by id.
        places: The calendars by id.
        bodies: What they hold: (calendar, href) to bytes. The etag is made of the bytes.
        loses: The properties of calendars that it does not keep, in words.
        rewrite: What becomes of the bytes that are written.
        meanwhile: Called before each order is done: somebody else may write then.
        refuses: Why an item is refused when it is written, in words, by its UID.
        objects: Why an item is refused beforehand, by its UID.
        one_place: Whether a UID may lie in one calendar only.
        only_once: Whether an item is refused beforehand that lies in another calendar.
        closed: Calendars that take no item, but those that they had.
        unreadable: Calendars that cannot be read.
        foreign: Calendars that are somebody else's.
        broken: Raised when the last order of the first batch has been done.
        done: All orders that were done, in words.
        said: When the user is available; None where it keeps no such thing.
        notes: What it tells of each item that it writes.
    """

    options: MirrorOptions = field(default_factory=MirrorOptions)
    names: Mapping[str, str] = field(default_factory=dict)
    places: dict[str, Calendar] = field(default_factory=dict)
    bodies: dict[tuple[str, str], bytes] = field(default_factory=dict)
    loses: tuple[str, ...] = ()
    rewrite: Callable[[bytes], bytes] = bytes
    meanwhile: Callable[[], None] = lambda: None
    refuses: dict[str, str] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    one_place: bool = False
    only_once: bool = False
    closed: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    broken: ConnectorError | CalendarError | None = None
    done: list[str] = field(default_factory=list)
    said: str | None = None
    notes: tuple[str, ...] = ()
    _had: set[tuple[str, bytes]] = field(default_factory=set)

    def drop(self, calendar: str, href: str) -> None:
        """Delete an item, as somebody else would."""
        del self.bodies[calendar, href]

    def origin(self) -> str:
        """Return its only name."""
        return "memory:mirror"

    def target(self, source: str, calendar: Calendar, siblings: Iterable[Calendar] = ()) -> Target:
        """Return the calendar of that id, or of its new name."""
        del source, siblings
        new = self.names.get(calendar.id)
        found = self.places.get(new or calendar.id)
        planned = replace(calendar, id=new or calendar.id)
        return Target(found or planned, exists=found is not None, mapped=new is not None)

    def create(self, target: Target) -> Sequence[str]:
        """Make an empty calendar."""
        if target.calendar.id in self.refuses:
            raise CalendarError(self.refuses[target.calendar.id])
        self.places[target.calendar.id] = target.calendar
        self.done.append(f"create {target.calendar.id}")
        return self.loses

    def present(self, target: Target) -> Sequence[Version]:
        """Return what the calendar holds."""
        where = target.calendar.id
        if where in self.unreadable:
            raise CalendarError(f"{where} cannot be read")
        return [_seen(href, body) for (place, href), body in self.bodies.items() if place == where]

    def objection(
        self, target: Target, wanted: Version | None, replaces: Version | None, size: int
    ) -> str | None:
        """Return what `objects` and `only_once` say."""
        del size
        named = wanted or replaces
        if self.only_once and wanted is not None and replaces is None:
            elsewhere = self._elsewhere(target.calendar.id)
            if any(each.uid == wanted.uid for each in elsewhere):
                return Clash("it lies in another calendar")
        return self.objects.get(named.uid) if named else None

    def mailed(self, wanted: Version | None, replaces: Version | None) -> Collection[str]:
        """Return everybody in the items."""
        return {who for each in (wanted, replaces) if each for who in each.people}

    def meant(self, order: Order) -> bytes:
        """Return the item as it is."""
        return order.body()

    def apply(self, target: Target, orders: Iterable[Order]) -> Iterator[Outcome]:
        """Do one order after the other."""
        for order in orders:
            self.meanwhile()
            yield self._outcome(target.calendar.id, order)
        if self.broken is not None:
            raise self.broken

    def reread(self, target: Target, hrefs: Collection[str]) -> Iterator[Held]:
        """Yield what is there by these names."""
        if target.calendar.id in self.unreadable:
            raise CalendarError(f"{target.calendar.id} cannot be read")
        for href in hrefs:
            body = self.bodies.get((target.calendar.id, href))
            yield Held(href, None if body is None else _seen(href, body), body)

    def calendars(self) -> Sequence[Calendar]:
        """Return all calendars."""
        return list(self.places.values())

    def owns(self, calendar: Calendar) -> bool:
        """Return whether it is none of `foreign`."""
        return calendar.id not in self.foreign

    def remove(self, calendar: Calendar) -> None:
        """Delete a calendar with what it holds."""
        if calendar.id in self.refuses:
            raise CalendarError(self.refuses[calendar.id])
        del self.places[calendar.id]
        self.bodies = {key: body for key, body in self.bodies.items() if key[0] != calendar.id}
        self.done.append(f"remove {calendar.id}")

    def available(self) -> str | None:
        """Return what was said."""
        return self.said

    def say_available(self, text: str, over: str) -> str:
        """Keep what `rewrite` makes of it, unless `refuses` has a word about it."""
        if self.said != over:
            raise CalendarError("it was changed meanwhile")
        if "availability" in self.refuses:
            raise CalendarError(self.refuses["availability"])
        self.said = self.rewrite(text.encode()).decode()
        return self.said

    def finish(self, target: Target) -> None:
        """Do nothing: there is nothing beside the items."""

    def close(self) -> None:
        """Hold on to everything."""

    def _outcome(self, calendar: str, order: Order) -> Outcome:
        wanted, replaces = order.wanted, order.replaces
        had = wanted is not None and (calendar, wanted.digest) in self._had
        if wanted is not None and not had and wanted.uid in self.refuses:
            return Outcome(order, error=ItemError(self.refuses[wanted.uid]))
        if wanted is not None and not had and calendar in self.closed:
            return Outcome(order, error=ItemError("the calendar takes nothing"))
        href = (replaces or wanted or _seen("", b"")).href
        there = self.bodies.get((calendar, href))
        if (_seen(href, there).etag if there is not None else None) != (
            replaces.etag if replaces else None
        ):
            return Outcome(order, error=ItemError("it changed meanwhile"), moved=True)
        if wanted is None:
            self._had.add((calendar, _seen(href, self.bodies[calendar, href]).digest))
            del self.bodies[calendar, href]
            self.done.append(f"- {calendar}/{href}")
            return Outcome(order)
        if self.one_place and any(each.uid == wanted.uid for each in self._elsewhere(calendar)):
            return Outcome(order, error=ItemError("the UID is in another calendar"))
        self.bodies[calendar, href] = self.rewrite(order.body())
        self.done.append(f"{'+' if replaces is None else '~'} {calendar}/{href}")
        etag = _seen(href, self.bodies[calendar, href]).etag
        return Outcome(order, href, etag, notes=self.notes)

    def _elsewhere(self, calendar: str) -> Iterator[Version]:
        return (_seen(href, body) for (at, href), body in self.bodies.items() if at != calendar)


def _seen(href: str, body: bytes) -> Version:
    return version(body, href, f'"{hashlib.sha256(body).hexdigest()}"')
