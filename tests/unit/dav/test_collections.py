"""Calendars are told from what lies beside them, with their properties."""

import pytest

from caldav_run.dav import collections
from caldav_run.dav.connection import Connection
from caldav_run.dav.failures import MalformedAnswerError, StatusError
from caldav_run.model import Calendar, Failed
from caldav_run.testing.scripted import ScriptedServer, multistatus, response

CALENDAR = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"


def listed(server: ScriptedServer, connection: Connection, *responses: str) -> list[Calendar]:
    server.script = lambda _: multistatus(*responses)
    found = collections.listed(connection, f"{server.url}home/", f"{server.url}home/")
    return [each.calendar for each in found if isinstance(each, collections.Collection)]


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


@pytest.mark.parametrize("order", ["x", "--3", "\u00b2", "9" * 5000])
def test_an_order_that_is_no_number_is_passed_over(
    server: ScriptedServer, connection: Connection, order: str
) -> None:
    markup = f'{CALENDAR}<calendar-order xmlns="http://apple.com/ns/ical/">{order}</calendar-order>'
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


def cut_off(href: str, status: str) -> str:
    return f"<d:response><d:href>{href}</d:href><d:status>HTTP/1.1 {status}</d:status></d:response>"


def test_a_listing_that_was_cut_short_is_not_taken_for_all(
    server: ScriptedServer, connection: Connection
) -> None:
    cut = cut_off("/home/", "507 Insufficient Storage")
    with pytest.raises(StatusError, match="507"):
        listed(server, connection, response("/home/a/", CALENDAR), cut)


def test_a_listing_without_even_the_collection_is_not_taken_for_empty(
    server: ScriptedServer, connection: Connection
) -> None:
    with pytest.raises(MalformedAnswerError, match="not even itself"):
        listed(server, connection)


def test_a_member_that_is_gone_by_now_does_not_spoil_a_listing(
    server: ScriptedServer, connection: Connection
) -> None:
    gone = cut_off("/home/b/", "404 Not Found"), cut_off("/elsewhere/c/", "404 Not Found")
    assert len(listed(server, connection, response("/home/a/", CALENDAR), *gone)) == 1


@pytest.mark.parametrize("status", ["403 Forbidden", "500 Internal Server Error"])
def test_a_member_that_is_not_described_is_no_deleted_calendar(
    server: ScriptedServer, connection: Connection, status: str
) -> None:
    server.script = lambda _: multistatus(cut_off("/home/work/", status))
    (found,) = collections.listed(connection, f"{server.url}home/", f"{server.url}home/")
    assert found == Failed("work", None, f"the server does not describe it: {status[:3]}")


@pytest.mark.parametrize("status", ["403 Forbidden", "500 Internal Server Error"])
def test_a_member_whose_every_property_is_refused_is_no_deleted_calendar(
    server: ScriptedServer, connection: Connection, status: str
) -> None:
    refused = (
        "<d:response><d:href>/home/work/</d:href><d:propstat><d:prop><d:resourcetype/></d:prop>"
        f"<d:status>HTTP/1.1 {status}</d:status></d:propstat></d:response>"
    )
    server.script = lambda _: multistatus(refused)
    (found,) = collections.listed(connection, f"{server.url}home/", f"{server.url}home/")
    assert found == Failed("work", None, f"the server does not describe it: {status[:3]}")


SUBSCRIPTION = (
    '<d:resourcetype><d:collection/><x:subscribed xmlns:x="http://calendarserver.org/ns/"/>'
    '</d:resourcetype><x:source xmlns:x="http://calendarserver.org/ns/">'
    "<d:href>https://example.org/a.ics?key=1</d:href></x:source>"
)


def test_a_mere_link_to_a_calendar_elsewhere_is_shown_and_not_read(
    server: ScriptedServer, connection: Connection
) -> None:
    links = response("/home/link/", SUBSCRIPTION)
    assert listed(server, connection, links) == []
    (found,) = collections.shown(connection, f"{server.url}home/", f"{server.url}home/")
    assert isinstance(found, collections.Collection)
    assert (found.calendar.id, found.subscribed) == ("link", True)
    assert found.source == "https://example.org/a.ics?key=1"
    # Such addresses are secrets more often than not.
    assert "key=1" not in repr(found)
