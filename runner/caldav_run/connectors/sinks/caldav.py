"""Calendars into a CalDAV account."""

import contextlib
from collections.abc import Collection as Names
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Self

from caldav_run.connectors import caldav_fit
from caldav_run.connectors.baseline import Nothing
from caldav_run.connectors.caldav_files import Files
from caldav_run.connectors.caldav_orders import Desk
from caldav_run.connectors.caldav_people import People
from caldav_run.connectors.caldav_places import Place, Places
from caldav_run.connectors.caldav_settings import settings_from
from caldav_run.connectors.mirroring import Held, MirrorOptions, Order, Outcome, Target
from caldav_run.connectors.mirroring_options import mirror_options
from caldav_run.connectors.protocol import Context
from caldav_run.dav import (
    availability,
    creating,
    deleting,
    discovery,
    failures,
    hrefs,
    reading,
    rereading,
    scheduling,
    trash,
)
from caldav_run.dav.discovery import Account
from caldav_run.dav.effort import Effort
from caldav_run.dav.lanes import Lanes
from caldav_run.dav.limits import Uids
from caldav_run.dav.scheduling import Policy, Refusal
from caldav_run.dav.settings import Settings
from caldav_run.dav.shelf import Shelf
from caldav_run.dav.writer import Writer
from caldav_run.errors import CalendarError, ItemError
from caldav_run.ical.scan import scan
from caldav_run.ical.version import version
from caldav_run.model import Calendar, Changed, Failed, Item, Options, Version


class CaldavSink:
    """Writes into an account; see `schemas/sinks/caldav.schema.json` for the options."""

    def __init__(
        self, settings: Settings, options: MirrorOptions, names: Mapping[str, str], policy: Policy
    ) -> None:
        """Take the options, without contacting anybody.

        Args:
            settings: The connection's options.
            options: How to write.
            names: Display names at the destination, by the source's display name or id.
            policy: What to do with items that have people in them.
        """
        self.options = options
        self._people = People(policy, self._account)
        self._settings = settings
        self._names = names
        self._found: Account | None = None
        self._known: Places | None = None
        self._lanes: Lanes | None = None
        self._open = contextlib.ExitStack()
        self._shelves: dict[str, Shelf] = {}
        self._effort = Effort()
        self._bin: trash.Bin | None = None
        # Which wanted item brings which UID into a calendar, by its id.
        self._promised: dict[str, dict[str, str]] = {}

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
            Policy(str(options.get("scheduling", Policy.QUIET))),
        )

    def origin(self) -> str:
        """Return the principal's URL and the user."""
        return self._account().origin

    def target(self, source: str, calendar: Calendar, siblings: Iterable[Calendar] = ()) -> Target:
        """Return the calendar that `rename` says, else the one with this id or display name."""
        return self._places().target(source, calendar, siblings)

    def create(self, target: Target) -> Sequence[str]:
        """Create the calendar; set one by one what the server does not take at once."""
        account = self._account()
        wanted = target.calendar
        try:
            made, left = creating.create(account.connection, account.homes[0], wanted)
        except failures.TROUBLE as error:
            raise CalendarError(f'"{wanted.title}" was not created: {error.message}') from error
        self._places().made(target, made)
        return [name.replace("_", " ") for name in left]

    def present(self, target: Target) -> Sequence[Version]:
        """Read the calendar in full."""
        return self._versions(self._places().at(target))

    def objection(
        self, target: Target, wanted: Version | None, replaces: Version | None, size: int
    ) -> str | None:
        """Say what the server would refuse, and what it might mail people for."""
        way = self._people.way(wanted, replaces)
        if isinstance(way, Refusal):
            return way.reason
        if wanted is None:
            return None
        profile, place = self._account().profile, self._places().find(target.calendar.id)
        collection = place.collection if place else None
        slot = caldav_fit.Slot(profile, target.calendar, collection)
        return slot.unfit(wanted, size) or (
            self._doubled(target, wanted) if replaces is None else None
        )

    def mailed(self, wanted: Version | None, replaces: Version | None) -> Names[str]:
        """Return whom the server may mail."""
        return self._people.told(wanted, replaces)

    def meant(self, order: Order) -> bytes:
        """Return the item, without its people where they are to be left out."""
        return self._people.meant(order)

    def apply(self, target: Target, orders: Iterable[Order]) -> Iterator[Outcome]:
        """Do the orders through as many connections as help."""
        account, place = self._account(), self._places().at(target)
        yield from self._perform(place, orders)
        url = place.collection.url
        if account.profile.limits.trash and trash.is_deleted(account.connection, url):
            raise CalendarError(
                f'"{target.calendar.title}" was deleted meanwhile: what was written lies in the'
                " server's trash bin"
            )

    def reread(self, target: Target, hrefs: Names[str]) -> Iterator[Held]:
        """Ask for the items by name."""
        place, account = self._places().at(target), self._account()
        found = rereading.reread(account.connection, place.collection, hrefs, account.profile)
        try:
            for each in found:
                if isinstance(each, Changed):
                    item = each.item
                    yield Held(item.href, version(item.body, item.href, item.etag), item.body)
                elif isinstance(each, Failed):
                    yield Held(each.href or "", None, None, ItemError(each.reason))
                else:
                    yield Held(each.href, None, None)
        except failures.TROUBLE as error:
            title = target.calendar.title
            raise CalendarError(f'"{title}" cannot be looked at again: {error}') from error

    def calendars(self) -> Sequence[Calendar]:
        """Return the calendars of the account."""
        return [each.collection.calendar for each in self._places()]

    def owns(self, calendar: Calendar) -> bool:
        """Return False for a calendar that somebody shares, or that follows another one."""
        return self._places().owns(calendar)

    def remove(self, calendar: Calendar) -> None:
        """Delete the items that have people in them, one by one, then the collection."""
        place = self._places().at(Target(calendar, exists=True))
        try:
            self._clear_of_people(place)
            deleting.delete_collection(
                self._account().connection, place.collection.url, scheduling.SILENT
            )
        except (*failures.TROUBLE, ItemError) as error:
            raise CalendarError(f'"{calendar.title}" was not deleted: {error.message}') from error
        self._places().removed(calendar)

    def available(self) -> str | None:
        """Return what the scheduling inbox says, else the home."""
        return availability.told(self._account())

    def say_available(self, text: str, over: str) -> str:
        """Say it to the scheduling inbox, else to the home."""
        return availability.tell(self._account(), text, over)

    def finish(self, target: Target) -> None:
        """Do nothing: a server keeps nothing beside the items."""

    def close(self) -> None:
        """Delete what was moved aside, and let go of the connections."""
        self._open.close()
        if self._found is not None:
            for shelf in self._shelves.values():
                shelf.clear(self._found.connection)
            self._found.connection.close()
        self._shelves.clear()
        self._found = self._known = self._lanes = self._bin = None

    def _perform(self, place: Place, orders: Iterable[Order]) -> Iterator[Outcome]:
        account = self._account()
        if self._lanes is None:
            self._effort = Effort(account.profile.concurrency)
            first = self._open.enter_context(contextlib.closing(account.connection.sibling()))
            self._lanes = self._open.enter_context(Lanes(first, self._effort))
            if account.profile.limits.trash:
                self._bin = trash.Bin(account.connection, account.homes[0])
        desk = Desk(
            place=place,
            people=self._people,
            looks=not account.profile.limits.conditions,
            shelf=self._shelf(place),
            bin=self._bin,
            files=Files(account),
        )
        for order, done in Writer(self._lanes, self._effort).perform(map(desk.write, orders)):
            if self._bin is not None and order.wanted is None:
                # It lies in the bin now.
                self._bin.forget()
            yield desk.outcome(order, done)

    def _shelf(self, place: Place) -> Shelf:
        calendar = place.collection.calendar
        new = Shelf(self._account().homes[0], calendar.components)
        return self._shelves.setdefault(calendar.id, new)

    def _clear_of_people(self, place: Place) -> None:
        """Delete what a server might tell people of, if it went with its calendar.

        Raises:
            ItemError: One of the items cannot be deleted, or not without a mail.
        """
        named = [each for each in self._versions(place) if each.scheduled]
        for present in named:
            way = self._people.way(None, present)
            if isinstance(way, Refusal):
                raise ItemError(f"{present.label}: {way.reason}")
        for outcome in self._perform(place, (Order(None, each, bytes) for each in named)):
            if outcome.error is not None:
                raise ItemError(f"{outcome.order.label}: {outcome.error.message}")

    def _versions(self, place: Place) -> list[Version]:
        title = place.collection.calendar.title
        versions: list[Version] = []
        for each in self._read(place):
            if isinstance(each, Failed):
                where = f"{title}/{each.href}" if each.href else title
                raise CalendarError(f"cannot read what {where} holds: {each.reason}")
            versions.append(version(each.body, each.href, each.etag))
        place.taken = {hrefs.key(each.href) for each in versions}
        place.uids = {each.uid: each.href for each in versions}
        return versions

    def _read(self, place: Place) -> Iterator[Item | Failed]:
        account = self._account()
        for each in reading.read(account.connection, place.collection, Nothing(), account.profile):
            if isinstance(each, Changed):
                yield each.item
            elif isinstance(each, Failed):
                yield each

    def _doubled(self, target: Target, wanted: Version) -> str | None:
        """Return why a new item cannot be beside another one with its UID."""
        profile = self._account().profile
        if not wanted.uid or profile.limits.uids is Uids.FREE:
            return None
        place = self._places().find(target.calendar.id)
        promised = self._promised.setdefault(target.calendar.id, {})
        first = promised.setdefault(wanted.uid, wanted.href)
        here = ((place.uids if place else None) or {}).get(wanted.uid)
        if here is None and first != wanted.href:
            here = first
        elsewhere = None
        if profile.limits.uids is Uids.ACCOUNT:
            others = (each for each in self._places() if each is not place)
            elsewhere = next((each for each in others if wanted.uid in self._uids(each)), None)
        return caldav_fit.doubled(
            profile.title, here, elsewhere.collection.calendar.title if elsewhere else None
        )

    def _uids(self, place: Place) -> Mapping[str, str]:
        """Return the names of a calendar's items by UID, as far as they can be read."""
        if place.uids is None:
            items = (each for each in self._read(place) if isinstance(each, Item))
            place.uids = {scan(each.body).uid or "": each.href for each in items}
        return place.uids

    def _account(self) -> Account:
        if self._found is None:
            self._found = discovery.find(self._settings)
        return self._found

    def _places(self) -> Places:
        if self._known is None:
            self._known = Places(self._account(), self._names)
        return self._known
