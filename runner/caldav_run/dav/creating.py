"""New calendars, with as many of their properties as the server keeps."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from caldav_run.dav import bodies, collections, failures, names
from caldav_run.dav.collections import Collection
from caldav_run.dav.connection import Connection
from caldav_run.dav.discovery import describe
from caldav_run.dav.multistatus import Response
from caldav_run.model import Calendar

_CREATED: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT})
# A calendar of this name may be there already, be it deleted.
_PERHAPS_TAKEN: Final = frozenset({403, 405, 409})
# No plainer request would fare better.
_ENOUGH: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INSUFFICIENT_STORAGE})
_IDS: Final = 9
_XML: Final = {"Content-Type": "application/xml; charset=utf-8"}
_FIELDS: Final = {
    names.DISPLAYNAME: "display_name",
    names.COLOR: "color",
    names.ORDER: "order",
    names.DESCRIPTION: "description",
    names.TIMEZONE: "timezone",
    names.COMPONENT_SET: "components",
}


def create(
    connection: Connection, home: str, calendar: Calendar
) -> tuple[Collection, tuple[str, ...]]:
    """Create a calendar in a home and see to its properties one by one.

    Args:
        connection: The account's connection.
        home: The home's URL, with a final slash.
        calendar: What to create; its id becomes the last segment of the URL, with a number where
            something lies there already, such as a calendar in the server's trash bin.

    Returns:
        The calendar as the server now has it, and the names of properties that it did not keep.

    Raises:
        StatusError: The server does not create it, with what it says to the first attempt.
        ConnectorError: See `Connection.send`.
    """
    refusals: list[failures.StatusError] = []
    for wanted in _spellings(calendar):
        url = f"{home}{wanted.id}/"
        try:
            _make(connection, url, bodies.values(wanted))
        except failures.StatusError as error:
            refusals.append(error)
            if error.status not in _PERHAPS_TAKEN or _kinds(connection, url) is None:
                raise
        else:
            return _completed(connection, url, home, wanted)
    raise refusals[0]


def _spellings(calendar: Calendar) -> Iterator[Calendar]:
    """Yield a calendar, then others that are told from it by their ids alone."""
    yield calendar
    # Under another id it is found again by its name.
    named = replace(calendar, display_name=calendar.title)
    for number in range(2, _IDS + 1):
        yield replace(named, id=f"{calendar.id}-{number}")


def _kinds(connection: Connection, url: str) -> Response | None:
    """Return what is told of the kind of what lies there; None where nothing does."""
    try:
        return describe(connection, url, bodies.propfind([names.RESOURCETYPE]))
    except (failures.StatusError, failures.MalformedAnswerError):
        return None


def _completed(
    connection: Connection, url: str, home: str, wanted: Calendar
) -> tuple[Collection, tuple[str, ...]]:
    """Set what a new calendar lacks; return it, and the names of what it goes on lacking."""
    markup = bodies.values(wanted)
    made = _described(connection, url, home)
    missing = _differing(wanted, made.calendar)
    for name in missing:
        _patch(connection, url, name, markup[name])
    if missing:
        made = _described(connection, url, home)
    return made, differing(wanted, made.calendar)


def differing(wanted: Calendar, there: Calendar) -> tuple[str, ...]:
    """Return the names of the properties that a calendar has otherwise than it is wanted."""
    return tuple(_FIELDS[name] for name in _differing(wanted, there))


def _make(connection: Connection, url: str, wanted: Mapping[str, str]) -> None:
    refusals: list[Exception] = []
    for method, body in _attempts(wanted):
        try:
            with connection.send(method, url, body, _XML) as reply:
                if reply.status in _CREATED:
                    reply.drain()
                    return
                refusals.append(reply.error())
        except (failures.InterruptedAnswerError, failures.MalformedAnswerError) as error:
            # No calendar was listed there before: one that is there now is what was asked for.
            found = _kinds(connection, url)
            if found is not None and collections.is_calendar(found):
                return
            refusals.append(error)
        last = refusals[-1]
        if isinstance(last, failures.StatusError) and last.status in _ENOUGH:
            break
    raise refusals[0]


def _attempts(wanted: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Yield ever plainer requests: one refused property may refuse the whole calendar."""
    fixed = {name: wanted[name] for name in (names.COMPONENT_SET,) if name in wanted}
    yield "MKCALENDAR", bodies.mkcalendar(wanted)
    yield "MKCALENDAR", bodies.mkcalendar(fixed)
    yield "MKCOL", bodies.extended_mkcol(fixed)


def _patch(connection: Connection, url: str, name: str, markup: str) -> None:
    """Set one property; whether it took is seen by reading it back, whatever the answer says."""
    attempts = [markup]
    if name == names.COLOR and len(markup) == len("#RRGGBB"):
        # One server takes colours with an alpha channel only.
        attempts.append(f"{markup}FF")
    for attempt in attempts:
        body = bodies.proppatch({name: attempt})
        try:
            answers = list(connection.multistatus("PROPPATCH", url, body, depth=0))
        except failures.StatusError as error:
            if error.status == HTTPStatus.OK:
                return
            continue
        except failures.MalformedAnswerError:
            return
        if not any(each.refused or each.status >= HTTPStatus.BAD_REQUEST for each in answers):
            return


def _described(connection: Connection, url: str, home: str) -> Collection:
    return collections.collection(describe(connection, url, collections.properties()), home)


def _differing(wanted: Calendar, made: Calendar) -> list[str]:
    return [
        name
        for name, field in _FIELDS.items()
        if getattr(wanted, field) not in (None, ())
        and _comparable(name, getattr(wanted, field)) != _comparable(name, getattr(made, field))
    ]


def _comparable(name: str, value: object) -> object:
    """Return a value without what servers change in it and nobody sees."""
    if name == names.COLOR:
        return str(value).upper().ljust(len("#RRGGBBAA"), "F")
    if isinstance(value, str):
        return value.replace("\r\n", "\n").strip()
    return value
