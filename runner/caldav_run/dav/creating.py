"""New calendars, with as many of their properties as the server keeps."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Final

from caldav_run.dav import bodies, collections, failures, names
from caldav_run.dav.collections import Collection
from caldav_run.dav.connection import Connection
from caldav_run.model import Calendar

_CREATED: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT})
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
        calendar: What to create; its id becomes the last segment of the URL.

    Returns:
        The calendar as the server now has it, and the names of properties that it did not keep.

    Raises:
        StatusError: The server does not create it, with what it says to the first attempt.
        ConnectorError: See `Connection.send`.
    """
    url = f"{home}{calendar.id}/"
    wanted = bodies.values(calendar)
    _make(connection, url, wanted)
    made = _described(connection, url, home)
    missing = _differing(calendar, made.calendar)
    for name in missing:
        _patch(connection, url, name, wanted[name])
    if missing:
        made = _described(connection, url, home)
    left = _differing(calendar, made.calendar)
    return made, tuple(_FIELDS[name] for name in left)


def _make(connection: Connection, url: str, wanted: Mapping[str, str]) -> None:
    refusals: list[failures.StatusError] = []
    for method, body in _attempts(wanted):
        with connection.send(method, url, body, _XML) as reply:
            if reply.status in _CREATED:
                return
            refusals.append(reply.error())
            if reply.status == HTTPStatus.INSUFFICIENT_STORAGE:
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
        with connection.send("PROPPATCH", url, bodies.proppatch({name: attempt}), _XML) as reply:
            if reply.status in {HTTPStatus.OK, HTTPStatus.MULTI_STATUS}:
                return


def _described(connection: Connection, url: str, home: str) -> Collection:
    for response in connection.multistatus("PROPFIND", url, collections.properties(), depth=0):
        return collections.collection(response, home)
    raise failures.MalformedAnswerError(f"{url} describes nothing")


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
