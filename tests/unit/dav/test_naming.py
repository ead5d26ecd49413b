"""New items get names that every server takes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.dav import hrefs, naming


def test_a_plain_name_is_kept() -> None:
    assert naming.new_href("lunch@example.org.ics", "u", set()) == "lunch@example.org.ics"


@pytest.mark.parametrize(
    "href", ["a%20b.ics", "a b.ics", ".hidden.ics", "a", "a.ics\n", "ü.ics", "a/b.ics", "a" * 300]
)
def test_any_other_name_becomes_a_plain_one(href: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,41}-[0-9a-f]{8}\.ics", naming.new_href(href, "u", set()))


def test_a_name_that_is_taken_is_avoided() -> None:
    first = naming.new_href("a.ics", "u", {hrefs.key("a.ics")})
    assert re.fullmatch(r"a-[0-9a-f]{8}\.ics", first)
    taken = {hrefs.key("a.ics"), hrefs.key(first)}
    assert naming.new_href("a.ics", "u", taken) not in {"a.ics", first}
    assert naming.new_href("a.ics", "u", taken) != naming.new_href("a.ics", "v", taken)


@given(st.text(), st.text())
def test_different_items_get_different_names(one: str, other: str) -> None:
    names = {naming.new_href(href, "", set()) for href in (one, other)}
    assert len(names) == len({one, other})
