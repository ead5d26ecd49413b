"""Calendars into a CalDAV account."""

import logging
import re
from collections.abc import Collection as Names
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self

from caldav_run.connectors.baseline import Nothing
from caldav_run.connectors.caldav_settings import settings_from
from caldav_run.connectors.mirroring import Held, MirrorOptions, Order, Outcome, Target
from caldav_run.connectors.mirroring_options import mirror_options
from caldav_run.connectors.protocol import Context
from caldav_run.dav import creating, discovery, failures, hrefs, reading, rereading, writing
from caldav_run.dav.collections import Collection
from caldav_run.dav.discovery import Account
from caldav_run.dav.settings import Settings
from caldav_run.errors import CalendarError, ItemError, MovedError
from caldav_run.ical.version import version
from caldav_run.model import Calendar, Changed, Failed, Options, Version

_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")
_MIGHT_MAIL: Final = (
    "its organizer or attendees might be mailed; the sink's `scheduling: allow` writes it"
)
_log: Final = logging.getLogger(__name__)


@dataclass(slots=True)
class Place:
    """A destination calendar, and the names that are in use there."""

    collection: Collection
    taken: set[str] = field(default_factory=set)


class CaldavSink:
    """Writes into an account; see `schemas/sinks/caldav.schema.json` for the options."""

    def __init__(
        self,
        settings: Settings,
        options: MirrorOptions,
        names: Mapping[str, str],
        *,
        refuse_scheduled: bool,
    ) -> None:
        """Take the options, without contacting anybody.

        Args:
            settings: The connection's options.
            options: How to write.
            names: Display names at the destination, by the source's display name or id.
            refuse_scheduled: Whether items with people in them must not be written.
        """
        self.options = options
        self._refuse_scheduled = refuse_scheduled
        self._settings = settings
        self._names = names
        self._found: Account | None = None
        self._places: dict[str, Place] | None = None
        # Which source's calendar goes to which, by what is told of it, not by `rename`.
        self._given: dict[str, tuple[str, str]] = {}

    @classmethod
    def from_options(cls, options: Options, context: Context) -> Self:
        """Make a sink from checked options.

        Raises:
            SetupError: The connection's options cannot work together.
        """
        rename = options.get("rename")
        pairs = rename.items() if isinstance(rename, Mapping) else ()
        return cls(
            settings_from(options, context),
            mirror_options(options),
            {str(old): str(new) for old, new in pairs},
            refuse_scheduled=options.get("scheduling", "quiet") != "allow",
        )

    def origin(self) -> str:
        """Return the principal's URL and the user."""
        return self._account().origin

    def target(self, source: str, calendar: Calendar, siblings: Iterable[Calendar] = ()) -> Target:
        """Return the calendar that `rename` says, else the one with this id or display name.

        Calendars of one source that have one name stay apart, as they are there.
        """
        new = self._new_name(calendar)
        planned = _planned(calendar, new)
        if new is not None:
            found = self._named(new) or self._all().get(planned.id)
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
        return Target(there, exists=True, mapped=new is not None)

    def create(self, target: Target) -> None:
        """Create the calendar; properties that the server does not keep are logged by name."""
        account = self._account()
        wanted = target.calendar
        try:
            made, left = creating.create(account.connection, account.homes[0], wanted)
        except (failures.StatusError, failures.MalformedAnswerError) as error:
            raise CalendarError(f'"{wanted.title}" was not created: {error.message}') from error
        for name in left:
            _log.warning("%s: the server did not keep the calendar's %s", wanted.title, name)
        self._all()[wanted.id] = Place(made)

    def present(self, target: Target) -> Sequence[Version]:
        """Read the calendar in full."""
        place = self._all()[target.calendar.id]
        versions: list[Version] = []
        account = self._account()
        for each in reading.read(account.connection, place.collection, Nothing(), account.profile):
            if isinstance(each, Failed):
                where = (
                    f"{target.calendar.title}/{each.href}" if each.href else target.calendar.title
                )
                raise CalendarError(f"cannot read what {where} holds: {each.reason}")
            if isinstance(each, Changed):
                item = each.item
                versions.append(version(item.body, item.href, item.etag))
        place.taken = {hrefs.key(each.href) for each in versions}
        return versions

    def objection(
        self, target: Target, wanted: Version | None, replaces: Version | None, size: int
    ) -> str | None:
        """Refuse what might mail people."""
        del target, size
        named = wanted or replaces
        if self._refuse_scheduled and named is not None and named.scheduled:
            return _MIGHT_MAIL
        return None

    def apply(self, target: Target, orders: Iterable[Order]) -> Iterator[Outcome]:
        """Do one order after the other."""
        for order in orders:
            yield self._outcome(target, order)

    def reread(self, target: Target, hrefs: Names[str]) -> Iterator[Held]:
        """Ask for the items by name."""
        place, account = self._all()[target.calendar.id], self._account()
        found = rereading.reread(account.connection, place.collection, hrefs, account.profile)
        for each in found:
            if isinstance(each, Changed):
                item = each.item
                seen = version(item.body, item.href, item.etag)
                yield Held(item.href, seen, item.body)
            elif isinstance(each, Failed):
                yield Held(each.href or "", None, None, ItemError(each.reason))
            else:
                yield Held(each.href, None, None)

    def calendars(self) -> Sequence[Calendar]:
        """Return the calendars of the account."""
        return [each.collection.calendar for each in self._all().values()]

    def remove(self, calendar: Calendar) -> None:
        """Delete the collection."""
        place = self._all()[calendar.id]
        try:
            writing.delete(self._account().connection, place.collection.url, None)
        except ItemError as error:
            raise CalendarError(f'"{calendar.title}": {error.message}') from error
        del self._all()[calendar.id]

    def finish(self, target: Target) -> None:
        """Do nothing: a server keeps nothing beside the items."""

    def close(self) -> None:
        """Let go of the connection."""
        if self._found is not None:
            self._found.connection.close()
            self._found = self._places = None

    def _outcome(self, target: Target, order: Order) -> Outcome:
        place = self._all()[target.calendar.id]
        try:
            if order.wanted is not None:
                href, etag = self._put(place, order.wanted, order.body(), order.replaces)
                return Outcome(order, href, etag)
            if order.replaces is not None:
                url = hrefs.resolve(place.collection.url, order.replaces.href)
                writing.delete(self._account().connection, url, order.replaces.etag)
                place.taken.discard(hrefs.key(order.replaces.href))
        except ItemError as error:
            return Outcome(order, error=error, moved=isinstance(error, MovedError))
        return Outcome(order)

    def _put(
        self, place: Place, wanted: Version, body: bytes, replaces: Version | None
    ) -> tuple[str, str | None]:
        """Put one item: a new one under a free name, or over the version that was seen."""
        connection = self._account().connection
        if replaces is not None:
            href, condition = replaces.href, replaces.etag or "*"
        else:
            href, condition = writing.new_href(wanted.href, wanted.uid, place.taken), None
        etag = writing.put(connection, place.collection, href, body, condition)
        place.taken.add(hrefs.key(href))
        return href, etag

    def _account(self) -> Account:
        if self._found is None:
            self._found = discovery.find(self._settings)
        return self._found

    def _all(self) -> dict[str, Place]:
        """Return the account's calendars, by id."""
        if self._places is None:
            listed = self._account().collections()
            found = (each for each in listed if isinstance(each, Collection))
            self._places = {each.calendar.id: Place(each) for each in found}
        return self._places

    def _new_name(self, calendar: Calendar) -> str | None:
        return self._names.get(calendar.display_name or "") or self._names.get(calendar.id)

    def _by_id(self, calendar: Calendar) -> Place | None:
        """Return the calendar with this id, or that an earlier run made for it."""
        places = self._all()
        return places.get(calendar.id) or places.get(_planned(calendar, None).id)

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
        free = (each for each in self._all().values() if each.collection.calendar.id not in taken)
        found = [each for each in free if name and each.collection.calendar.display_name == name]
        if len(found) > 1:
            ids = ", ".join(sorted(each.collection.calendar.id for each in found))
            raise CalendarError(
                f'several calendars are called "{name}": {ids}', mend="rename all but one there"
            )
        return found[0] if found else None


def _planned(calendar: Calendar, name: str | None) -> Calendar:
    """Return the calendar as it would be created, under an id that every server takes.

    The id follows from the source alone, so that the next run finds the calendar again even
    where the server keeps no display name.
    """
    title = name or calendar.title
    key = calendar.id
    if name is not None or not _PLAIN_ID.fullmatch(key):
        key = f"{writing.slug(title) or 'calendar'}-{writing.digest(name or key)}"
    display_name = name or calendar.display_name
    return replace(calendar, id=key, display_name=display_name, read_only=False, token=None)
