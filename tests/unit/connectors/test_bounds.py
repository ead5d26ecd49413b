from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.connectors.bounds import FixedBound, MovingBound, day_start, parse_bound
from caldav_run.errors import SetupError

BERLIN = ZoneInfo("Europe/Berlin")


def day(text: str) -> int:
    return day_start(date.fromisoformat(text), BERLIN)


@pytest.mark.parametrize(
    ("text", "today", "expected"),
    [
        ("-30d", "2026-05-31", "2026-05-01"),
        ("2w", "2026-05-01", "2026-05-15"),
        ("+6m", "2026-08-31", "2027-02-28"),
        ("-1y", "2024-02-29", "2023-02-28"),
        ("0d", "2026-05-01", "2026-05-01"),
        ("-9999y", "2026-05-01", "0001-01-01"),
        ("99999d", "9999-01-01", "9999-12-31"),
        ("-99999d", "0001-01-02", "0001-01-01"),
        ("99999y", "2026-05-01", "9999-12-31"),
    ],
)
def test_a_moving_bound_is_the_start_of_a_day(text: str, today: str, expected: str) -> None:
    assert parse_bound(text, BERLIN).at(date.fromisoformat(today)) == day(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-01", datetime(2026, 4, 30, 22, tzinfo=UTC)),
        ("2026-05-01T08:00", datetime(2026, 5, 1, 6, tzinfo=UTC)),
        ("2026-05-01T08:00:00Z", datetime(2026, 5, 1, 8, tzinfo=UTC)),
        ("2026-05-01 08:00:00-05:00", datetime(2026, 5, 1, 13, tzinfo=UTC)),
    ],
)
def test_a_fixed_bound_lies_in_the_pipelines_zone_unless_it_says_more(
    text: str, expected: datetime
) -> None:
    bound = parse_bound(text, BERLIN)
    assert bound == FixedBound(int(expected.timestamp()))
    assert bound.reaches(2**40, date(2026, 5, 1)) is None


@pytest.mark.parametrize("text", ["", "soon", "1h", "2026-13-01", "2026-5-1", "20260501", "--1d"])
def test_what_is_no_time_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(SetupError, match=r"is no time; write a date \(2026-05-01\)"):
        parse_bound(text, BERLIN)


MOVING = st.builds(MovingBound, st.integers(-800, 800), st.integers(-30, 30), st.just(BERLIN))
DATES = st.dates(date(1990, 1, 1), date(2050, 1, 1))


@given(MOVING, DATES)
def test_a_moving_bound_never_steps_back(bound: MovingBound, today: date) -> None:
    assert bound.at(today) <= bound.at(today + timedelta(days=1))


@given(MOVING, DATES, st.integers(-(10**8), 10**8))
def test_a_moving_bound_reaches_a_time_on_the_day_that_it_names(
    bound: MovingBound, today: date, ahead: int
) -> None:
    target = bound.at(today) + ahead
    at = bound.reaches(target, today)
    assert at is not None
    reached = at.astimezone(BERLIN).date()
    assert reached > today
    assert bound.at(reached) >= target
    assert reached == today + timedelta(days=1) or bound.at(reached - timedelta(days=1)) < target


def test_a_bound_that_stops_at_the_year_9999_reaches_nothing_beyond() -> None:
    assert MovingBound(0, 0, UTC).reaches(2**53, date(2026, 5, 1)) is None
