"""Which calendars an account's `calendars:` option chooses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.connectors.selection import Selection
from caldav_run.errors import SetupError
from caldav_run.model import Calendar

WORK = Calendar(id="work-7f", display_name="Work")
NAMELESS = Calendar(id="private")
patterns = st.lists(st.text(max_size=5), max_size=4)


def test_without_the_option_every_calendar_is_chosen() -> None:
    assert Selection.from_option(None).selects(WORK)


def test_a_list_includes_by_display_name() -> None:
    assert Selection.from_option(["W*"]).selects(WORK)


def test_a_list_includes_by_id() -> None:
    assert Selection.from_option(["work-*"]).selects(WORK)


def test_a_calendar_without_a_name_is_matched_by_its_id() -> None:
    assert Selection.from_option(["private"]).selects(NAMELESS)


def test_what_no_pattern_matches_is_left_out() -> None:
    assert not Selection.from_option(["Home"]).selects(WORK)


def test_an_empty_list_chooses_nothing() -> None:
    assert not Selection.from_option([]).selects(WORK)


def test_upper_and_lower_case_differ() -> None:
    assert not Selection.from_option(["WORK"]).selects(WORK)


def test_exclude_alone_leaves_the_others_in() -> None:
    selection = Selection.from_option({"exclude": ["Work"]})
    assert not selection.selects(WORK)
    assert selection.selects(NAMELESS)


def test_exclude_wins_over_include() -> None:
    assert not Selection.from_option({"include": ["*"], "exclude": ["Work"]}).selects(WORK)


def test_the_text_does_not_depend_on_order_or_repetition() -> None:
    one = Selection.from_option({"include": ["a", "b", "a"], "exclude": ["d", "c"]})
    other = Selection.from_option({"exclude": ["c", "d"], "include": ["b", "a"]})
    assert one.text == other.text


def test_including_nothing_is_not_including_everything() -> None:
    assert Selection.from_option([]).text != Selection.from_option(None).text


@given(one=st.none() | patterns, other=st.none() | patterns, out=patterns, name=st.text(max_size=5))
def test_equal_texts_choose_alike(
    one: list[str] | None, other: list[str] | None, out: list[str], name: str
) -> None:
    first = Selection.from_option({"include": one, "exclude": out})
    second = Selection.from_option({"include": other, "exclude": out})
    calendar = Calendar(id=name)
    assert first.text != second.text or first.selects(calendar) == second.selects(calendar)


@pytest.mark.parametrize("value", ["Work", 3, [1], {"only": ["a"]}, {"include": "a"}])
def test_another_shape_is_refused(value: object) -> None:
    with pytest.raises(SetupError, match="include and exclude"):
        Selection.from_option(value)


def test_an_umlaut_matches_however_it_is_spelled() -> None:
    composed, taken_apart = "B\u00fcro", "Bu\u0308ro"
    assert Selection((composed,)).selects(Calendar(id="1", display_name=taken_apart))
    assert not Selection(exclude=(taken_apart,)).selects(Calendar(id="1", display_name=composed))
