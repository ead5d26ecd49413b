from datetime import datetime

import pytest

from caldav_run.ical import values
from caldav_run.ical.values import Duration, Moment


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("20260501", "X", Moment(datetime(2026, 5, 1), None, all_day=True)),  # noqa: DTZ001
        ("20260501T080910", None, Moment(datetime(2026, 5, 1, 8, 9, 10), None, all_day=False)),  # noqa: DTZ001
        ("20260501T080910Z", "X", Moment(datetime(2026, 5, 1, 8, 9, 10), "UTC", all_day=False)),  # noqa: DTZ001
        (" 20260630T235960 ", "X", Moment(datetime(2026, 6, 30, 23, 59, 59), "X", all_day=False)),  # noqa: DTZ001
    ],
)
def test_a_date_or_time_is_read(text: str, zone: str | None, expected: Moment) -> None:
    assert values.parse_moment(text, zone) == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "20261301", "20260501T250000", "2026-05-01", "00000101"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"date|month|hour|year"):
        values.parse_moment(text)


@pytest.mark.parametrize(
    ("text", "days", "seconds"),
    [
        ("PT15M", 0, 900),
        ("-P1DT2H3M4S", -1, -7384),
        ("+p1w", 7, 0),
        ("P1W2D", 9, 0),
        ("PT0S", 0, 0),
    ],
)
def test_a_duration_is_read(text: str, days: int, seconds: int) -> None:
    found = values.parse_duration(text)
    assert found == Duration(days, seconds)
    assert found.total_s == days * 86_400 + seconds


@pytest.mark.parametrize("text", ["", "P", "PT", "1H", "P9999999999D", "PT1.5H"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|long"):
        values.parse_duration(text)


def test_a_wall_clock_stops_at_the_ends_of_time() -> None:
    assert values.shift(values.LAST, 1) == values.LAST
    assert values.shift(values.FIRST, 0, -1) == values.FIRST


def test_text_is_unescaped() -> None:
    assert values.unescape("a\\, b\\; c\\\\n\\n\\Nd\\x") == "a, b; c\\n\n\ndx"
    assert values.split_list("a\\,b, c,,d") == ["a,b", "c", "d"]


def test_plain_text_can_be_printed_and_encoded() -> None:
    assert values.plain("a\x1b[1m\udcffb").encode() == "a [1m\ufffdb".encode()
