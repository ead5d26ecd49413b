"""The values that every layer shares: calendars, items, and what a source says of them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Provenance(StrEnum):
    """How an item's bytes were read; a server may give different bytes each way."""

    GET = "get"
    REPORT = "report"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """One calendar collection and the properties that a restore gives back.

    Attributes:
        id: The server's spelling of the collection, relative to its calendar home and without
            the final slash; an absolute path for a calendar outside of the home.
        display_name: DAV:displayname (RFC 4918 section 15.2).
        color: Apple's calendar-color, as the server spells it (`#RRGGBB` or `#RRGGBBAA`).
        order: Apple's calendar-order.
        description: CALDAV:calendar-description (RFC 4791 section 5.2.1).
        timezone: CALDAV:calendar-timezone, a whole VCALENDAR as text (RFC 4791 section 5.2.2).
        components: CALDAV:supported-calendar-component-set in sorted order; empty when unknown.
        read_only: Whether the user may not write into it.
        token: DAV:sync-token, else getctag, at the time of reading.
        sharing: Who else has it, and whose it is where it is somebody else's, as the server says
            it; for people to read, never given back.
        availability: Of the account as a whole (`shelf.ACCOUNT`): CALDAV:calendar-availability,
            a whole VCALENDAR as text (RFC 7953 section 7.2).
    """

    id: str
    display_name: str | None = None
    color: str | None = None
    order: int | None = None
    description: str | None = None
    timezone: str | None = None
    components: tuple[str, ...] = ()
    read_only: bool = False
    token: str | None = None
    sharing: str | None = None
    availability: str | None = None

    @property
    def title(self) -> str:
        """The name to show to a person."""
        return self.display_name or self.id


@dataclass(frozen=True, slots=True)
class Item:
    """One calendar object resource, with exactly the bytes that the source gave.

    Attributes:
        calendar: The id of its calendar.
        href: The server's spelling of its name, relative to the calendar.
        etag: The entity tag with its quotes, or None where the server gave none.
        body: The untouched bytes.
        provenance: How the bytes were read.
        stale_since: When these bytes were last read, for an item that could not be read since;
            None for one that is up to date.
    """

    calendar: str
    href: str
    etag: str | None
    body: bytes = field(repr=False)
    provenance: Provenance
    stale_since: datetime | None = None
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        """Hash the body once; every sink needs it."""
        object.__setattr__(self, "sha256", hashlib.sha256(self.body).hexdigest())


# What a source yields, calendar by calendar. An iteration that ends without an error has named
# every calendar; between CalendarStart and CalendarDone it has named every member, between
# CalendarStart and CalendarSynced every one that is not as the baseline holds it.


@dataclass(frozen=True, slots=True)
class CalendarStart:
    """The members of this calendar follow; `note` says what a person should know of them."""

    calendar: Calendar
    note: str | None = None


@dataclass(frozen=True, slots=True)
class CalendarExcluded:
    """This calendar exists but is not selected; its members are not named."""

    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Changed:
    """An item whose etag is not the one that the baseline holds, with its bytes."""

    item: Item


@dataclass(frozen=True, slots=True)
class Unchanged:
    """An item whose etag the baseline holds; its bytes were not read."""

    calendar: str
    href: str


@dataclass(frozen=True, slots=True)
class Failed:
    """An item, or with `href` None the rest of a calendar, that could not be read."""

    calendar: str
    href: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Gone:
    """An item that the source no longer has; needed only in a calendar that ends as synced."""

    calendar: str
    href: str


class Mark(NamedTuple):
    """How far a calendar was read, for the next reading to go on from there.

    Attributes:
        seen: What the calendar said of its state as a whole; while it says the same, nothing has
            changed. None where it says nothing.
        token: What the source can name the changes since; None where it cannot.
        audited: Unix time in seconds at which every member was last named.
    """

    seen: str | None
    token: str | None
    audited: float


@dataclass(frozen=True, slots=True)
class CalendarDone:
    """Every member of this calendar was named; what was not named is gone.

    Unless it is `filtered`: then a filter left members out when it was backed up, and what was not
    named may be one of them.
    """

    calendar: str
    mark: Mark | None = None
    filtered: bool = False


@dataclass(frozen=True, slots=True)
class CalendarSynced:
    """All that happened since the mark in the baseline was named; all else that is held stays."""

    calendar: str
    mark: Mark


Reading = (
    CalendarStart
    | CalendarExcluded
    | Changed
    | Unchanged
    | Gone
    | Failed
    | CalendarDone
    | CalendarSynced
)


# What a snapshot sink remembers, and what it is told.


class Entry(NamedTuple):
    """What a sink holds of one item since its last commit.

    Attributes:
        etag: The item's etag at that time.
        sha256: Hash of the held bytes in hex; None when no bytes are held.
        excluded: Whether a filter left the item out.
        valid_until: Unix time in seconds until which the filters' answer holds; None for ever.
        unread: Whether the item could not be read since.
    """

    etag: str | None
    sha256: str | None
    excluded: bool = False
    valid_until: float | None = None
    unread: bool = False


class Op(StrEnum):
    """What one row of a snapshot says."""

    ADD = "+"
    SAME = "="
    GONE = "-"
    EXCLUDED = "x"
    UNREAD = "!"
    CALENDAR = "c"
    CALENDAR_GONE = "d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row to be written: an item's, or with `href` None a calendar's.

    Attributes:
        op: What happened.
        calendar: The calendar's id.
        href: The item's name in it; None when the row is about the whole calendar.
        item: The item with its bytes, for `ADD` and `SAME`.
        etag: The etag to remember (of `item`, where there is one).
        uid: The item's UID, where known.
        reason: Why it could not be read, for `UNREAD`.
        valid_until: See `Entry.valid_until`.
        properties: The calendar, for `CALENDAR`.
    """

    op: Op
    calendar: str
    href: str | None = None
    item: Item | None = None
    etag: str | None = None
    uid: str | None = None
    reason: str | None = None
    valid_until: float | None = None
    properties: Calendar | None = None


# What a destination with a present state (a server, a folder) holds.


class Stamp(NamedTuple):
    """What decides which of two versions is newer, in this order (RFC 5545 section 3.8.7).

    Times are the raw UTC values (`20260501T080000Z`), which sort as text; empty when missing.
    """

    sequence: int = 0
    last_modified: str = ""
    dtstamp: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One item without its bytes: enough to plan with.

    Attributes:
        uid: Its UID; empty when it has none.
        href: Its name in its calendar.
        etag: Its etag where it comes from: at the destination, or a wanted item's at its source.
        digest: SHA-256 of its canonical form at level L2.
        stamp: What decides which version is newer.
        scheduled: Whether it names an organizer or attendees.
        label: What to call it in front of a person.
        people: The addresses of its organizers and attendees, sorted; empty where it is broken.
        hushed: Whether it leaves it to the client to tell each of them (RFC 6638 section 7.1).
        components: The names of its components other than VTIMEZONE, sorted.
        method: Whether it is a message of scheduling, with a METHOD (RFC 5545 section 3.7.2).
        broken: Whether its bytes do not parse, so that what it says of itself may be half of it.
    """

    uid: str
    href: str
    etag: str | None
    digest: bytes
    stamp: Stamp
    scheduled: bool
    label: str
    people: tuple[str, ...] = ()
    hushed: bool = False
    components: tuple[str, ...] = ()
    method: bool = False
    broken: bool = False


Options = Mapping[str, object]
"""A connector's options: valid by its schema, interpolated, paths absolute, secrets `Secret`."""
