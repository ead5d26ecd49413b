"""Calendars read through several connections: what is known is skipped, the rest fetched."""

import re
from collections.abc import Collection as Container
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from caldav_run.dav import hrefs, marks
from caldav_run.dav.collections import Collection
from caldav_run.dav.connection import Connection
from caldav_run.dav.failures import TROUBLE
from caldav_run.dav.fetching import Fetcher
from caldav_run.dav.lanes import Lanes
from caldav_run.dav.members import Member, Members, named
from caldav_run.dav.pace import Pace
from caldav_run.dav.profiles import UNKNOWN, Profile
from caldav_run.dav.syncing import Changes
from caldav_run.dav.tracks import Known, Track, Tracks, Way, listed
from caldav_run.model import (
    CalendarDone,
    CalendarSynced,
    Failed,
    Gone,
    Reading,
    Unchanged,
)

_NOT_GIVEN: Final = "the server lists it, and says that it is not there"
_FEW: Final = 50
"""So many items are fetched though their etags say that it is for nothing."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]+")


class _Held:
    """The names that are held of a calendar, however a server spells them today."""

    def __init__(self, known: Known, calendar: str) -> None:
        """Look at nothing yet."""
        self._known = known
        self._calendar = calendar
        self._names: Container[str] | None = None
        self._odd: dict[str, str] = {}

    def spelled(self, href: str) -> str:
        """Return the name that is held of a member."""
        if self._known.etag(self._calendar, href) is not None:
            return href
        if self._names is None:
            self._names = self._known.hrefs(self._calendar)
            odd = (each for each in self._names if not _PLAIN.fullmatch(each))
            self._odd = {hrefs.key(each): each for each in odd}
        if href in self._names:
            return href
        key = hrefs.key(href)
        plain = key.removeprefix("/")
        return plain if plain in self._names else self._odd.get(key, href)


class AccountReader:
    """Reads the calendars of one account in order, and asks ahead for the later ones.

    Args:
        connection: The account's connection, signed in; nobody else may use it until the end.
        collections: The calendars, in the order in which `members` will be asked for.
        known: What need not be read again; only asked in the thread that reads.
        now: The time in UTC.
        profile: How to treat the server.
    """

    def __init__(
        self,
        connection: Connection,
        collections: Sequence[Collection],
        known: Known,
        now: datetime,
        profile: Profile = UNKNOWN,
    ) -> None:
        """Ask for nothing yet."""
        self._known = known
        self._now = now.timestamp()
        self._lanes = Lanes(connection, Pace(profile.concurrency, profile.multiget_limit))
        self._tracks = Tracks(collections, known, now, profile, self._lanes)

    def members(self, collection: Collection) -> Iterator[Reading]:
        """Yield what became of every member of a calendar, or of every changed one.

        Ends with `CalendarDone` or `CalendarSynced`, else with a `Failed` for the rest.

        Raises:
            UnreachableError: The server is gone.
            AccessError: The credentials are no longer accepted.
        """
        track = self._tracks.turn_to(collection)
        try:
            if track.way is Way.SKIP:
                yield from self._skip(track)
            elif track.way is Way.SYNC:
                yield from self._sync(track)
            else:
                yield from self._list(track)
        except TROUBLE as error:
            yield Failed(collection.calendar.id, None, str(error))
        finally:
            self._tracks.drop(track)

    def close(self) -> None:
        """Drop what is under way; the connection is the caller's again."""
        self._lanes.close()

    def _skip(self, track: Track) -> Iterator[Reading]:
        calendar = track.collection.calendar.id
        doubtful = self._known.doubtful(calendar)
        yield from self._fetch(track, map(partial(named, track.collection.url), doubtful))
        mark = self._known.mark(calendar)
        yield from self._gone(track)
        if mark is not None:
            yield CalendarSynced(calendar, mark)

    def _sync(self, track: Track) -> Iterator[Reading]:
        calendar = track.collection.calendar.id
        mark, found = self._known.mark(calendar), self._tracks.answer(track)
        changes = self._news(track, found) if isinstance(found, Changes) else None
        if mark is None or not isinstance(found, Changes) or changes is None:
            track.task, track.way = None, Way.LIST
            yield from self._list(track)
            return
        wanted, gone = changes
        for href in sorted(gone):
            yield Gone(calendar, href)
        for href in self._known.doubtful(calendar):
            if href not in gone:
                wanted.setdefault(href, named(track.collection.url, href))
        yield from self._fetch(track, wanted.values())
        yield from self._gone(track)
        done = marks.mark(track.collection, found.token, mark.audited, self._now)
        yield CalendarSynced(calendar, done)

    def _news(self, track: Track, found: Changes) -> tuple[dict[str, Member], set[str]] | None:
        """Return what is to be fetched and what is gone; None when that cannot be all.

        The calendar says that something has changed. An answer that names nothing, or names as
        changed what has not, is that of a server which does not know the token and does not say so.
        """
        if not found:
            return None
        calendar = track.collection.calendar.id
        held = _Held(self._known, calendar)
        wanted: dict[str, Member] = {}
        same: set[str] = set()
        for href, each in found.changed.items():
            name = held.spelled(href)
            if each.etag is not None and self._known.etag(calendar, name) == each.etag:
                same.add(name)
            wanted[name] = each._replace(href=name)
        if same:
            # On one server an item that was deleted and made anew has the etag that it had.
            track.named = frozenset(same if len(same) <= _FEW else ())
            return None
        return wanted, {held.spelled(href) for href in found.gone}

    def _list(self, track: Track) -> Iterator[Reading]:
        calendar = track.collection.calendar.id
        found = self._tracks.answer(track)
        if track.way is Way.FETCH:
            if track.fetcher is None:
                self._tracks.fetch_all(track)
        elif isinstance(found, Members):
            yield from self._compare(track, found)
        if track.fetcher is not None:
            yield from track.fetcher.fetch(self._tracks.go_on)
            for member in self._still_listed(track):
                yield Failed(calendar, member.href, _NOT_GIVEN)
        collection = track.collection
        done = marks.mark(collection, collection.sync_token, self._now, self._now)
        yield CalendarDone(calendar, done)

    def _compare(self, track: Track, found: Members) -> Iterator[Unchanged]:
        """Yield the members that are known as they are, and have the others fetched."""
        calendar = track.collection.calendar.id
        wanted = Members(track.collection.url)
        held = _Held(self._known, calendar)
        for member in found.drain():
            name, etag = member.href, self._known.etag(calendar, member.href)
            if etag is None:
                name = held.spelled(name)
                etag = self._known.etag(calendar, name)
            if etag is not None and etag == member.etag and name not in track.named:
                yield Unchanged(calendar, name)
            else:
                wanted.add(member._replace(href=name))
        track.fetcher = Fetcher(track.collection, wanted, self._lanes)

    def _fetch(self, track: Track, wanted: Iterable[Member]) -> Iterator[Reading]:
        queue = Members(track.collection.url)
        for member in wanted:
            queue.add(member)
        track.fetcher = Fetcher(track.collection, queue, self._lanes)
        yield from track.fetcher.fetch(self._tracks.go_on)

    def _gone(self, track: Track) -> Iterator[Reading]:
        """Yield what became of those that the server does not give though nothing said so."""
        calendar = track.collection.calendar.id
        vanished = track.fetcher.vanished if track.fetcher else []
        there = {member.href for member in self._still_listed(track)}
        for member in vanished:
            if member.href in there:
                yield Failed(calendar, member.href, _NOT_GIVEN)
            else:
                yield Gone(calendar, member.href)

    def _still_listed(self, track: Track) -> list[Member]:
        """Return those that were not deleted meanwhile: a server may not find what it lists."""
        vanished = track.fetcher.vanished if track.fetcher else []
        if not vanished:
            return []
        found = self._lanes.wait(
            self._lanes.submit(partial(listed, url=track.collection.url)), self._tracks.go_on
        )
        if isinstance(found, Exception):
            raise found
        there = {hrefs.key(each.href) for each in found.drain()}
        return [each for each in vanished if hrefs.key(each.href) in there]


def read(
    connection: Connection, collection: Collection, known: Known, profile: Profile = UNKNOWN
) -> Iterator[Reading]:
    """Yield what became of every member of a single calendar; see `AccountReader.members`."""
    reader = AccountReader(connection, [collection], known, datetime.now(UTC), profile)
    try:
        yield from reader.members(collection)
    finally:
        reader.close()
