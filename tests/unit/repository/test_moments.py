from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from caldav_run.repository.moments import first_moment, last_moment

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 31, 12, tzinfo=BERLIN)
# The zone in which days end is said; the machine's own means nothing.
pytestmark = pytest.mark.usefixtures("elsewhere")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-01", "2026-05-01T21:59:59.999999+00:00"),
        ("20260501", "2026-05-01T21:59:59.999999+00:00"),
        ("2026-05-01T08:00:00+01:00", "2026-05-01T07:00:00+00:00"),
        ("2026-05-01 08:00", "2026-05-01T06:00:00+00:00"),
        ("2026-05-01T08:00Z", "2026-05-01T08:00:00+00:00"),
        ("today", "2026-03-31T21:59:59.999999+00:00"),
        ("Yesterday", "2026-03-30T21:59:59.999999+00:00"),
        ("90 minutes ago", "2026-03-31T08:30:00+00:00"),
        ("an hour ago", "2026-03-31T09:00:00+00:00"),
        ("3 days ago", "2026-03-28T11:00:00+00:00"),
        ("  2   Weeks ago ", "2026-03-17T11:00:00+00:00"),
        ("a month ago", "2026-02-28T11:00:00+00:00"),
        ("14 months ago", "2025-01-31T11:00:00+00:00"),
        ("2 years ago", "2024-03-31T10:00:00+00:00"),
    ],
)
def test_a_time_in_words_is_its_last_moment(text: str, moment: str) -> None:
    found = last_moment(text, NOW)
    assert found is not None
    assert found.isoformat() == moment


def test_a_day_on_which_the_clock_goes_back_over_midnight_ends_late() -> None:
    now = datetime(2026, 5, 1, tzinfo=ZoneInfo("America/Havana"))
    found = last_moment("2026-10-31", now)
    assert found == datetime(2026, 11, 1, 3, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-01", "2026-04-30T22:00:00+00:00"),
        ("yesterday", "2026-03-29T22:00:00+00:00"),
        ("3 days ago", "2026-03-28T11:00:00+00:00"),
    ],
)
def test_the_first_moment_of_a_day_is_its_start(text: str, moment: str) -> None:
    found = first_moment(text, NOW)
    assert found is not None
    assert found.isoformat() == moment


@pytest.mark.parametrize("text", ["9999 years ago", "999999 weeks ago", "999999 months ago"])
def test_longer_ago_than_there_are_years_is_the_first_moment(text: str) -> None:
    assert last_moment(text, NOW) == datetime.min.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "soon", "2026", "2026-13-01", "2 weaks ago", "-1 days ago", "1 day", "٣ days ago"]
)
def test_another_text_is_no_time(text: str) -> None:
    assert last_moment(text, NOW) is None


def test_a_day_whose_end_lies_beyond_the_last_year_is_no_time() -> None:
    west = datetime(2026, 5, 1, tzinfo=ZoneInfo("America/New_York"))
    assert last_moment("9999-12-31", west) is None
