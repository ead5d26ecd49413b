"""Reading one calendar: what is listed, what is fetched, and what goes wrong with single items."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from html import escape

import pytest

from caldav_run.connectors.baseline import Nothing
from caldav_run.dav import fetching, reading
from caldav_run.dav.collections import Collection
from caldav_run.dav.connection import Connection
from caldav_run.dav.failures import UnreachableError
from caldav_run.dav.pace import FIRST_BATCH, next_size
from caldav_run.errors import AccessError
from caldav_run.model import (
    Calendar,
    CalendarDone,
    Changed,
    Failed,
    Item,
    Provenance,
    Reading,
    Unchanged,
)
from caldav_run.testing.contracts.sources import Held
from caldav_run.testing.scripted import Answer, Asked, ScriptedServer, multistatus, response

Read = Callable[..., list[Reading]]


def listed(name: str, etag: str | None = '"1"', extra: str = "") -> str:
    return response(name, extra + (f"<d:getetag>{etag}</d:getetag>" if etag else ""))


def given(name: str, data: str, etag: str | None = '"2"') -> str:
    tag = f"<d:getetag>{etag}</d:getetag>" if etag else ""
    return response(name, f"{tag}<c:calendar-data>{escape(data)}</c:calendar-data>")


def baseline(etags: Mapping[str, str]) -> Held:
    body = b""
    return Held(Item("w", href, etag, body, Provenance.REPORT) for href, etag in etags.items())


class Shelf:
    """A calendar on a scripted server; single answers can be replaced."""

    def __init__(self, items: Mapping[str, str]) -> None:
        self.items = dict(items)
        self.listing = multistatus(*(listed(name) for name in items))
        self.relisting: Answer | None = None
        self.poison: set[str] = set()
        self.poisoned = Answer(207, b"<d:multistatus xmlns:d='DAV:'>\x0b</d:multistatus>")
        self.left_out: set[str] = set()
        self.gets: dict[str, Answer] = {}
        self.batches: list[list[str]] = []

    def __call__(self, asked: Asked) -> Answer:
        if asked.method == "PROPFIND":
            return self.listing if self.relisting is None or not self.batches else self.relisting
        if asked.method == "GET":
            default = Answer(200, b"by GET", {"ETag": '"3"'})
            return self.gets.get(asked.path, default)
        wanted = re.findall("<d:href>(.*?)</d:href>", asked.body.decode())
        self.batches.append(wanted)
        if self.poison & set(wanted):
            return self.poisoned
        rest = [name for name in wanted if name not in self.left_out]
        return multistatus(*(given(name, self.items[name]) for name in rest))


@pytest.fixture
def shelf(server: ScriptedServer) -> Shelf:
    made = Shelf({f"/w/{name}.ics": f"body {name}" for name in "abcd"})
    server.script = made
    return made


@pytest.fixture
def read(server: ScriptedServer, connection: Connection) -> Read:
    def all_readings(known: Mapping[str, str] | None = None) -> list[Reading]:
        collection = Collection(Calendar(id="w"), f"{server.url}w/")
        found = reading.read(connection, collection, baseline(known or {}))
        # When it was read is another matter.
        return [
            replace(each, mark=None) if isinstance(each, CalendarDone) else each for each in found
        ]

    return all_readings


def item(
    href: str, body: str, etag: str | None = '"2"', provenance: Provenance = Provenance.REPORT
) -> Changed:
    return Changed(Item("w", href, etag, body.encode(), provenance))


def test_every_member_is_read_with_the_etag_of_its_bytes(shelf: Shelf, read: Read) -> None:
    assert read() == [*(item(f"{name}.ics", f"body {name}") for name in "abcd"), CalendarDone("w")]
    assert len(shelf.batches) == 1


def test_known_members_are_not_fetched(shelf: Shelf, read: Read) -> None:
    found = read({"a.ics": '"1"', "b.ics": '"old"', "c.ics": '"1"', "d.ics": '"1"'})
    assert Unchanged("w", "a.ics") in found
    assert item("b.ics", "body b") in found
    assert shelf.batches == [["/w/b.ics"]]


def test_an_unchanged_calendar_costs_one_request(
    server: ScriptedServer, shelf: Shelf, read: Read
) -> None:
    read(dict.fromkeys([f"{name}.ics" for name in "abcd"], '"1"'))
    assert shelf.batches == []
    assert len(server.asked) == 1


def test_what_is_no_calendar_object_is_passed_over(shelf: Shelf, read: Read) -> None:
    shelf.listing = multistatus(
        listed("/w/", extra="<d:resourcetype><d:collection/></d:resourcetype>"),
        listed("/w/sub/", extra="<d:resourcetype><d:collection/></d:resourcetype>"),
        listed("/w/notes.txt", extra="<d:getcontenttype>text/plain</d:getcontenttype>"),
        listed(
            "/w/a.ics", extra="<d:getcontenttype>text/calendar;component=vevent</d:getcontenttype>"
        ),
        listed("/w/b.ics", extra="<d:getcontenttype>application/octet-stream</d:getcontenttype>"),
        listed("/w/c.ics", extra="<d:resourcetype/>"),
    )
    read()
    assert shelf.batches == [["/w/a.ics", "/w/b.ics", "/w/c.ics"]]


def test_a_member_without_a_suffix_is_read_where_its_type_says_nothing(
    shelf: Shelf, read: Read
) -> None:
    shelf.items = {"/w/a": "x"}
    shelf.listing = multistatus(
        listed("/w/a", extra="<d:getcontenttype>application/octet-stream</d:getcontenttype>")
    )
    assert item("a", "x") in read()


def test_a_member_that_is_listed_twice_is_read_once(shelf: Shelf, read: Read) -> None:
    shelf.items = {"/w/%c3%bc.ics": "x"}
    shelf.listing = multistatus(listed("/w/%c3%bc.ics"), listed("/w/%C3%BC.ics"))
    assert read() == [item("%c3%bc.ics", "x"), CalendarDone("w")]


def test_a_member_without_an_etag_is_always_read(shelf: Shelf, read: Read) -> None:
    shelf.listing = multistatus(listed("/w/a.ics", etag=None))
    assert item("a.ics", "body a") in read({"a.ics": '"1"'})


def test_a_report_without_an_etag_leaves_the_listed_one(
    server: ScriptedServer, shelf: Shelf, read: Read
) -> None:
    shelf.listing = multistatus(listed("/w/a.ics"))
    server.script = lambda asked: (
        shelf(asked) if asked.method == "PROPFIND" else multistatus(given("/w/a.ics", "x", None))
    )
    assert read() == [item("a.ics", "x", '"1"'), CalendarDone("w")]


@pytest.mark.parametrize(
    ("asked_for", "answered"),
    [
        ("/w/a%20b.ics", "/w/a b.ics"),
        ("/w/a@b.ics", "/w/a%40b.ics"),
        ("/w/%C3%BC.ics", "/w/%c3%bc.ics"),
        ("/w/a.ics", "a.ics"),
        ("a.ics", "/w/a.ics"),
        ("/w/a.ics", "http://127.0.0.1/w/a.ics"),
    ],
)
def test_an_answer_in_another_spelling_is_recognised(
    server: ScriptedServer, read: Read, asked_for: str, answered: str
) -> None:
    server.script = lambda asked: (
        multistatus(listed(asked_for))
        if asked.method == "PROPFIND"
        else multistatus(given(answered, "x"), given("/w/nobody-asked.ics", "y"))
    )
    assert read() == [item(asked_for.removeprefix("/w/"), "x"), CalendarDone("w")]


def test_a_member_that_the_report_leaves_out_is_asked_alone(shelf: Shelf, read: Read) -> None:
    shelf.left_out = {"/w/b.ics"}
    assert item("b.ics", "by GET", '"3"', Provenance.GET) in read()


def test_a_member_that_is_gone_by_now_is_not_named(shelf: Shelf, read: Read) -> None:
    shelf.left_out = {"/w/b.ics"}
    shelf.gets["/w/b.ics"] = Answer(404)
    shelf.relisting = multistatus(*(listed(f"/w/{name}.ics") for name in "acd"))
    found = read()
    assert len(found) == 4
    assert found[-1] == CalendarDone("w")


def test_a_member_that_is_listed_and_never_found_is_a_failure(shelf: Shelf, read: Read) -> None:
    shelf.left_out = {"/w/b.ics"}
    shelf.gets["/w/b.ics"] = Answer(404)
    *_, failed, done = read()
    assert isinstance(failed, Failed)
    assert failed.href == "b.ics"
    assert done == CalendarDone("w")


def test_a_member_that_leads_to_another_server_fails_alone(shelf: Shelf, read: Read) -> None:
    shelf.left_out = {"/w/b.ics"}
    shelf.gets["/w/b.ics"] = Answer(302, b"", {"Location": "http://127.0.0.1:1/b.ics"})
    found = read()
    assert [each.href for each in found if isinstance(each, Failed)] == ["b.ics"]
    assert found[-1] == CalendarDone("w")


def test_a_calendar_that_leads_to_another_server_fails_alone(shelf: Shelf, read: Read) -> None:
    shelf.listing = Answer(302, b"", {"Location": "http://127.0.0.1:1/w/"})
    (found,) = read()
    assert isinstance(found, Failed)
    assert found.href is None
    assert "another server" in found.reason


def test_a_length_that_is_no_length_costs_nothing(shelf: Shelf, read: Read) -> None:
    digits = f"<d:getcontentlength>{'9' * 5000}</d:getcontentlength>"
    shelf.listing = multistatus(listed("/w/a.ics", extra=digits))
    assert [each.item.href for each in read() if isinstance(each, Changed)] == ["a.ics"]


def test_an_empty_body_is_no_item(shelf: Shelf, read: Read) -> None:
    shelf.left_out = {"/w/b.ics"}
    shelf.gets["/w/b.ics"] = Answer(200)
    (failed,) = (each for each in read() if isinstance(each, Failed))
    assert failed.href == "b.ics"
    assert "empty" in failed.reason


def test_an_empty_body_in_a_report_is_asked_again(shelf: Shelf, read: Read) -> None:
    shelf.items["/w/b.ics"] = ""
    assert item("b.ics", "by GET", '"3"', Provenance.GET) in read()


def test_one_character_that_breaks_the_xml_costs_one_item_its_report(
    shelf: Shelf, read: Read
) -> None:
    shelf.poison = {"/w/c.ics"}
    assert read() == [
        item("a.ics", "body a"),
        item("b.ics", "body b"),
        item("d.ics", "body d"),
        item("c.ics", "by GET", '"3"', Provenance.GET),
        CalendarDone("w"),
    ]


@pytest.mark.parametrize("status", [500, 403, 404, 507])
def test_one_member_that_fails_its_batch_fails_alone(shelf: Shelf, read: Read, status: int) -> None:
    shelf.poison = {"/w/c.ics"}
    shelf.poisoned = Answer(status)
    shelf.gets["/w/c.ics"] = Answer(500, b"Out of order", {"Content-Type": "text/plain"})
    found = read()
    (failed,) = [each for each in found if isinstance(each, Failed)]
    assert (failed.calendar, failed.href) == ("w", "c.ics")
    assert "500 Internal Server Error: Out of order" in failed.reason
    assert len(found) == 5
    assert found[-1] == CalendarDone("w")


def test_a_web_page_is_not_taken_for_an_item(shelf: Shelf, read: Read) -> None:
    shelf.left_out = {"/w/b.ics"}
    shelf.gets["/w/b.ics"] = Answer(200, b"<html>", {"Content-Type": "text/html"})
    assert [each.href for each in read() if isinstance(each, Failed)] == ["b.ics"]


@pytest.mark.parametrize("status", [405, 501])
def test_a_server_without_reports_is_read_item_by_item(
    shelf: Shelf, read: Read, status: int
) -> None:
    shelf.poison = set(shelf.items)
    shelf.poisoned = Answer(status)
    found = read()
    assert len(shelf.batches) == 1
    assert [each.item.body for each in found if isinstance(each, Changed)] == [b"by GET"] * 4


@pytest.mark.parametrize("status", [403, 404, 500])
@pytest.mark.usefixtures("waits")
def test_a_calendar_that_cannot_be_listed_fails_alone(
    shelf: Shelf, read: Read, status: int
) -> None:
    shelf.listing = Answer(status)
    (failed,) = read()
    assert isinstance(failed, Failed)
    assert failed.href is None


def test_a_listing_that_breaks_off_names_no_end(shelf: Shelf, read: Read) -> None:
    body = multistatus(listed("/w/a.ics"), listed("/w/b.ics")).body
    shelf.listing = Answer(207, body.removesuffix(b"</d:multistatus>"))
    (failed,) = read({"a.ics": '"1"'})
    assert isinstance(failed, Failed)
    assert failed.href is None


def test_a_server_that_stays_busy_is_given_up(shelf: Shelf, read: Read, waits: list[float]) -> None:
    shelf.poison = set(shelf.items)
    shelf.poisoned = Answer(503)
    shelf.gets = {path: Answer(503) for path in shelf.items}
    found = read()
    assert isinstance(found[-1], Failed)
    assert found[-1].href is None
    assert 10 <= len(waits) <= 16


def test_answers_that_do_not_come_are_waited_for_only_so_often(
    shelf: Shelf, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "PATIENCE", 2)
    shelf.poison = set(shelf.items)
    shelf.poisoned = Answer(207, b"<", broken=True)
    found = read()
    assert isinstance(found[-1], Failed)
    assert found[-1].href is None
    assert len(shelf.batches) <= 3


@pytest.mark.parametrize("place", [0, 37, 99])
def test_one_item_on_which_every_answer_breaks_off_fails_alone(
    server: ScriptedServer, read: Read, place: int
) -> None:
    shelf = Shelf({f"/w/{number:02}.ics": "body" for number in range(100)})
    server.script = shelf
    bad = f"/w/{place:02}.ics"
    shelf.poison = {bad}
    shelf.poisoned = shelf.gets[bad] = Answer(207, b"<", broken=True)
    found = read()
    assert [each.href for each in found if isinstance(each, Failed)] == [f"{place:02}.ics"]
    assert sum(isinstance(each, Changed) for each in found) == 99
    assert found[-1] == CalendarDone("w")


def test_a_password_that_is_refused_meanwhile_ends_the_reading(shelf: Shelf, read: Read) -> None:
    shelf.poison = set(shelf.items)
    shelf.poisoned = Answer(401)
    with pytest.raises(AccessError):
        read()


def test_a_server_that_is_gone_ends_the_reading(connection: Connection) -> None:
    gone = Collection(Calendar(id="w"), "http://127.0.0.1:1/w/")
    trusting = Connection(connection._settings, gone.url)
    with pytest.raises(UnreachableError):
        list(reading.read(trusting, gone, Nothing()))


def test_the_bytes_are_the_reports_text(server: ScriptedServer, read: Read) -> None:
    text = "BEGIN:VCALENDAR\nSUMMARY:ø 🍰  \n\n x\u2028\u0085&<>\nEND:VCALENDAR"
    server.script = lambda asked: (
        multistatus(listed("/w/a.ics"))
        if asked.method == "PROPFIND"
        else multistatus(given("/w/a.ics", text))
    )
    assert read()[0] == item("a.ics", text)


def test_batches_grow_and_stay_below_their_limits() -> None:
    assert next_size(400, 500) == 400
    assert next_size(4000, 500) == 1000
    assert next_size(1000, 100_000) == 20
    assert next_size(200, 10_000_000) == 1
    assert next_size(10, 0) == 10


def test_a_long_calendar_is_read_in_growing_batches(server: ScriptedServer, read: Read) -> None:
    shelf = Shelf({f"/w/{number}.ics": "x" for number in range(1700)})
    server.script = shelf
    assert len(read()) == 1701
    first, *more = [len(batch) for batch in shelf.batches]
    assert first in {FIRST_BATCH, 5 * FIRST_BATCH}  # more where it lists fast
    assert min(more[:-1]) > FIRST_BATCH
    assert max(more) <= 1000
