import re
from datetime import datetime, timedelta
from itertools import islice, takewhile

import pytest
from dateutil.rrule import rrulestr  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from caldav_run.ical.recurrence import Rule
from caldav_run.ical.rule_text import parse_rule
from caldav_run.ical.steps import Steps, TooLongError

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
SHORT = re.compile("FREQ=(HOUR|MINUTE|SECOND)LY")
START = datetime(2024, 1, 31, 10, 30)  # noqa: DTZ001 - a wall clock


def rule(text: str, start: datetime = START) -> Rule:
    return parse_rule(text, start)


def first(text: str, count: int, start: datetime = START) -> list[str]:
    found = islice(rule(text, start).forward(start, Steps()), count)
    return [f"{at:%Y%m%dT%H%M%S}" for at in found]


def numbers(low: int, high: int) -> st.SearchStrategy[str]:
    each = st.integers(low, high).filter(bool) if low < 0 else st.integers(low, high)
    return st.sets(each, min_size=1, max_size=4).map(lambda found: ",".join(map(str, found)))


@st.composite
def rules(draw: st.DrawFn) -> str:
    """A rule that dateutil reads the same way."""
    names = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
    frequency = draw(st.sampled_from(names))
    parts = {"FREQ": frequency, "INTERVAL": str(draw(st.sampled_from((1, 2, 3, 7, 50))))}
    optional = {
        "WKST": st.sampled_from(DAYS),
        "BYMONTH": numbers(1, 12),
        "BYMONTHDAY": numbers(-31, 31),
        "BYHOUR": numbers(0, 23),
        "BYMINUTE": numbers(0, 59),
        "BYSECOND": numbers(0, 59),
    }
    if frequency == "YEARLY":
        optional |= {"BYYEARDAY": numbers(-366, 366)}
    day = st.sampled_from(DAYS)
    if frequency in {"YEARLY", "MONTHLY"} and draw(st.booleans()):
        nth = st.sampled_from(("1", "2", "-1", "5", "-5"))
        day = st.builds("{}{}".format, nth, day)
    optional["BYDAY"] = st.sets(day, min_size=1, max_size=3).map(",".join)
    for name in draw(st.sets(st.sampled_from(sorted(optional)), max_size=3)):
        parts[name] = draw(optional[name])
    # dateutil counts positions in a week from the start itself, not from the week's first day.
    if frequency != "WEEKLY" and draw(st.booleans()) and any(name[:2] == "BY" for name in parts):
        parts["BYSETPOS"] = draw(numbers(-3, 3))
    if frequency == "YEARLY" and parts.get("BYDAY", "9")[0].isalpha() and draw(st.booleans()):
        parts["BYWEEKNO"] = draw(numbers(-53, 53))
    return ";".join(f"{name}={value}" for name, value in parts.items())


STARTS = st.datetimes(datetime(1999, 1, 1), datetime(2025, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0)
)


def walked(text: str, start: datetime) -> list[datetime] | None:
    """The first starts, as far as dateutil gets there in good time; None where there are none."""
    end = start + timedelta(days=2 if SHORT.match(text) else 730)
    try:
        found = takewhile(lambda at: at < end, rule(text, start).forward(start, Steps(20_000)))
        return list(islice(found, 40))
    except TooLongError:
        return None


@settings(max_examples=80, deadline=None)
@given(rules(), STARTS)
def test_a_walk_gives_what_dateutil_gives(text: str, start: datetime) -> None:
    found = walked(text, start)
    if found:  # dateutil would look for what is not there until the year 9999
        expected = rrulestr(text, dtstart=start)
        assert found == list(islice(expected, len(found)))


@settings(max_examples=80, deadline=None)
@given(rules(), STARTS, st.integers(0, 39))
def test_a_walk_can_begin_anywhere_and_go_either_way(text: str, start: datetime, at: int) -> None:
    found = walked(text, start) or []
    if at < len(found):
        ahead = (one for one in rule(text, start).forward(found[at], Steps()) if one >= found[at])
        assert list(islice(ahead, len(found) - at)) == found[at:]
        back = rule(text, start).backward(found[at], Steps())
        assert list(islice(back, at + 1)) == found[at::-1]


def test_what_a_rule_does_not_say_comes_from_its_start() -> None:
    assert first("FREQ=MONTHLY", 2) == ["20240131T103000", "20240331T103000"]
    assert first("FREQ=YEARLY", 2) == ["20240131T103000", "20250131T103000"]
    assert first("FREQ=WEEKLY", 2) == ["20240131T103000", "20240207T103000"]
    assert first("FREQ=YEARLY;BYYEARDAY=100,-1", 2) == ["20240409T103000", "20241231T103000"]
    # The weekday too, where only weeks are named: 31 January 2024 is a Wednesday.
    assert first("FREQ=YEARLY;BYWEEKNO=20", 2) == ["20240515T103000", "20250514T103000"]


def test_a_leap_second_counts_as_the_one_before() -> None:
    assert first("FREQ=DAILY;BYSECOND=60", 1) == ["20240131T103059"]


def test_the_last_counted_start_ends_a_rule() -> None:
    last = rule("FREQ=DAILY;COUNT=3").last_counted(Steps())
    assert last == datetime(2024, 2, 2, 10, 30)  # noqa: DTZ001


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MINUTELY;INTERVAL=1440;BYHOUR=1",
        "FREQ=YEARLY;BYDAY=MO,TU;BYHOUR=1,2,3,4,5,6,7,8;BYSECOND=" + ",".join(map(str, range(60)))
        + ";BYMINUTE=" + ",".join(map(str, range(60))),
    ],
)  # fmt: skip
def test_a_rule_that_finds_nothing_ends_in_bounded_work(text: str) -> None:
    with pytest.raises(TooLongError, match="too long"):
        next(rule(text).forward(START, Steps()))


def test_a_count_beyond_reach_ends_in_bounded_work() -> None:
    with pytest.raises(TooLongError):
        rule("FREQ=SECONDLY;COUNT=1000000000").last_counted(Steps())


def test_a_rule_ends_with_the_year_9999() -> None:
    start = datetime(9997, 12, 31, 10)  # noqa: DTZ001
    for text, count in (
        ("FREQ=YEARLY", 3),
        ("FREQ=MONTHLY;BYMONTHDAY=31", 15),
        ("FREQ=DAILY", 731),
    ):
        assert len(list(rule(text, start).forward(start, Steps()))) == count
    assert len(list(rule("FREQ=WEEKLY;BYWEEKNO=52,1", start).forward(start, Steps()))) > 2
    late = datetime(9999, 12, 31, 22, 59, 59)  # noqa: DTZ001
    assert first("FREQ=HOURLY", 9, late) == ["99991231T225959", "99991231T235959"]
    assert rule("FREQ=DAILY;COUNT=9", late).last_counted(Steps()) is None


def test_a_second_in_the_far_past_is_walked_from_where_it_is_asked() -> None:
    old = datetime(1601, 1, 1)  # noqa: DTZ001
    at = datetime(2026, 5, 1, 12)  # noqa: DTZ001
    steps = Steps(12_000)
    assert at in islice(rule("FREQ=SECONDLY", old).forward(at, steps), 3_601)
    assert next(rule("FREQ=SECONDLY", old).backward(at, steps)) == at


@pytest.mark.parametrize(
    "text",
    [
        "",
        "BYDAY=MO",
        "FREQ=NEVER",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;COUNT=x",
        "FREQ=DAILY;UNTIL=soon",
        "FREQ=DAILY;BYHOUR=24",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=MONTHLY;RSCALE=HEBREW",
    ],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"rule|bounds|weekday|date|scale"):
        rule(text)
