"""Where the caldav sink sends calendars, and what it says about servers that refuse."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import pytest

from caldav_run.connectors.mirroring import Order, Target
from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sinks.caldav import CaldavSink
from caldav_run.errors import CalendarError
from caldav_run.ical.version import version
from caldav_run.model import Calendar
from caldav_run.testing.contracts.mirrors import put
from caldav_run.testing.scripted import (
    Answer,
    Asked,
    Script,
    ScriptedServer,
    multistatus,
    response,
    scripted_server,
)

KIND = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
READ_ONLY = (
    "<d:current-user-privilege-set><d:privilege><d:read/></d:privilege>"
    "</d:current-user-privilege-set>"
)
TASKS = (
    '<c:supported-calendar-component-set><c:comp name="VTODO"/>'
    "</c:supported-calendar-component-set>"
)
CONTEXT = Context(
    name="there",
    pipeline="p",
    timezone=UTC,
    now=datetime(2026, 5, 1, tzinfo=UTC),
    state_dir=Path("state"),
)

MEETING = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nATTENDEE:mailto:a@b\nEND:VEVENT\nEND:VCALENDAR\n"

Open = Callable[..., CaldavSink]


def there(name: str, title: str | None = None, extra: str = "") -> str:
    shown = "" if title is None else f"<d:displayname>{escape(title)}</d:displayname>"
    return response(f"/{name}/", KIND + shown + extra)


def home(*calendars: str, rest: Script = lambda _: Answer(404)) -> Script:
    """A home at the root with these calendars; everything else is answered by `rest`."""

    def script(asked: Asked) -> Answer:
        if asked.method != "PROPFIND" or asked.path != "/":
            return rest(asked)
        plain = "<c:calendar-home-set><d:href>/</d:href></c:calendar-home-set>"
        inside = calendars if asked.headers.get("depth") == "1" else ()
        return multistatus(response("/", plain), *inside)

    return script


OWNER = "<d:owner><d:href>/p/{}/</d:href></d:owner>"
MYSELF = "<d:current-user-principal><d:href>/p/alice/</d:href></d:current-user-principal>"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server(home()) as running:
        yield running


@pytest.fixture
def opened(server: ScriptedServer) -> Iterator[Open]:
    made: list[CaldavSink] = []

    def open_sink(**options: object) -> CaldavSink:
        made.append(CaldavSink.from_options({"url": server.url, **options}, CONTEXT))
        return made[-1]

    yield open_sink
    for sink in made:
        sink.close()


def test_the_same_id_is_the_same_calendar(server: ScriptedServer, opened: Open) -> None:
    server.script = home(there("a", "Other"), there("b", "Work"))
    target = opened().target("s", Calendar(id="a", display_name="Work"))
    assert (target.calendar.id, target.exists, target.mapped) == ("a", True, False)


def test_a_calendar_that_somebody_shares_is_not_the_users_own(
    server: ScriptedServer, opened: Open
) -> None:
    mine, theirs = OWNER.format("alice"), OWNER.format("bob")
    calendars = there("a", extra=mine), there("b", extra=theirs), there("c")
    principal = response(
        "/", MYSELF + "<c:calendar-home-set><d:href>/</d:href></c:calendar-home-set>"
    )
    server.script = lambda asked: multistatus(
        principal, *(calendars if asked.headers.get("depth") == "1" else ())
    )
    sink = opened()
    assert {each.id: sink.owns(each) for each in sink.calendars()} == {
        "a": True,
        "b": False,
        "c": True,
    }


def test_else_the_same_display_name_is(server: ScriptedServer, opened: Open) -> None:
    server.script = home(there("x", "Other"), there("b", "Work"))
    assert opened().target("s", Calendar(id="a", display_name="Work")).calendar.id == "b"


def test_two_calendars_of_one_name_cannot_be_told_apart(
    server: ScriptedServer, opened: Open
) -> None:
    server.script = home(there("a", "Work"), there("b", "Work"))
    with pytest.raises(CalendarError, match="a, b"):
        opened().target("s", Calendar(id="c", display_name="Work"))


@pytest.mark.parametrize("made", [False, True])
def test_calendars_of_one_name_stay_apart(
    server: ScriptedServer, opened: Open, *, made: bool
) -> None:
    server.script = home(there("x", "Work"), *[there("b", "Work")] * made)
    both = [Calendar(id=each, display_name="Work") for each in ("a", "b")]
    sink = opened()
    first, second = (sink.target("s", each, both) for each in both)
    assert (first.calendar.id, second.calendar.id) == ("x", "b")
    assert (first.exists, second.exists) == (True, made)


def test_a_name_gives_nobody_the_calendar_that_is_a_siblings_by_its_id(
    server: ScriptedServer, opened: Open
) -> None:
    server.script = home(there("b", "Work"))
    both = [Calendar(id=each, display_name="Work") for each in ("a", "b")]
    sink = opened()
    assert [sink.target("s", each, both).calendar.id for each in both] == ["a", "b"]
    # Which goes elsewhere, and needs it no more.
    sink = opened(rename={"b": "Büro"})
    assert [sink.target("s", each, both).exists for each in both] == [True, False]


def test_calendars_of_two_sources_are_not_told_apart_by_the_sink(
    server: ScriptedServer, opened: Open
) -> None:
    server.script = home(there("x", "Work"))
    sink, calendar = opened(), Calendar(id="a", display_name="Work")
    assert [sink.target(each, calendar).calendar.id for each in "st"] == ["x", "x"]


def test_a_calendar_that_was_made_before_is_not_looked_for_by_name(
    server: ScriptedServer, opened: Open
) -> None:
    both = [Calendar(id=each, display_name="Work") for each in ("a%20b", "ü")]
    sink = opened()
    made = [sink.target("s", each, both).calendar.id for each in both]
    server.script = home(*(there(each, "Work") for each in made))
    sink = opened()
    assert [sink.target("s", each, both).calendar.id for each in both] == made


def test_rename_wins_over_the_same_id(server: ScriptedServer, opened: Open) -> None:
    server.script = home(there("a", "Work"), there("b", "Büro"))
    sink = opened(rename={"Work": "Büro"})
    target = sink.target("s", Calendar(id="a", display_name="Work"))
    assert (target.calendar.id, target.mapped) == ("b", True)


def test_rename_knows_calendars_by_id_too(server: ScriptedServer, opened: Open) -> None:
    server.script = home(there("b", "Büro"))
    assert opened(rename={"a": "Büro"}).target("s", Calendar(id="a")).calendar.id == "b"


def test_a_renamed_calendar_is_never_one_that_only_has_the_name_as_its_id(
    server: ScriptedServer, opened: Open
) -> None:
    server.script = home(there("work", "Something else"))
    target = opened(rename={"a": "work"}).target("s", Calendar(id="a"))
    assert not target.exists
    assert target.calendar.display_name == "work"


@pytest.mark.parametrize("calendar_id", ["a%20b", "ü", "/else/where", "x" * 100, "a.b"])
def test_a_new_calendar_gets_a_name_that_every_server_takes(opened: Open, calendar_id: str) -> None:
    planned = opened().target("s", Calendar(id=calendar_id, display_name="Ümläut")).calendar
    assert planned.id.replace("-", "").isalnum()
    assert planned.id.isascii()
    assert len(planned.id) < 60
    assert planned.display_name == "Ümläut"


def test_a_calendar_that_was_made_before_is_found_without_its_name(
    server: ScriptedServer, opened: Open
) -> None:
    calendar = Calendar(id="a%20b", display_name="Work")
    made = opened().target("s", calendar).calendar.id
    server.script = home(there(made))
    assert opened().target("s", calendar).exists


def test_a_read_only_calendar_is_refused(server: ScriptedServer, opened: Open) -> None:
    server.script = home(there("a", "Birthdays", READ_ONLY))
    with pytest.raises(CalendarError, match=r"Birthdays.*read-only"):
        opened().target("s", Calendar(id="a"))


def test_a_calendar_of_other_components_is_refused(server: ScriptedServer, opened: Open) -> None:
    server.script = home(there("a", "Tasks", TASKS))
    with pytest.raises(CalendarError, match="takes VTODO only"):
        opened().target("s", Calendar(id="a", components=("VEVENT",)))
    assert opened().target("s", Calendar(id="a", components=("VEVENT", "VTODO"))).exists
    assert opened().target("s", Calendar(id="a")).exists


def test_a_refused_calendar_is_told_with_the_servers_words(
    server: ScriptedServer, opened: Open
) -> None:
    words = Answer(403, b"Calendar limit reached", {"Content-Type": "text/plain"})
    server.script = home(rest=lambda _: words)
    sink = opened()
    with pytest.raises(CalendarError, match=r'"Work" was not created.*Calendar limit reached'):
        sink.create(sink.target("s", Calendar(id="w", display_name="Work")))


def test_what_a_server_does_not_keep_of_a_calendar_is_named(
    server: ScriptedServer, opened: Open
) -> None:
    server.script = home(
        rest=lambda asked: multistatus(there("w")) if asked.method == "PROPFIND" else Answer(201)
    )
    sink = opened()
    made = Calendar(id="w", display_name="Work", order=3)
    assert sink.create(sink.target("s", made)) == ["display name", "order"]


def test_a_calendar_that_cannot_be_read_in_full_is_not_planned_with(
    server: ScriptedServer, opened: Open
) -> None:
    listing = multistatus(response("/w/a.ics", '<d:getetag>"1"</d:getetag>'))
    server.script = home(
        there("w"), rest=lambda asked: listing if asked.method == "PROPFIND" else Answer(500)
    )
    sink = opened()
    with pytest.raises(CalendarError, match=r"w/a\.ics"):
        sink.present(sink.target("s", Calendar(id="w")))


def test_a_calendar_that_cannot_be_listed_is_not_planned_with(
    server: ScriptedServer, opened: Open
) -> None:
    server.script = home(there("w"), rest=lambda _: Answer(403))
    sink = opened()
    with pytest.raises(CalendarError, match="what w holds"):
        sink.present(sink.target("s", Calendar(id="w")))


def test_an_item_without_an_etag_is_replaced_where_it_still_is(
    server: ScriptedServer, opened: Open
) -> None:
    server.script = home(there("w"), rest=lambda _: Answer(204))
    sink = opened()
    seen = version(b"BEGIN:VCALENDAR\nEND:VCALENDAR\n", "a.ics", None)
    put(sink, sink.target("s", Calendar(id="w")), seen, b"new", seen)
    assert server.asked[-1].headers["if-match"] == "*"


def test_people_are_not_mailed_unless_the_user_says_so(opened: Open) -> None:
    meeting = version(MEETING, "a.ics", None)
    target = Target(Calendar(id="w"), exists=True)
    for sink in (opened(), opened(scheduling="quiet")):
        for wanted, replaces in ((meeting, None), (meeting, meeting), (None, meeting)):
            assert "mailed" in (sink.objection(target, wanted, replaces, 100) or "")
    assert opened(scheduling="allow").objection(target, meeting, None, 100) is None


def test_the_origin_names_the_server(server: ScriptedServer, opened: Open) -> None:
    server.script = home(there("w"))
    assert opened().origin() == server.url


def test_what_a_calendar_that_is_there_has_otherwise_is_named(
    server: ScriptedServer, opened: Open
) -> None:
    color = '<a:calendar-color xmlns:a="http://apple.com/ns/ical/">#0000FFFF</a:calendar-color>'
    server.script = home(there("a", "Work", color))
    wanted = Calendar(id="a", display_name="Arbeit", color="#FF0000", order=3)
    assert opened().target("s", wanted).otherwise == ("display name", "color")
    same = Calendar(id="a", display_name="Work", color="#0000ff")
    assert opened().target("s", same).otherwise == ()
    assert opened(rename={"a": "Work"}).target("s", Calendar(id="a")).otherwise == ()


def test_an_item_in_the_way_is_told_by_the_name_that_was_tried(
    server: ScriptedServer, opened: Open
) -> None:
    def taken(asked: Asked) -> Answer:
        return Answer(412) if asked.method == "PUT" else Answer(200, MEETING)

    server.script = home(there("w"), rest=taken)
    sink = opened()
    order = Order(version(b"BEGIN:VEVENT\nUID:u@h\n", "u%40h.ics", None), None, bytes)
    (outcome,) = sink.apply(sink.target("s", Calendar(id="w")), [order])
    tried = {each.path for each in server.asked if each.method == "PUT"}
    assert (outcome.moved, {f"/w/{outcome.href}"}) == (True, tried)
    assert outcome.sought != "u%40h.ics"
