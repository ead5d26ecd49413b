"""A believable account for the demo and for tests: four calendars around a given day.

The same day gives the same bytes; UIDs and names do not depend on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape

from caldav_run.errors import ItemError
from caldav_run.model import Calendar
from caldav_run.testing.sample_family import (
    BIRTHDAYS,
    FAMILY,
    birthdays,
    concert,
    dinner,
    family,
    ice_cream,
)
from caldav_run.testing.sample_tasks import TASKS, tasks
from caldav_run.testing.sample_text import Week
from caldav_run.testing.sample_work import WORK, kickoff, work, workshop
from caldav_run.testing.servers import Server

_DELETED: Final = frozenset({HTTPStatus.OK, HTTPStatus.NO_CONTENT})

NamedBody = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class SampleCalendar:
    """One calendar with its items.

    Attributes:
        calendar: Its id and properties.
        items: Name and bytes of each item.
    """

    calendar: Calendar
    items: Sequence[NamedBody]


@dataclass(frozen=True, slots=True)
class SampleChange:
    """One thing that somebody does to the account.

    Attributes:
        told: What is done, in words.
        calendar: The calendar's id.
        href: The item's name.
        body: The item's new bytes; None to delete it.
    """

    told: str
    calendar: str
    href: str
    body: bytes | None


def sample_account(today: date) -> Sequence[SampleCalendar]:
    """Return the account as it looks on that day, before any change."""
    week = Week(today)
    return (
        SampleCalendar(WORK, work(week)),
        SampleCalendar(FAMILY, family(week)),
        SampleCalendar(BIRTHDAYS, birthdays(week)),
        SampleCalendar(TASKS, tasks(week)),
    )


def moved(today: date) -> SampleChange:
    """An event moves from 10:00 to 11:30."""
    body = kickoff(Week(today), "11:30", "12:30", revision=1)
    return SampleChange("the project kick-off moves from 10:00 to 11:30", WORK.id, *body)


def renamed(today: date) -> SampleChange:
    """An event gets another title."""
    body = dinner(Week(today), "Dinner with Tom and Amélie", revision=1)
    return SampleChange("Amélie comes to dinner as well", FAMILY.id, *body)


def relocated(today: date) -> SampleChange:
    """An event takes place elsewhere."""
    body = workshop(Week(today), "Great hall, ground floor", revision=1)
    return SampleChange("the planning workshop goes to the great hall", WORK.id, *body)


def added(today: date) -> SampleChange:
    """A new event."""
    return SampleChange("ice cream with grandma is planned", FAMILY.id, *ice_cream(Week(today)))


def deleted(today: date) -> SampleChange:
    """An event is deleted by mistake."""
    href, _ = concert(Week(today))
    return SampleChange("the school concert is deleted by mistake", FAMILY.id, href, None)


def sample_changes(today: date) -> Sequence[SampleChange]:
    """Return all changes in the order in which they are made."""
    return moved(today), renamed(today), relocated(today), added(today), deleted(today)


def upload(server: Server, account: Sequence[SampleCalendar]) -> None:
    """Make every calendar with its properties, and put its items in.

    Through plain HTTP, not through the CalDAV sink: one mistake in it could not show itself in
    a demo that it prepared.

    Raises:
        ItemError: The server refused a calendar or an item.
    """
    for each in account:
        path = quote(each.calendar.id)
        status = server.send(
            "MKCALENDAR", f"{path}/", _mkcalendar(each.calendar), "application/xml"
        )
        if status != HTTPStatus.CREATED:
            raise ItemError(f"making the calendar {each.calendar.title} was answered {status}")
        for href, body in each.items:
            server.put(f"{path}/{href}", body)


def make(server: Server, change: SampleChange) -> None:
    """Make one change.

    Raises:
        ItemError: The server refused it.
    """
    path = f"{quote(change.calendar)}/{change.href}"
    if change.body is not None:
        server.put(path, change.body)
    elif (status := server.send("DELETE", path)) not in _DELETED:
        raise ItemError(f"deleting {path} was answered {status}")


def _mkcalendar(calendar: Calendar) -> bytes:
    components = "".join(f'<c:comp name="{name}"/>' for name in calendar.components)
    markup = {
        "displayname": escape(calendar.title),
        "c:supported-calendar-component-set": components,
        # Left out where there is none: an empty one makes a server stumble.
        "c:calendar-description": escape(calendar.description or ""),
        "c:calendar-timezone": escape(calendar.timezone or ""),
        "i:calendar-color": calendar.color,
        "i:calendar-order": None if calendar.order is None else str(calendar.order),
    }
    properties = "".join(f"<{name}>{value}</{name}>" for name, value in markup.items() if value)
    return f"""<?xml version="1.0" encoding="utf-8"?>
<c:mkcalendar xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"
 xmlns:i="http://apple.com/ns/ical/"><set><prop>{properties}</prop></set></c:mkcalendar>""".encode()
