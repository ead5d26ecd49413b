"""Which calendars go to which calendar of a destination, and whose version where they meet."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby
from operator import itemgetter

from caldav_run.connectors.mirroring import Mirror, Target
from caldav_run.engine.agenda import Place, Write
from caldav_run.engine.mirror import MirrorRecipient
from caldav_run.engine.plan import Action, order
from caldav_run.errors import CalendarError
from caldav_run.model import Calendar, Version

Waiting = tuple[Version, Place]
"""A wanted item, and where its body lies."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A source calendar on its way: whose it is, by number as well, and what it is."""

    feed: int
    recipient: MirrorRecipient
    calendar: Calendar

    @property
    def title(self) -> str:
        """What to call it in front of a person."""
        return f'"{self.recipient.source}/{self.calendar.title}"'

    def waiting(self) -> Iterator[Waiting]:
        """Yield its items in the order of a plan."""
        for version, slot in self.recipient.versions(self.calendar.id):
            yield version, Place(self.feed, slot)


@dataclass(slots=True)
class Destination:
    """A destination calendar and what goes there.

    Attributes:
        number: Its number in this run.
        target: The calendar.
        origins: The source calendars that go there.
        doomed: What is to be deleted there.
        doubtful: What is neither written nor known to be there already.
        refused: What was objected to, and where its bytes lie.
        deferred: Those of them that may go in when something else has been deleted.
    """

    number: int
    target: Target
    origins: list[Origin]
    doomed: list[Version] = field(default_factory=list)
    doubtful: list[tuple[Action, Place]] = field(default_factory=list)
    refused: list[tuple[Action, Place]] = field(default_factory=list)
    deferred: list[Write] = field(default_factory=list)

    @property
    def title(self) -> str:
        """What to call it in front of a person."""
        return self.target.calendar.title

    def gap(self) -> str | None:
        """Return why it is not known what should be there, in words; None when it is."""
        gaps = (each.recipient.gap(each.calendar.id) for each in self.origins)
        return next(filter(None, gaps), None)


def destinations(
    mirror: Mirror,
    feeds: Sequence[MirrorRecipient],
    refuse: Callable[[CalendarError, Calendar], None],
) -> list[Destination]:
    """Ask for the place of every source calendar.

    Args:
        mirror: The destination.
        feeds: The sources, in the order of the pipeline.
        refuse: Told of each calendar that has no place.
    """
    found: dict[str, Destination] = {}
    for number, feed in enumerate(feeds):
        for calendar in feed.calendars.values():
            origin = Origin(number, feed, calendar)
            try:
                target = mirror.target(feed.source, calendar, feed.calendars.values())
                place = found.setdefault(target.calendar.id, Destination(len(found), target, []))
                _meet(place, target, origin)
            except CalendarError as error:
                refuse(error, calendar)
    return list(found.values())


def _meet(place: Destination, target: Target, origin: Origin) -> None:
    """Let a source calendar go to a place, where it may."""
    if place.origins and not (place.target.mapped and target.mapped):
        raise CalendarError(
            f"{place.origins[0].title} and {origin.title} would meet in the calendar"
            f' "{place.title}"',
            mend="give one of them another name with the sink's rename, or map both to it",
        )
    place.origins.append(origin)


def waiting(place: Destination, outdone: Callable[[Version], None]) -> Iterator[Waiting]:
    """Yield what is wanted in a calendar, sorted, where calendars meet one of each event.

    Args:
        place: The calendar.
        outdone: Told of an item for which another calendar's version is taken.
    """
    both = merge(
        *(_numbered(number, each.waiting()) for number, each in enumerate(place.origins)),
        key=lambda each: (order(each[1][0]), each[0]),
    )
    for uid, group in groupby(both, lambda each: each[1][0].uid):
        rivals = list(group)
        chosen = _chosen(rivals) if uid else None
        for number, each in rivals:
            if chosen is None or number == chosen[0]:
                yield each
            elif each[0].digest != chosen[1][0].digest:
                outdone(each[0])


def _numbered(number: int, items: Iterable[Waiting]) -> Iterator[tuple[int, Waiting]]:
    return ((number, each) for each in items)


def _chosen(rivals: Sequence[tuple[int, Waiting]]) -> tuple[int, Waiting]:
    """Return the item of the calendar whose version goes: the newest, else the first named."""
    first = min(rivals, key=itemgetter(0))
    alone = len({number for number, _ in rivals}) == len(rivals)
    newest = max(rivals, key=lambda each: (each[1][0].stamp, -each[0]))
    return newest if alone else first
