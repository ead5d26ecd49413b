"""All that an account offers, for a person who sets up a pipeline."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final

from lxml import etree

from caldav_run.dav import bodies, collections, discovery, hrefs, members, names
from caldav_run.dav.collections import Collection
from caldav_run.dav.connection import Connection
from caldav_run.dav.discovery import Account, Kind
from caldav_run.dav.failures import TROUBLE
from caldav_run.errors import ConnectorError
from caldav_run.model import Failed

_DELEGATED: Final = (names.PROXY_WRITE_FOR, names.PROXY_READ_FOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One calendar, or what may be one.

    Attributes:
        id: Its id.
        collection: The calendar; None where the server does not describe it.
        kind: Whose it is.
        owner: Whose, by name; empty where that is not told.
        items: How many it holds; None where they were not or could not be counted.
        seconds: How long counting took.
        problem: What stood in the way.
    """

    id: str
    collection: Collection | None
    kind: Kind
    owner: str = ""
    items: int | None = None
    seconds: float = 0.0
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """One calendar home.

    Attributes:
        url: Where it is.
        delegated: Whether it is somebody else's, who lets the user act for them.
        calendars: What lies in it.
        problem: Why it could not be listed.
    """

    url: str
    delegated: bool
    calendars: tuple[Found, ...]
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What a server says it can do.

    Attributes:
        software: Its `Server` header; empty where it has none.
        classes: The classes of its `DAV` header (RFC 4918 section 10.1).
        reports: The reports of a calendar (RFC 3253 section 3.1.5).
    """

    software: str
    classes: tuple[str, ...]
    reports: tuple[str, ...]


def homes(account: Account) -> Iterator[Home]:
    """Yield the account's homes and those that are delegated to the user, with their calendars."""
    for home in account.homes:
        root = home if home == account.homes[0] else None
        yield _home(account, home, root, delegated=False)
    for home in _delegated(account):
        if home not in account.homes:
            yield _home(account, home, None, delegated=True)


def features(account: Account, calendars: Sequence[Collection]) -> Features:
    """Return what the server says of itself, by OPTIONS and by a calendar's properties."""
    home = account.homes[0]
    try:
        with account.connection.send("OPTIONS", home) as reply:
            software, told = reply.header("Server"), reply.header("DAV")
    except TROUBLE:
        software = told = ""
    classes = tuple(dict.fromkeys(filter(None, (each.strip() for each in told.split(",")))))
    reports = _reports(account.connection, calendars[0].url) if calendars else ()
    return Features(software=software, classes=classes, reports=reports)


def _reports(connection: Connection, url: str) -> tuple[str, ...]:
    try:
        described = discovery.describe(connection, url, bodies.propfind([names.SUPPORTED_REPORTS]))
    except TROUBLE:
        return ()
    element = described.properties.get(names.SUPPORTED_REPORTS)
    holders = () if element is None else element.iter(names.REPORT)
    return tuple(sorted({etree.QName(each).localname for holder in holders for each in holder}))


def _home(account: Account, url: str, root: str | None, *, delegated: bool) -> Home:
    found: list[Found] = []
    problem = None
    try:
        # To the end first: the connection is needed for counting.
        listed = list(collections.shown(account.connection, url, root))
    except ConnectorError as error:
        listed, problem = [], str(error)
    for each in listed:
        kind = Kind.DELEGATED if delegated else Kind.OWN
        if isinstance(each, Failed):
            found.append(Found(id=each.calendar, collection=None, kind=kind, problem=each.reason))
        else:
            found.append(_counted(account, each, kind if delegated else account.kind(each)))
    return Home(url=url, delegated=delegated, calendars=tuple(found), problem=problem)


def _counted(account: Account, collection: Collection, kind: Kind) -> Found:
    begun = monotonic()
    items = problem = None
    if collection.source is None:
        try:
            items = len(members.listed(account.connection, collection.url))
        except TROUBLE as error:
            problem = str(error)
    return Found(
        id=collection.calendar.id,
        collection=collection,
        kind=kind,
        owner=account.owner_name(collection),
        items=items,
        seconds=monotonic() - begun,
        problem=problem,
    )


def _delegated(account: Account) -> Iterator[str]:
    """Yield the homes of those who let the user act for them (Apple's caldav-proxy)."""
    if account.principal is None:
        return
    try:
        body = bodies.propfind(_DELEGATED)
        described = discovery.describe(account.connection, account.principal, body)
        elements = (described.properties.get(name) for name in _DELEGATED)
        people = [
            hrefs.resolve(described.base, (href.text or "").strip())
            for element in elements
            if element is not None
            for href in element.iter(names.HREF)
        ]
        for person in dict.fromkeys(people):
            yield from discovery.homes_of(account.connection, person)
    except ConnectorError:
        # An extension that most servers lack.
        return
