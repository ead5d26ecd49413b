"""Items are written under conditions, and refusals told in the server's words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.dav import hrefs, writing
from caldav_run.dav.collections import Collection
from caldav_run.dav.connection import Connection
from caldav_run.errors import ItemError, TemporaryError
from caldav_run.model import Calendar
from caldav_run.testing.scripted import Answer, ScriptedServer


def put(server: ScriptedServer, connection: Connection, condition: str | None = None) -> None:
    collection = Collection(Calendar(id="w"), f"{server.url}w/")
    writing.put(connection, collection, "a%20b.ics", b"body\n", condition)


def test_a_new_item_is_written_only_where_nothing_is(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = lambda _: Answer(201)
    put(server, connection)
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.body) == ("PUT", "/w/a%20b.ics", b"body\n")
    assert asked.headers["if-none-match"] == "*"
    assert "if-match" not in asked.headers
    assert asked.headers["content-type"] == "text/calendar; charset=utf-8"


def test_an_item_is_replaced_only_in_the_version_that_was_seen(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = lambda _: Answer(204)
    put(server, connection, '"7"')
    assert server.asked[0].headers["if-match"] == '"7"'
    assert "if-none-match" not in server.asked[0].headers


def test_a_failed_condition_means_that_it_changed(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = lambda _: Answer(412)
    with pytest.raises(ItemError, match="changed meanwhile"):
        put(server, connection)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 415, 500])
def test_a_refusal_concerns_the_item(
    server: ScriptedServer, connection: Connection, status: int
) -> None:
    server.script = lambda _: Answer(status, b"Because", {"Content-Type": "text/plain"})
    with pytest.raises(ItemError, match=f"{status} .*: Because"):
        put(server, connection)


@pytest.mark.parametrize("status", [429, 503, 507])
def test_a_full_or_busy_server_concerns_every_item(
    server: ScriptedServer, connection: Connection, waits: list[float], status: int
) -> None:
    server.script = lambda _: Answer(status)
    with pytest.raises(TemporaryError):
        put(server, connection)
    assert len(waits) <= 2


def test_a_broken_connection_leaves_it_open_whether_it_was_written(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = lambda _: Answer(400, b"a", broken=True)
    with pytest.raises(ItemError, match="not known whether"):
        put(server, connection)


def test_a_plain_name_is_kept() -> None:
    assert writing.new_href("lunch@example.org.ics", "u", set()) == "lunch@example.org.ics"


@pytest.mark.parametrize(
    "href", ["a%20b.ics", "a b.ics", ".hidden.ics", "a", "a.ics\n", "ü.ics", "a/b.ics", "a" * 300]
)
def test_any_other_name_becomes_a_plain_one(href: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,41}-[0-9a-f]{8}\.ics", writing.new_href(href, "u", set()))


def test_a_name_that_is_taken_is_avoided() -> None:
    first = writing.new_href("a.ics", "u", {hrefs.key("a.ics")})
    assert re.fullmatch(r"a-[0-9a-f]{8}\.ics", first)
    taken = {hrefs.key("a.ics"), hrefs.key(first)}
    assert writing.new_href("a.ics", "u", taken) not in {"a.ics", first}
    assert writing.new_href("a.ics", "u", taken) != writing.new_href("a.ics", "v", taken)


@given(st.text(), st.text())
def test_different_items_get_different_names(one: str, other: str) -> None:
    names = {writing.new_href(href, "", set()) for href in (one, other)}
    assert len(names) == len({one, other})
