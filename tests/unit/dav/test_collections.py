"""Calendars are told from what lies beside them, with their properties."""

import pytest

from caldav_run.dav import collections
from caldav_run.dav.connection import Connection
from caldav_run.model import Calendar
from caldav_run.testing.scripted import ScriptedServer, multistatus, response

CALENDAR = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"


def listed(server: ScriptedServer, connection: Connection, *responses: str) -> list[Calendar]:
    server.script = lambda _: multistatus(*responses)
    found = collections.listed(connection, f"{server.url}home/", f"{server.url}home/")
    return [each.calendar for each in found]


def test_every_property_is_read(server: ScriptedServer, connection: Connection) -> None:
    markup = (
        f"{CALENDAR}<d:displayname>Work &amp; more</d:displayname>"
        '<color xmlns="http://apple.com/ns/ical/">x</color>'
        '<calendar-color xmlns="http://apple.com/ns/ical/">#FF0000FF</calendar-color>'
        '<calendar-order xmlns="http://apple.com/ns/ical/">-3</calendar-order>'
        "<c:calendar-description>About</c:calendar-description>"
        "<c:calendar-timezone>BEGIN:VCALENDAR</c:calendar-timezone>"
        '<c:supported-calendar-component-set><c:comp name="VTODO"/><c:comp name="vevent"/>'
        "</c:supported-calendar-component-set><d:sync-token>t1</d:sync-token>"
        "<d:current-user-privilege-set><d:privilege><d:read/></d:privilege>"
        "</d:current-user-privilege-set>"
    )
    assert listed(server, connection, response("/home/w%20k/", markup)) == [
        Calendar(
            id="w%20k",
            display_name="Work & more",
            color="#FF0000FF",
            order=-3,
            description="About",
            timezone="BEGIN:VCALENDAR",
            components=("VEVENT", "VTODO"),
            read_only=True,
            token="t1",
        )
    ]


def test_what_a_server_does_not_tell_is_not_known(
    server: ScriptedServer, connection: Connection
) -> None:
    assert listed(server, connection, response("/home/a/", CALENDAR)) == [Calendar(id="a")]


def test_a_ctag_serves_where_there_is_no_sync_token(
    server: ScriptedServer, connection: Connection
) -> None:
    markup = f'{CALENDAR}<getctag xmlns="http://calendarserver.org/ns/">c1</getctag>'
    (found,) = listed(server, connection, response("/home/a/", markup))
    assert found.token == "c1"


def test_an_order_that_is_no_number_is_passed_over(
    server: ScriptedServer, connection: Connection
) -> None:
    markup = f'{CALENDAR}<calendar-order xmlns="http://apple.com/ns/ical/">x</calendar-order>'
    (found,) = listed(server, connection, response("/home/a/", markup))
    assert found.order is None


@pytest.mark.parametrize(
    ("rights", "read_only"),
    [
        ("<d:privilege><d:read/></d:privilege>", True),
        ("<d:privilege><d:read/></d:privilege><d:privilege><d:write/></d:privilege>", False),
        ("<d:privilege><d:read/><d:bind/></d:privilege>", False),
        ("<d:privilege><d:all/></d:privilege>", False),
        ("", False),
    ],
)
def test_rights_decide_whether_a_calendar_is_read_only(
    server: ScriptedServer, connection: Connection, rights: str, *, read_only: bool
) -> None:
    markup = f"{CALENDAR}<d:current-user-privilege-set>{rights}</d:current-user-privilege-set>"
    (found,) = listed(server, connection, response("/home/a/", markup))
    assert found.read_only is read_only


BOX = "<d:resourcetype><d:collection/><c:calendar/><c:schedule-inbox/></d:resourcetype>"
OUTBOX_TOO = "<d:resourcetype><d:collection/><c:calendar/><c:schedule-outbox/></d:resourcetype>"
DELETED = (
    '<d:resourcetype><d:collection/><x:deleted-calendar xmlns:x="http://nextcloud.com/ns"/>'
    "</d:resourcetype>"
)


@pytest.mark.parametrize(
    ("href", "markup", "kept"),
    [
        ("/home/inbox/", BOX, False),
        ("/home/.in/", CALENDAR, False),
        ("/home/.out/", OUTBOX_TOO, False),
        ("/home/personal/", OUTBOX_TOO, True),
        ("/home/inbox/", CALENDAR, True),
        ("/home/gone/", DELETED, False),
        ("/home/plain/", "", False),
    ],
)
def test_only_real_calendars_are_listed(
    server: ScriptedServer, connection: Connection, href: str, markup: str, *, kept: bool
) -> None:
    assert bool(listed(server, connection, response(href, markup))) is kept


def test_a_calendar_that_is_listed_twice_is_one(
    server: ScriptedServer, connection: Connection
) -> None:
    twice = [response("/home/a%c3%bc/", CALENDAR), response("/home/a%C3%BC", CALENDAR)]
    assert [each.id for each in listed(server, connection, *twice)] == ["a%c3%bc"]


def test_a_calendar_outside_of_the_home_is_named_by_its_path(
    server: ScriptedServer, connection: Connection
) -> None:
    (found,) = listed(server, connection, response("/elsewhere/a/", CALENDAR))
    assert found.id == "/elsewhere/a"
