"""New calendars get as many of their properties as the server keeps."""

import re
from html import escape, unescape

import pytest

from caldav_run.dav import creating
from caldav_run.dav.connection import Connection
from caldav_run.dav.failures import MalformedAnswerError, StatusError
from caldav_run.model import Calendar
from caldav_run.testing.scripted import Answer, Asked, ScriptedServer, multistatus, response

FAMILY = Calendar(
    id="family", display_name="A & B", color="#ff8800", order=7, description="About\r\nus"
)
PROPERTY = re.compile(
    r"<(d:displayname|a:calendar-color|a:calendar-order|c:calendar-description)>(.*?)</", re.DOTALL
)


class Home:
    """A server that keeps what it is told, but for what a test makes it refuse."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.refused: dict[str, Answer] = {}
        self.deaf: set[str] = set()
        self.seen: list[str] = []

    def __call__(self, asked: Asked) -> Answer:
        text = asked.body.decode()
        found = {name: unescape(value) for name, value in PROPERTY.findall(text)}
        if asked.method == "PROPFIND":
            markup = "".join(
                f"<{name}>{escape(value)}</{name}>" for name, value in self.kept.items()
            )
            declared = 'xmlns:a="http://apple.com/ns/ical/"'
            return multistatus(
                response("/home/family/", markup).replace("<d:prop>", f"<d:prop {declared}>")
            )
        what = f"{asked.method} {len(found)}"
        self.seen.append(what)
        if what in self.refused:
            return self.refused[what]
        self.kept |= {name: value for name, value in found.items() if name not in self.deaf}
        return Answer(207 if asked.method == "PROPPATCH" else 201)


@pytest.fixture
def home(server: ScriptedServer) -> Home:
    made = Home()
    server.script = made
    return made


def create(server: ScriptedServer, connection: Connection) -> tuple[Calendar, tuple[str, ...]]:
    made, left = creating.create(connection, f"{server.url}home/", FAMILY)
    assert made.url == f"{server.url}home/family/"
    return made.calendar, left


def test_one_request_makes_the_calendar_where_the_server_keeps_everything(
    server: ScriptedServer, connection: Connection, home: Home
) -> None:
    made, left = create(server, connection)
    assert home.seen == ["MKCALENDAR 4"]
    assert left == ()
    assert (made.id, made.display_name, made.order) == ("family", "A & B", 7)


def test_what_was_not_kept_is_set_again_by_itself(
    server: ScriptedServer, connection: Connection, home: Home
) -> None:
    home.refused["MKCALENDAR 4"] = Answer(207)
    _, left = create(server, connection)
    assert home.seen == ["MKCALENDAR 4", "MKCALENDAR 0", *["PROPPATCH 1"] * 4]
    assert left == ()


def test_an_extended_mkcol_serves_where_there_is_no_mkcalendar(
    server: ScriptedServer, connection: Connection, home: Home
) -> None:
    home.refused = {"MKCALENDAR 4": Answer(501), "MKCALENDAR 0": Answer(501)}
    assert create(server, connection)[1] == ()
    assert "MKCOL 0" in home.seen


def test_what_the_server_never_keeps_is_named(
    server: ScriptedServer, connection: Connection, home: Home
) -> None:
    home.deaf = {"a:calendar-order", "c:calendar-description"}
    assert create(server, connection)[1] == ("order", "description")


def test_a_colour_is_tried_with_an_alpha_channel(
    server: ScriptedServer, connection: Connection, home: Home
) -> None:
    home.deaf = {"a:calendar-color"}
    home.refused["PROPPATCH 1"] = Answer(400)
    assert create(server, connection)[1] == ("color",)
    assert home.seen == ["MKCALENDAR 4", "PROPPATCH 1", "PROPPATCH 1"]


def test_a_refusal_is_told_in_the_words_of_the_first_answer(
    server: ScriptedServer, connection: Connection, home: Home
) -> None:
    words = Answer(403, b"Calendar limit reached", {"Content-Type": "text/plain"})
    home.refused = {"MKCALENDAR 4": words, "MKCALENDAR 0": Answer(405), "MKCOL 0": Answer(405)}
    with pytest.raises(StatusError, match="Calendar limit reached"):
        create(server, connection)


def test_a_name_that_is_taken_gets_a_number(server: ScriptedServer, connection: Connection) -> None:
    """A deleted calendar may keep its address, and is not listed."""
    made: list[str] = []

    def script(asked: Asked) -> Answer:
        if asked.method != "PROPFIND":
            if asked.path != "/home/family/":
                made.append(asked.path)
            return Answer(405 if asked.path == "/home/family/" else 201)
        return multistatus(response(asked.path, "<d:displayname>A &amp; B</d:displayname>"))

    server.script = script
    found, _ = creating.create(connection, f"{server.url}home/", FAMILY)
    assert made[0] == "/home/family-2/"
    assert (found.calendar.id, found.url) == ("family-2", f"{server.url}home/family-2/")


def test_a_calendar_whose_making_was_not_answered_is_looked_for(
    server: ScriptedServer, connection: Connection
) -> None:
    kind = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"

    def script(asked: Asked) -> Answer:
        if asked.method == "MKCALENDAR":
            return Answer(403, b"x", broken=True)
        return multistatus(response(asked.path, kind))

    server.script = script
    assert creating.create(connection, f"{server.url}home/", FAMILY)[0].calendar.id == "family"
    assert [each.method for each in server.asked].count("MKCALENDAR") == 1


def test_a_colour_that_one_property_refuses_is_tried_with_an_alpha_channel(
    server: ScriptedServer, connection: Connection, home: Home
) -> None:
    home.deaf = {"a:calendar-color"}
    home.refused["PROPPATCH 1"] = multistatus(
        response("/home/family/", "<d:x/>", "HTTP/1.1 403 Forbidden")
    )
    assert create(server, connection)[1] == ("color",)
    assert home.seen == ["MKCALENDAR 4", "PROPPATCH 1", "PROPPATCH 1"]


@pytest.mark.parametrize("status", [429, 507])
def test_a_full_server_is_not_asked_again(
    server: ScriptedServer, connection: Connection, home: Home, waits: list[float], status: int
) -> None:
    home.refused["MKCALENDAR 4"] = Answer(status)
    with pytest.raises(StatusError, match=str(status)):
        create(server, connection)
    assert set(home.seen) == {"MKCALENDAR 4"}
    assert sum(waits) < 30


def test_a_calendar_that_cannot_be_read_back_is_an_error(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = lambda asked: multistatus() if asked.method == "PROPFIND" else Answer(201)
    with pytest.raises(MalformedAnswerError, match="describes nothing"):
        create(server, connection)
