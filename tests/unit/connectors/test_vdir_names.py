import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.connectors.vdir_names import (
    MAX_NAME_BYTES,
    folder_name,
    hashed_folder_name,
    hashed_item_name,
    plain_folder_name,
    plain_item_name,
)

SAFE = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9._@-]*")


@pytest.mark.parametrize("href", ["lunch.ics", "A-1_b@example.org.ics", "1.2.ics"])
def test_a_safe_href_is_its_own_file_name(href: str) -> None:
    assert plain_item_name(href) == href


@pytest.mark.parametrize(
    "href",
    [
        "a b.ics",
        "a%20b.ics",
        "a/b.ics",
        "../b.ics",
        ".hidden.ics",
        "no-suffix",
        "é.ics",
        "con.ics",
        "LPT1.x.ics",
        "a" * 97 + ".ics",
        ".ics",
        "",
    ],
)
def test_an_unsafe_href_has_no_plain_file_name(href: str) -> None:
    assert plain_item_name(href) is None


def test_a_hashed_name_stays_readable() -> None:
    assert hashed_item_name("team%20lunch.ics") == "team-lunch-9f045864.ics"


def test_a_name_without_a_safe_letter_still_gets_one() -> None:
    assert re.fullmatch(r"item-[0-9a-f]{8}\.ics", hashed_item_name("会议.ics"))
    assert re.fullmatch(r"calendar-[0-9a-f]{8}", hashed_folder_name("会议"))


@pytest.mark.parametrize("text", ["x.", "nul", "Aux.old", "..", "a/b"])
def test_a_folder_is_never_called_what_a_file_system_refuses(text: str) -> None:
    assert plain_folder_name(text) is None
    assert folder_name(text) == hashed_folder_name(text)


def test_a_safe_folder_name_is_kept() -> None:
    assert folder_name("family.2026") == "family.2026"


@given(st.text())
def test_every_hashed_name_is_safe_on_every_file_system(href: str) -> None:
    for name in (hashed_item_name(href), hashed_folder_name(href)):
        assert len(name) <= MAX_NAME_BYTES
        assert SAFE.fullmatch(name)
    assert plain_item_name(hashed_item_name(href)) == hashed_item_name(href)


@given(st.text(), st.text())
def test_different_hrefs_have_different_hashed_names(one: str, other: str) -> None:
    assert (hashed_item_name(one) == hashed_item_name(other)) == (one == other)
