"""The members of a calendar, as listings name them: many of them in little memory."""

import json
import re
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from caldav_run.dav import bodies, busy, hrefs, names
from caldav_run.dav.collections import listing
from caldav_run.dav.connection import Connection
from caldav_run.dav.multistatus import Response

LISTING: Final = (
    names.GETETAG,
    names.RESOURCETYPE,
    names.GETCONTENTTYPE,
    names.GETCONTENTLENGTH,
)
_UNKNOWN_TYPE: Final = "application/octet-stream"
_PIECE: Final = 512
_LENGTH: Final = re.compile("[0-9]{1,18}")
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


class Member(NamedTuple):
    """One member of a calendar.

    Attributes:
        spelled: The href as the server gave it; what a report must ask for.
        href: The same, relative to the calendar.
        etag: The etag that the listing gave.
        size: How many bytes it has, as far as the listing says so.
    """

    spelled: str
    href: str
    etag: str | None
    size: int | None = None


class Members:
    """A queue of members, packed: 100,000 of them take about 8 MB."""

    def __init__(self, url: str) -> None:
        """Begin with none.

        Args:
            url: The calendar's URL, whose path need not be kept with each member.
        """
        self._folder = hrefs.path_of(url).rstrip("/") + "/"
        self._packed: deque[str] = deque()
        self._last: list[Member] = []
        self._first: deque[Member] = deque()
        self._count = 0

    def __len__(self) -> int:
        """Return how many are left."""
        return self._count

    def add(self, member: Member) -> None:
        """Append one."""
        self._count += 1
        if member.spelled == self._folder + member.href:
            member = member._replace(spelled="")
        self._last.append(member)
        if len(self._last) == _PIECE:
            self._packed.append(_encode(self._last))
            self._last = []

    def take(self) -> Member | None:
        """Remove the first one and return it; None when there is none."""
        if not self._first and not self._unpack():
            return None
        self._count -= 1
        member = self._first.popleft()
        return member if member.spelled else member._replace(spelled=self._folder + member.href)

    def put_back(self, member: Member) -> None:
        """Put one before all others."""
        self._count += 1
        self._first.appendleft(member)

    def drain(self) -> Iterator[Member]:
        """Yield all of them, removing them."""
        while (member := self.take()) is not None:
            yield member

    def _unpack(self) -> bool:
        if self._packed:
            self._first.extend(Member(*each) for each in json.loads(self._packed.popleft()))
        else:
            self._first.extend(self._last)
            self._last = []
        return bool(self._first)


def listed(
    connection: Connection,
    url: str,
    settled: float | None = None,
    costly: frozenset[str] = frozenset(),
) -> Members:
    """Return the calendar objects that a collection lists, each once.

    Args:
        connection: The account's connection.
        url: The collection's URL.
        settled: Where etags recur: an etag says nothing of what was written at this Unix time or
            later, and is left out.
        costly: What to do without; a listing lacks sizes then, say.

    Raises:
        StatusError: The collection cannot be listed to its end.
        ConnectorError: See `collections.listing`.
    """
    found = Members(url)
    # Hashes of 64 bits take a third of what the names would, and are salted for each process.
    seen: set[int] = set()
    usual = [name for name in LISTING if name not in costly]
    asked = usual if settled is None else (*usual, names.GETLASTMODIFIED)
    for response in listing(connection, url, bodies.propfind(asked)):
        member = member_of(response)
        if member is None:
            continue
        if settled is not None and not _written_before(response, settled):
            member = member._replace(etag=None)
        key = hash(hrefs.key(member.href))
        if key not in seen:
            seen.add(key)
            found.add(member)
    return found


def named(url: str, href: str) -> Member:
    """Return a member of the collection at a URL of which only the name is known."""
    spelled = href if href.startswith("/") else hrefs.path_of(url) + href
    return Member(spelled, href, None)


def member_of(response: Response) -> Member | None:
    """Return the calendar object that a response describes; None for anything else."""
    href = hrefs.relative(response.href, response.base)
    if not _is_object(response, href):
        return None
    length = response.text(names.GETCONTENTLENGTH) or ""
    size = int(length) if _LENGTH.fullmatch(length) else None
    # A member outside of the collection keeps its path: it still has to be read.
    name = href or hrefs.path_of(response.href)
    return Member(response.href, name, response.text(names.GETETAG), size)


def _written_before(response: Response, moment: float) -> bool:
    written = busy.moment(response.text(names.GETLASTMODIFIED) or "")
    return written is not None and written.timestamp() < moment


def _is_object(response: Response, href: str | None) -> bool:
    if href == "":
        return False
    kinds = response.properties.get(names.RESOURCETYPE)
    if kinds is not None and kinds.find(names.COLLECTION) is not None:
        return False
    content_type = (response.text(names.GETCONTENTTYPE) or _UNKNOWN_TYPE).lower()
    # A server that goes by a file's name says so of a calendar object without a suffix.
    if content_type == _UNKNOWN_TYPE or "calendar" in content_type:
        return True
    return response.href.lower().endswith(".ics")
