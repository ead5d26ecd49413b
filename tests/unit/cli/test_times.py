from datetime import UTC, datetime, timedelta, timezone

import pytest

from caldav_run.cli.times import when


@pytest.mark.parametrize(
    ("passed", "expected"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=47), "1 day ago"),
        (timedelta(days=400), "400 days ago"),
        (timedelta(days=-3), "just now"),
    ],
)
def test_a_time_is_told_with_its_distance(passed: timedelta, expected: str) -> None:
    told = when(datetime.now(UTC) - passed)
    assert told.endswith(f" UTC ({expected})")


def test_times_are_told_in_utc() -> None:
    there = datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert when(there).startswith("2026-05-01 10:00:00 UTC (")
