"""Tells what a run would do at a destination, and where asked in what each item would change."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final, NamedTuple

from caldav_run.engine.agenda import Place, Write
from caldav_run.engine.means import Means, count
from caldav_run.engine.meeting import Destination
from caldav_run.engine.plan import Verb
from caldav_run.ical.describe import describe
from caldav_run.ical.sketch import sketch
from caldav_run.model import Version

# So many items' old bytes are in memory at a time.
_AT_ONCE: Final = 200
_UNKNOWN: Final = ("it changes while it is looked at",)


class Change(NamedTuple):
    """What would become of one item: what is written over what, and where its bytes lie."""

    wanted: Version | None
    over: Version | None
    where: Place | None


Worded = Callable[[Destination, Means, Iterable[Change]], Iterator[tuple[Change, Sequence[str]]]]
"""Says of each change in what it consists, a phrase each."""


def show(
    places: Sequence[Destination], condemned: Sequence[Destination], means: Means, worded: Worded
) -> None:
    """Tell and count what would be done, in the order of doing it.

    Args:
        places: The calendars that something goes to.
        condemned: The calendars that are deleted.
        means: What it would be done with.
        worded: How much to say of each item.

    Raises:
        ConnectorError: The destination cannot be read any more.
    """

    def tell(place: Destination, changes: Iterable[Change]) -> None:
        for change, words in worded(place, means, changes):
            count(means.tally, place, change.wanted, change.over, words)

    for place in places:
        if not place.target.exists:
            means.tally.count("calendars", "+", place.title, "calendar (new)")
        tell(place, map(_change, means.agenda.writes(place.number)))
    for place in places:
        tell(place, (Change(None, each, None) for each in place.doomed))
    for place in condemned:
        removed(place, means)
    for place in places:
        tell(place, map(_change, place.deferred))
    _show_people(places, condemned, means)


def removed(place: Destination, means: Means) -> None:
    """Tell and count a calendar that is deleted."""
    number = len(place.doomed)
    words = "1 item" if number == 1 else f"{number:,} items"
    means.tally.count("calendars", Verb.DELETE, place.title, f"calendar with {words}")


def plain(
    place: Destination, means: Means, changes: Iterable[Change]
) -> Iterator[tuple[Change, Sequence[str]]]:
    """Say nothing more of any item."""
    del place, means
    return ((each, ()) for each in changes)


def in_words(
    place: Destination, means: Means, changes: Iterable[Change]
) -> Iterator[tuple[Change, Sequence[str]]]:
    """Say what changes in an item; of a new one and of one that goes, what it is."""
    rest = iter(changes)
    while batch := list(islice(rest, _AT_ONCE)):
        old = _bodies(place, means, [each.over for each in batch if each.over is not None])
        for change in batch:
            yield change, _words(means, change, old)


def _words(means: Means, change: Change, old: dict[str, bytes]) -> Sequence[str]:
    before = None if change.over is None else old.get(change.over.href)
    if change.over is not None and before is None:
        return _UNKNOWN
    after = None
    if change.where is not None:
        after = means.feeds[change.where.feed].body(change.where.slot)
    if before is None or after is None:
        return sketch(after or before or b"")
    return describe(before, after)


def _bodies(place: Destination, means: Means, there: Sequence[Version]) -> dict[str, bytes]:
    """Return what the destination holds under these names."""
    if not there:
        return {}
    found = means.mirror.reread(place.target, [each.href for each in there])
    return {each.href: each.body for each in found if each.body is not None}


def _change(write: Write) -> Change:
    return Change(write.wanted, write.replaces, write.place)


def _show_people(
    places: Sequence[Destination], condemned: Sequence[Destination], means: Means
) -> None:
    mailed = set(_mailed(places, condemned, means))
    if mailed:
        people = "person" if len(mailed) == 1 else "people"
        means.tally.remarks.append(f"up to {len(mailed):,} {people} may be mailed")


def _mailed(
    places: Sequence[Destination], condemned: Sequence[Destination], means: Means
) -> Iterator[str]:
    for place in places:
        for each in chain(means.agenda.writes(place.number), place.deferred):
            yield from means.mirror.mailed(each.wanted, each.replaces)
    for place in chain(places, condemned):
        for doomed in place.doomed:
            yield from means.mirror.mailed(None, doomed)
