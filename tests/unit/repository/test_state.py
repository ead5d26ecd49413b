"""What rows leave behind, one after the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.model import Op
from caldav_run.repository.rows import Row
from caldav_run.repository.state import State

TEXTS = st.none() | st.text(max_size=9)
ITEM = Row(1, Op.ADD, "family", "a.ics", sha256="a" * 64, object="b" * 64, member="f/1-a.ics")
CALENDAR = Row(1, Op.CALENDAR, "family")


def state_of(*rows: Row) -> State:
    state = State()
    for row in rows:
        state.apply(row)
    return state


@given(
    row=st.builds(
        Row,
        seq=st.integers(0, 99),
        op=st.sampled_from([Op.ADD, Op.SAME, Op.EXCLUDED, Op.UNREAD]),
        calendar=st.text(max_size=9),
        href=st.text(max_size=9),
        etag=TEXTS,
        sha256=TEXTS,
        size=st.none() | st.integers(0),
        object=TEXTS,
        member=TEXTS,
        uid=TEXTS,
        provenance=TEXTS,
        extra=st.dictionaries(st.sampled_from(["reason", "read"]), st.text(max_size=9)),
    )
)
def test_a_row_comes_out_as_it_went_in(row: Row) -> None:
    assert row.href is not None
    state = state_of(ITEM, row)
    assert state.item(row.calendar, row.href) == row
    assert (row.href, row) in list(state.items(row.calendar))
    assert row.href in state.hrefs(row.calendar)


def test_the_newest_row_counts() -> None:
    newer = ITEM._replace(seq=2, object="c" * 64)
    assert state_of(ITEM, newer).item("family", "a.ics") == newer


def test_an_item_that_is_gone_is_no_more_and_its_neighbour_stays() -> None:
    other = ITEM._replace(href="b.ics")
    state = state_of(ITEM, other, ITEM._replace(seq=2, op=Op.GONE))
    assert state.item("family", "a.ics") is None
    assert dict(state.items("family")) == {"b.ics": other}


def test_an_item_that_never_was_may_be_gone() -> None:
    state = state_of(ITEM._replace(op=Op.GONE))
    assert state.known() == set()
    assert list(state.items("family")) == []
    assert state.item("family", "a.ics") is None


@pytest.mark.parametrize(("op", "calendars"), [(Op.CALENDAR_GONE, []), (Op.EXCLUDED, ["family"])])
def test_items_go_with_their_calendar(op: Op, calendars: list[str]) -> None:
    state = state_of(CALENDAR, ITEM, ITEM._replace(calendar="work"), CALENDAR._replace(op=op))
    assert list(state.calendars) == calendars
    assert list(state.hrefs("family")) == []
    assert list(state.hrefs("work")) == ["a.ics"]
    assert state.known() == {*calendars, "work"}


@pytest.mark.parametrize("op", [Op.CALENDAR, Op.UNREAD])
def test_items_stay_while_their_calendar_is_there(op: Op) -> None:
    row = Row(2, op, "family")
    state = state_of(CALENDAR, ITEM, row)
    assert state.calendars == {"family": row}
    assert list(state.hrefs("family")) == ["a.ics"]


def test_a_calendar_that_never_was_may_be_gone() -> None:
    assert state_of(Row(2, Op.CALENDAR_GONE, "family")).known() == set()


def test_what_happens_to_a_copy_leaves_the_original_alone() -> None:
    state = state_of(CALENDAR, ITEM)
    copy = state.copy()
    other = ITEM._replace(href="b.ics", object="c" * 64)
    for row in (other, ITEM._replace(op=Op.GONE), Row(2, Op.CALENDAR, "work")):
        copy.apply(row)
    assert dict(state.items("family")) == {"a.ics": ITEM}
    assert list(state.calendars) == ["family"]
    assert dict(copy.items("family")) == {"b.ics": other}
    assert list(copy.calendars) == ["family", "work"]
