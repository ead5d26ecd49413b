"""One calendar's members: listed, compared with what is known, and the rest fetched."""

from collections.abc import Callable, Iterator
from typing import Final

from caldav_run.dav import bodies, hrefs, names
from caldav_run.dav.collections import Collection, listing
from caldav_run.dav.connection import Connection
from caldav_run.dav.fetching import TROUBLE, Fetcher, Member
from caldav_run.dav.multistatus import Response
from caldav_run.model import CalendarDone, Failed, Reading, Unchanged

_LISTING: Final = (names.GETETAG, names.RESOURCETYPE, names.GETCONTENTTYPE)
_NOT_GIVEN: Final = "the server lists it, and says that it is not there"

Known = Callable[[str], str | None]
"""Gives the etag whose bytes need not be read again, by href; None for everything else."""


def read(connection: Connection, collection: Collection, known: Known) -> Iterator[Reading]:
    """Yield what became of every member of a calendar.

    Ends with `CalendarDone` when every member was named, else with a `Failed` for the rest.

    Args:
        connection: The account's connection.
        collection: The calendar.
        known: What need not be read again.

    Raises:
        UnreachableError: The server is gone.
        AccessError: The credentials are no longer accepted.
    """
    calendar = collection.calendar.id
    wanted: list[Member] = []
    try:
        for member in members(connection, collection.url):
            if member.etag is not None and known(member.href) == member.etag:
                yield Unchanged(calendar, member.href)
            else:
                wanted.append(member)
        fetcher = Fetcher(connection, collection)
        yield from fetcher.fetch(wanted)
        for member in _still_listed(connection, collection.url, fetcher.vanished):
            yield Failed(calendar, member.href, _NOT_GIVEN)
    except TROUBLE as error:
        yield Failed(calendar, None, str(error))
    else:
        yield CalendarDone(calendar)


def members(connection: Connection, url: str) -> Iterator[Member]:
    """Yield the calendar objects that a collection lists, each once.

    Raises:
        StatusError: The collection cannot be listed to its end.
        ConnectorError: See `collections.listing`.
    """
    seen: set[str] = set()
    for response in listing(connection, url, bodies.propfind(_LISTING)):
        href = hrefs.relative(response.href, response.base)
        if not _is_object(response, href):
            continue
        # A member outside of the collection keeps its path: it still has to be read.
        name = href or hrefs.path_of(response.href)
        key = hrefs.key(name)
        if key not in seen:
            seen.add(key)
            yield Member(response.href, name, response.text(names.GETETAG))


def _still_listed(connection: Connection, url: str, vanished: list[Member]) -> list[Member]:
    """Return those that were not deleted meanwhile: a server may not find what it lists."""
    if not vanished:
        return []
    listed = {hrefs.key(each.href) for each in members(connection, url)}
    return [each for each in vanished if hrefs.key(each.href) in listed]


def _is_object(response: Response, href: str | None) -> bool:
    if href == "":
        return False
    kinds = response.properties.get(names.RESOURCETYPE)
    if kinds is not None and kinds.find(names.COLLECTION) is not None:
        return False
    content_type = response.text(names.GETCONTENTTYPE)
    if content_type is None or "calendar" in content_type.lower():
        return True
    return response.href.lower().endswith(".ics")
