"""What differs between two snapshots."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from caldav_run.repository.contents import Contents
from caldav_run.repository.snapshots import CalendarInfo, ItemInfo


class Kind(StrEnum):
    """How something differs."""

    ADDED = "+"
    CHANGED = "~"
    REMOVED = "-"


@dataclass(frozen=True, slots=True)
class CalendarDifference:
    """A calendar that is new, gone, or has other properties; its sync token does not count."""

    kind: Kind
    old: CalendarInfo | None
    new: CalendarInfo | None


@dataclass(frozen=True, slots=True)
class ItemDifference:
    """An item that is new, gone, or has other bytes; its etag does not count."""

    kind: Kind
    old: ItemInfo | None
    new: ItemInfo | None
    calendar: CalendarInfo


Difference = CalendarDifference | ItemDifference


def differences(old: Contents, new: Contents) -> Iterator[Difference]:
    """Yield what differs, calendar by calendar and by href."""
    before = {each.calendar.id: each for each in old.calendars()}
    after = {each.calendar.id: each for each in new.calendars()}
    for calendar in sorted(before.keys() | after.keys()):
        one, other = before.get(calendar), after.get(calendar)
        if one is None or other is None or _shown(one) != _shown(other):
            yield CalendarDifference(_kind(one, other), one, other)
        yield from _items(old, new, other or before[calendar])


def _items(old: Contents, new: Contents, info: CalendarInfo) -> Iterator[ItemDifference]:
    calendar = info.calendar.id
    before, after = old.hashes(calendar), new.hashes(calendar)
    one_sided = before.keys() ^ after.keys()
    # An item of which nothing is known on one side is not known to differ.
    changed = {
        href
        for href in before.keys() & after.keys()
        if before[href] != after[href] and before[href] and after[href]
    }
    for href in sorted(one_sided | changed):
        one, other = old.item(calendar, href), new.item(calendar, href)
        yield ItemDifference(_kind(one, other), one, other, info)


def _kind(old: object | None, new: object | None) -> Kind:
    if old is None:
        return Kind.ADDED
    return Kind.REMOVED if new is None else Kind.CHANGED


def _shown(info: CalendarInfo) -> tuple[object, bool]:
    return replace(info.calendar, token=None), info.excluded
