"""Where a fault strikes: which of all requests it concerns."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from tests.integration.faults.account import Fault, Forward

from caldav_run.testing.scripted import Answer, Asked

LOGIN = "/login"
"""Where a fault may lead to, which is answered by it as well."""


class Place(Enum):
    """What a request is for.

    Attributes:
        DISCOVERY: Finding the account.
        HOME: Listing the calendars.
        LISTING: Listing the calendar `work`, or asking what has changed in it.
        SYNC: Only asking what has changed in it.
        REPORT: Fetching several of its items.
        ITEM: Fetching its item `a.ics`, alone or with others.
        ANYWHERE: All of these, of any calendar.
    """

    DISCOVERY = "discovery"
    HOME = "home"
    LISTING = "listing"
    SYNC = "sync"
    REPORT = "report"
    ITEM = "item"
    ANYWHERE = "anywhere"

    def holds(self, asked: Asked) -> bool:
        """Return whether this is where a request goes."""
        return _HOLDS[self](asked)


def _in_work(asked: Asked) -> bool:
    return "/work/" in asked.path


def _is_sync(asked: Asked) -> bool:
    return asked.method == "REPORT" and b"sync-collection" in asked.body


def _is_report(asked: Asked) -> bool:
    return asked.method == "REPORT" and not _is_sync(asked)


def _is_listing(asked: Asked) -> bool:
    return asked.method == "PROPFIND" and asked.headers.get("depth") == "1"


def _names_a(asked: Asked) -> bool:
    if asked.method == "GET":
        return asked.path.endswith("/work/a.ics")
    return _is_report(asked) and b"/work/a.ics<" in asked.body


_HOLDS: dict[Place, Callable[[Asked], bool]] = {
    Place.DISCOVERY: lambda each: each.method == "PROPFIND" and not _is_listing(each),
    Place.HOME: lambda each: _is_listing(each) and each.path.count("/") == 2,
    Place.LISTING: lambda each: _in_work(each) and (_is_listing(each) or _is_sync(each)),
    Place.SYNC: lambda each: _is_sync(each) and _in_work(each),
    Place.REPORT: lambda each: _is_report(each) and _in_work(each),
    Place.ITEM: _names_a,
    Place.ANYWHERE: lambda _: True,
}


@dataclass(frozen=True)
class Write:
    """A place: where something of some name is written.

    Attributes:
        method: How.
        name: What its path ends with.
    """

    method: str
    name: str

    def holds(self, asked: Asked) -> bool:
        """Return whether this is where a request goes."""
        return asked.method == self.method and asked.path.rstrip("/").endswith(self.name)


@dataclass
class Strikes:
    """Plays a fault at a place, and nothing elsewhere.

    Attributes:
        place: Where.
        fault: What.
        times: How often; None for always.
    """

    place: Place | Write
    fault: Fault
    times: int | None = None
    _count: Iterator[int] = field(default_factory=itertools.count)

    def __call__(self, asked: Asked, answer: Forward) -> Answer:
        """Answer a request."""
        if not self.place.holds(asked) and asked.path != LOGIN:
            return answer()
        if self.times is not None and next(self._count) >= self.times:
            return answer()
        return self.fault(asked, answer)
