"""What has changed in a calendar since a sync token (RFC 6578)."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from caldav_run.dav import bodies, hrefs, names
from caldav_run.dav.connection import Connection
from caldav_run.dav.failures import TROUBLE
from caldav_run.dav.members import LISTING, Member, member_of
from caldav_run.dav.multistatus import Response

_PAGES: Final = 1000
_MOST: Final = 5000
"""With more changes than these a listing costs no more, and less memory."""
_TOGETHER: Final = 500
_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


@dataclass(slots=True)
class Changes:
    """What a server says has changed; the last that it says of a member counts.

    Attributes:
        token: Where to go on from next time.
        changed: The new and changed members, by href.
        gone: The spelled hrefs of those that are no longer there, by href.
    """

    token: str
    changed: dict[str, Member]
    gone: dict[str, str]

    def __bool__(self) -> bool:
        """Return whether anything is said to have changed."""
        return bool(self.changed or self.gone)


def changes(connection: Connection, url: str, token: str) -> Changes | None:
    """Return what has changed, or None where the server does not go on from the token.

    That may have any reason: a token that it no longer knows, a calendar that was reset, a report
    that it does not have or that breaks. All of it means the same: that its members have to be
    listed.

    Raises:
        UnreachableError: The server is gone.
        AccessError: The credentials are no longer accepted.
    """
    found = Changes(token, {}, {})
    try:
        for _ in range(_PAGES):
            more = _page(connection, url, found)
            if more is None:
                return None
            if not more:
                return _still_there(connection, url, found)
    except TROUBLE:
        return None
    return None


def _page(connection: Connection, url: str, found: Changes) -> bool | None:
    """Take one page; return whether another one follows, None when the answer is of no use."""
    about: dict[str, str] = {}
    more = False
    body = bodies.sync_collection(found.token, LISTING)
    for response in connection.multistatus("REPORT", url, body, depth=0, about=about):
        href = hrefs.relative(response.href, response.base)
        if href == "":
            # The collection itself says that the answer is cut (section 3.6), or else that
            # something happened to all of it.
            if response.status != HTTPStatus.INSUFFICIENT_STORAGE:
                return None
            more = True
        elif not _take(response, href, found) or _too_many(found):
            return None
    token = about.get(names.SYNC_TOKEN)
    if not token or (more and token == found.token):
        return None
    found.token = token
    return more


def _too_many(found: Changes) -> bool:
    return max(len(found.changed), len(found.gone)) > _MOST


def _still_there(connection: Connection, url: str, found: Changes) -> Changes | None:
    """Take back what was called gone and is there: it has to be read.

    One server says nothing else of an item that was deleted and made again since the token. A
    listing of the calendar would tell as well, but costs more the more it holds.
    """
    gone = {hrefs.key(name): name for name in found.gone}
    spelled = list(found.gone.values())
    for at in range(0, len(spelled), _TOGETHER):
        body = bodies.multiget(spelled[at : at + _TOGETHER])
        for response in connection.multistatus("REPORT", url, body):
            href = hrefs.relative(response.href, response.base) or hrefs.path_of(response.href)
            name = gone.get(hrefs.key(href), href)
            if name in found.gone and response.properties:
                found.changed[name] = Member(found.gone.pop(name), name, None)
    return found


def _take(response: Response, href: str | None, found: Changes) -> bool:
    name = href or hrefs.path_of(response.href)
    if response.status in _GONE:
        found.changed.pop(name, None)
        found.gone[name] = response.href
        return True
    if response.status != HTTPStatus.OK:
        return False
    member = member_of(response)
    if member is not None:
        found.gone.pop(name, None)
        found.changed[name] = member
    return True
