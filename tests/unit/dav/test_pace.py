"""How much is asked for at a time."""

import pytest

from caldav_run.dav.pace import FIRST_BATCH, Pace


def test_who_lists_fast_is_asked_for_more_at_first() -> None:
    pace = Pace()
    pace.listed(1000, 0.1)
    assert pace.size > FIRST_BATCH


@pytest.mark.parametrize(("members", "seconds"), [(1000, 1.0), (50, 0.001)])
def test_who_lists_slowly_or_little_is_asked_for_few_at_first(members: int, seconds: float) -> None:
    pace = Pace()
    pace.listed(members, seconds)
    assert pace.size == FIRST_BATCH


def test_a_fast_listing_says_nothing_to_one_that_has_seen_reports_fail() -> None:
    pace = Pace()
    pace.went_badly(2 * FIRST_BATCH)
    pace.listed(1000, 0.1)
    assert pace.size == FIRST_BATCH


def test_no_more_is_asked_for_than_a_server_gives() -> None:
    pace = Pace(largest=200)
    pace.listed(1000, 0.1)
    assert pace.size == 200


def test_a_report_that_took_long_is_followed_by_one_no_larger() -> None:
    pace = Pace()
    pace.went_well(FIRST_BATCH, 50_000, 4.0, 1)
    assert pace.size == FIRST_BATCH


def test_a_report_that_was_quick_is_followed_by_ten_times_as_many() -> None:
    pace = Pace()
    pace.went_well(FIRST_BATCH, 50_000, 0.1, 1)
    assert pace.size == 10 * FIRST_BATCH
