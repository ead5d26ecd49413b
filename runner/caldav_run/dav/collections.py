"""Calendar collections: listed with the properties that a restore gives back."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from caldav_run.dav import bodies, failures, hrefs, names, sharing, signpost
from caldav_run.dav.connection import Connection
from caldav_run.dav.multistatus import Response
from caldav_run.model import Calendar, Failed

_WANTED: Final = (
    names.RESOURCETYPE,
    names.DISPLAYNAME,
    names.COMPONENT_SET,
    names.DESCRIPTION,
    names.TIMEZONE,
    names.COLOR,
    names.ORDER,
    names.PRIVILEGES,
    names.SYNC_TOKEN,
    names.GETCTAG,
    names.OWNER,
    names.SOURCE,
    names.MAX_RESOURCE_SIZE,
)
# Any of these lets a client add members (RFC 3744 section 3).
_WRITING: Final = frozenset(f"{{{names.DAV}}}{name}" for name in ("all", "write", "bind"))
_OF_HOME: Final = (*_WANTED, *signpost.ASKED, *sharing.ASKED, names.AVAILABILITY)
_NUMBER: Final = re.compile("-?[0-9]{1,18}")
_SIZE: Final = re.compile("[0-9]{1,18}")
_SCHEDULING: Final = frozenset({names.SCHEDULE_INBOX, names.SCHEDULE_OUTBOX})
_BOXES: Final = frozenset({"inbox", "outbox", ".in", ".out"})

Notice = Callable[[Response], None]

_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


@dataclass(frozen=True, slots=True)
class Collection:
    """A calendar on the server.

    Attributes:
        calendar: Its properties, and its id relative to its home.
        url: Where it is, with a final slash.
        sync_token: DAV:sync-token (RFC 6578 section 4), where it has one.
        ctag: CalendarServer's getctag, where it has one.
        owner: The principal's URL of whose it is (RFC 3744 section 5.1), where the server tells.
        subscribed: Whether it follows a calendar that lies elsewhere.
        source: Where that is, for a subscription which the server only notes down.
        unnamed: The status by which the server refuses to tell its display name; 0 for none.
        largest: How many bytes an item may have (RFC 4791 section 5.2.5), where it says so.
    """

    calendar: Calendar
    url: str
    sync_token: str | None = None
    ctag: str | None = None
    owner: str | None = None
    subscribed: bool = False
    source: str | None = field(default=None, repr=False)
    unnamed: int = 0
    largest: int | None = None

    @property
    def seen(self) -> str | None:
        """What the server says of its state as a whole; None when it says nothing."""
        if self.sync_token is None and self.ctag is None:
            return None
        return f"{self.sync_token or ''} {self.ctag or ''}"


def properties() -> bytes:
    """Return the PROPFIND body that asks for all that a `Calendar` holds."""
    return bodies.propfind(_WANTED)


def listed(
    connection: Connection, home: str, root: str | None, notice: Notice | None = None
) -> Iterator[Collection | Failed]:
    """Yield the calendars that lie in a home, and what the server will not describe.

    Args:
        connection: The account's connection.
        home: The home's URL, with a final slash.
        root: What ids are relative to; None for paths, as in a second home, so that two
            calendars of one name stay apart.
        notice: Is told what is said of the home and of all in it, for `signpost.Signpost`.

    Raises:
        StatusError: The home cannot be listed.
        ConnectorError: See `listing`.
    """
    yield from _each(connection, home, root, is_calendar, notice)


def shown(connection: Connection, home: str, root: str | None) -> Iterator[Collection | Failed]:
    """Yield what `listed` does, and subscriptions whose items the server does not hold."""
    yield from _each(connection, home, root, lambda each: is_calendar(each) or _subscribed(each))


def _each(
    connection: Connection,
    home: str,
    root: str | None,
    wanted: Callable[[Response], bool],
    notice: Notice | None = None,
) -> Iterator[Collection | Failed]:
    seen: set[str] = set()
    for response in listing(connection, home, bodies.propfind(_OF_HOME)):
        if notice is not None:
            notice(response)
        key = hrefs.key(hrefs.path_of(response.href))
        # One server in the field lists what it holds twice.
        if key in seen:
            continue
        if wanted(response):
            seen.add(key)
            yield collection(response, root)
        elif status := _refused(response):
            # It may be a calendar, and must not be taken for a deleted one.
            seen.add(key)
            reason = f"the server does not describe it: {status}"
            yield Failed(collection(response, root).calendar.id, None, reason)


def _refused(response: Response) -> int:
    """Return the status by which a member is not described; 0 where its kind is known."""
    if response.status >= HTTPStatus.BAD_REQUEST:
        return 0 if response.status in _GONE else response.status
    itself = hrefs.relative(response.href, response.base) == ""
    if itself or names.RESOURCETYPE in response.properties:
        return 0
    return max(response.refused.values(), default=0)


def listing(connection: Connection, url: str, body: bytes) -> Iterator[Response]:
    """Yield what a PROPFIND says of a collection and its members, if it may be taken for all.

    Raises:
        StatusError: The collection cannot be listed, or not to its end: an answer that was cut
            short says so with a status for the collection itself (RFC 5323 section 5.3).
        MalformedAnswerError: Nothing is listed, not even the collection (RFC 4918 section 9.1).
        ConnectorError: See `Connection.multistatus`.
    """
    empty = True
    for response in connection.multistatus("PROPFIND", url, body):
        empty = False
        itself = hrefs.relative(response.href, response.base) == ""
        if itself and response.status >= HTTPStatus.BAD_REQUEST:
            raise failures.StatusError("PROPFIND", url, response.status)
        yield response
    if empty:
        raise failures.MalformedAnswerError(f"{url} lists nothing, not even itself")


def is_calendar(response: Response) -> bool:
    """Return whether this is a calendar that holds items of its own.

    A scheduling box is none, though some servers type it as one; and one types real calendars as
    an outbox too, so that only the name tells.
    """
    types = _children(response, names.RESOURCETYPE)
    if names.CALENDAR not in types:
        return False
    name = hrefs.key(hrefs.path_of(response.href)).rpartition("/")[2]
    return name.lower() not in _BOXES or not (types & _SCHEDULING or name.startswith("."))


def collection(response: Response, root: str | None) -> Collection:
    """Return the calendar that a response describes; its id is relative to `root`, if any."""
    path = hrefs.path_of(response.href).rstrip("/")
    below = None if root is None else hrefs.relative(path, root)
    order = (response.text(names.ORDER) or "").strip()
    sync_token, ctag = response.text(names.SYNC_TOKEN), response.text(names.GETCTAG)
    owner = _href(response, names.OWNER)
    largest = (response.text(names.MAX_RESOURCE_SIZE) or "").strip()
    calendar = Calendar(
        id=below or path,
        display_name=response.text(names.DISPLAYNAME),
        color=response.text(names.COLOR),
        order=int(order) if _NUMBER.fullmatch(order) else None,
        description=response.text(names.DESCRIPTION),
        timezone=response.text(names.TIMEZONE),
        components=_components(response),
        read_only=_read_only(response),
        token=sync_token or ctag,
        sharing=sharing.told(response, owner),
    )
    return Collection(
        calendar,
        response.url.rstrip("/") + "/",
        sync_token,
        ctag,
        owner=None if owner is None else hrefs.resolve(response.base, owner),
        subscribed=_subscribed(response),
        source=None if is_calendar(response) else _href(response, names.SOURCE),
        unnamed=0 if calendar.display_name else response.refused.get(names.DISPLAYNAME, 0),
        largest=int(largest) if _SIZE.fullmatch(largest) else None,
    )


def _subscribed(response: Response) -> bool:
    return names.SUBSCRIBED in _children(response, names.RESOURCETYPE)


def _href(response: Response, name: str) -> str | None:
    element = response.properties.get(name)
    href = None if element is None else element.findtext(names.HREF)
    return (href or "").strip() or None


def _components(response: Response) -> tuple[str, ...]:
    element = response.properties.get(names.COMPONENT_SET)
    if element is None:
        return ()
    listed_names = {comp.get("name", "").upper() for comp in element.iterfind(names.COMP)}
    return tuple(sorted(listed_names - {""}))


def _read_only(response: Response) -> bool:
    element = response.properties.get(names.PRIVILEGES)
    if element is None:
        return False
    granted = {
        str(right.tag) for privilege in element.iterfind(names.PRIVILEGE) for right in privilege
    }
    # An empty set is how a server says that it does not tell.
    return bool(granted) and not granted & _WRITING


def _children(response: Response, name: str) -> frozenset[str]:
    element = response.properties.get(name)
    return frozenset() if element is None else frozenset(str(child.tag) for child in element)
