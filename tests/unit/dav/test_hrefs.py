"""Hrefs keep the server's spelling and are compared through it."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.dav import hrefs

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def test_a_member_is_named_relative_to_its_collection() -> None:
    assert hrefs.relative("/home/work/a%20b.ics", "/home/work/") == "a%20b.ics"


def test_the_collection_itself_has_an_empty_name() -> None:
    assert hrefs.relative("/home/work/", "/home/work/") == ""


def test_a_collection_without_its_final_slash_is_still_the_collection() -> None:
    assert hrefs.relative("/home/work", "https://example.org/home/work/") == ""


def test_a_whole_url_is_named_like_a_path() -> None:
    assert hrefs.relative("https://example.org/home/work/a.ics", "/home/work/") == "a.ics"


def test_a_relative_href_stays() -> None:
    assert hrefs.relative("a.ics", "/home/work/") == "a.ics"


@pytest.mark.parametrize("href", ["/al%40home/work/a.ics", "/al%40Home/../a", "/a.ics"])
def test_another_spelling_of_the_collection_is_seen_through(href: str) -> None:
    inside = href.startswith("/al%40home")
    assert hrefs.relative(href, "/al@home/work/") == ("a.ics" if inside else None)


def test_a_neighbour_with_the_same_beginning_lies_outside() -> None:
    assert hrefs.relative("/home/workshop/a.ics", "/home/work/") is None


def test_escapes_in_lower_and_upper_case_are_one_name() -> None:
    assert hrefs.key("/a%c3%bc") == hrefs.key("/a%C3%BC") == hrefs.key("/aü")


def test_a_slash_inside_a_name_is_no_separator() -> None:
    assert hrefs.key("/a%2Fb") != hrefs.key("/a/b")


def test_an_escaped_escape_is_no_slash() -> None:
    assert hrefs.key("/a%252Fb") != hrefs.key("/a%2Fb")


def test_a_url_without_a_real_host_leads_nowhere_else() -> None:
    found = hrefs.resolve("https://example.org/w/", "https://[x/a.ics")
    assert found == "https://example.org/w/https://%5Bx/a.ics"


def test_bytes_that_are_no_utf8_stay_apart() -> None:
    assert hrefs.key("/%E9") != hrefs.key("/%E8")


def test_a_bare_question_mark_belongs_to_the_name() -> None:
    assert hrefs.path_of("https://example.org/a?b") == "/a?b"
    assert hrefs.resolve("https://example.org/", "/a?b") == "https://example.org/a%3Fb"


def test_a_url_without_a_path_is_the_root() -> None:
    assert hrefs.path_of("https://example.org") == "/"


def test_a_name_with_a_colon_is_no_scheme() -> None:
    assert hrefs.resolve("https://example.org/w/", "a:b.ics") == "https://example.org/w/a:b.ics"


def test_two_slashes_are_no_host() -> None:
    assert hrefs.resolve("https://example.org/w/", "//evil/a") == "https://example.org//evil/a"


def test_a_url_leads_to_its_own_host() -> None:
    assert hrefs.resolve("https://a.example/w/", "https://b.example/x") == "https://b.example/x"


def test_escapes_are_not_escaped_again() -> None:
    assert hrefs.resolve("https://example.org/w/", "a%20b c.ics").endswith("/w/a%20b%20c.ics")


@given(names, names)
def test_names_are_alike_only_when_they_are_the_same(one: str, other: str) -> None:
    first, second = (hrefs.key("/" + quote(name, safe="")) for name in (one, other))
    assert (first == second) == (one == other)


@given(names)
def test_every_spelling_of_a_member_resolves_to_the_same_name(name: str) -> None:
    quoted = quote(name, safe="")
    member = hrefs.relative(f"/home/work/{quoted}", "/home/work/")
    assert member == quoted
    assert hrefs.resolve("https://example.org/home/work/", member).endswith(f"/work/{quoted}")
