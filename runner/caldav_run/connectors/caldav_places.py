"""Which calendar of an account a source's calendar goes to."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from caldav_run.connectors.mirroring import Target
from caldav_run.dav import creating, naming
from caldav_run.dav.collections import Collection
from caldav_run.dav.discovery import Account, Kind
from caldav_run.errors import CalendarError
from caldav_run.model import Calendar

_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")
# What servers have beside calendars in a home, or make of such a name.
_SEEN: Final = ("display_name", "color", "order", "description")
_RESERVED: Final = frozenset({"inbox", "outbox", "trashbin", "attachments", "notifications"})


@dataclass(slots=True)
class Place:
    """A destination calendar, and what is known of its items.

    Attributes:
        collection: The calendar on the server.
        taken: The keys (`hrefs.key`) of the names in use.
        uids: The names of its items by UID; None before it was read.
    """

    collection: Collection
    taken: set[str] = field(default_factory=set)
    uids: dict[str, str] | None = None


class Places:
    """The calendars of an account.

    Args:
        account: The account.
        names: Display names at the destination, by the source's display name or id.
    """

    def __init__(self, account: Account, names: Mapping[str, str]) -> None:
        """List them."""
        found = (each for each in account.collections() if isinstance(each, Collection))
        self._all = {each.calendar.id: Place(each) for each in found}
        self._account = account
        self._names = names
        # Which source's calendar goes to which, by what is told of it, not by `rename`.
        self._given: dict[str, tuple[str, str]] = {}

    def target(self, source: str, calendar: Calendar, siblings: Iterable[Calendar] = ()) -> Target:
        """Return the calendar that `rename` says, else the one with this id or display name.

        Calendars of one source that have one name stay apart, as they are there.

        Raises:
            CalendarError: That calendar takes nothing, or nothing of this kind.
        """
        new = self._new_name(calendar)
        planned = _planned(calendar, new)
        if new is not None:
            found = self._named(new) or self._all.get(planned.id)
        else:
            found = self._by_id(calendar) or self._named(
                calendar.display_name, self._taken(source, calendar, siblings)
            )
            given = planned if found is None else found.collection.calendar
            self._given[given.id] = source, calendar.id
        if found is None:
            return Target(planned, exists=False, mapped=new is not None)
        there = found.collection.calendar
        if there.read_only:
            raise CalendarError(
                f'the calendar "{there.title}" at {found.collection.url} is read-only'
            )
        if calendar.components and there.components:
            common = set(calendar.components) & set(there.components)
            if not common:
                raise CalendarError(
                    f'the calendar "{there.title}" takes {", ".join(there.components)} only',
                    mend=f'send "{calendar.title}" to another calendar with rename',
                )
        otherwise = _otherwise(replace(calendar, display_name=new or calendar.display_name), there)
        return Target(there, exists=True, mapped=new is not None, otherwise=otherwise)

    def at(self, target: Target) -> Place:
        """Return the place of a target that exists, or was made by now."""
        return self._all[target.calendar.id]

    def find(self, calendar: str) -> Place | None:
        """Return the place with this id; None where there is none."""
        return self._all.get(calendar)

    def made(self, target: Target, collection: Collection) -> None:
        """Remember a new calendar, which the server may have under another id."""
        place = Place(collection, uids={})
        self._all[target.calendar.id] = self._all[collection.calendar.id] = place

    def owns(self, calendar: Calendar) -> bool:
        """Return whether a calendar that is there is the user's own, as far as the server tells."""
        return self._account.kind(self._all[calendar.id].collection) is Kind.OWN

    def removed(self, calendar: Calendar) -> None:
        """Forget a calendar that was deleted."""
        gone = self._all[calendar.id]
        self._all = {key: place for key, place in self._all.items() if place is not gone}

    def __iter__(self) -> Iterator[Place]:
        """Yield each place once."""
        return iter({id(place): place for place in self._all.values()}.values())

    def _new_name(self, calendar: Calendar) -> str | None:
        return self._names.get(calendar.display_name or "") or self._names.get(calendar.id)

    def _by_id(self, calendar: Calendar) -> Place | None:
        """Return the calendar with this id, or that an earlier run made for it."""
        return self._all.get(calendar.id) or self._all.get(_planned(calendar, None).id)

    def _taken(
        self, source: str, calendar: Calendar, siblings: Iterable[Calendar]
    ) -> frozenset[str]:
        """Return the ids of those that another calendar of the source goes to."""
        others = (each for each in siblings if each.id != calendar.id and not self._new_name(each))
        owned = (place.collection.calendar.id for each in others if (place := self._by_id(each)))
        given = (
            place
            for place, owner in self._given.items()
            if owner[0] == source and owner[1] != calendar.id
        )
        return frozenset((*owned, *given))

    def _named(self, name: str | None, taken: frozenset[str] = frozenset()) -> Place | None:
        """Return the only calendar of this display name, without those that are taken.

        Raises:
            CalendarError: There are several.
        """
        free = (each for each in self if each.collection.calendar.id not in taken)
        found = [each for each in free if name and each.collection.calendar.display_name == name]
        if len(found) > 1:
            ids = ", ".join(sorted(each.collection.calendar.id for each in found))
            raise CalendarError(
                f'several calendars are called "{name}": {ids}', mend="rename all but one there"
            )
        return found[0] if found else None


def _otherwise(wanted: Calendar, there: Calendar) -> tuple[str, ...]:
    """Return what a person sees of a calendar that is other than it is wanted.

    What is not there at all may be what the server does not keep.
    """
    found = creating.differing(wanted, there)
    seen = (each for each in _SEEN if each in found and getattr(there, each) is not None)
    return tuple(each.replace("_", " ") for each in seen)


def _planned(calendar: Calendar, name: str | None) -> Calendar:
    """Return the calendar as it would be created, under an id that every server takes.

    The id follows from the source alone, so that the next run finds the calendar again even
    where the server keeps no display name.
    """
    title = name or calendar.title
    key = calendar.id
    if name is not None or not _PLAIN_ID.fullmatch(key) or key.lower() in _RESERVED:
        key = f"{naming.slug(title) or 'calendar'}-{naming.digest(name or key)}"
    display_name = name or calendar.display_name
    return replace(calendar, id=key, display_name=display_name, read_only=False, token=None)
