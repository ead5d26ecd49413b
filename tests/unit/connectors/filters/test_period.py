from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caldav_run.connectors.filters.period import PeriodFilter
from caldav_run.connectors.protocol import Context
from caldav_run.errors import SetupError
from caldav_run.ical.view import ItemView
from caldav_run.testing.contracts import FilterCases, FilterContract
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.contracts.filters import view

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def made(start: str | None = None, stop: str | None = None) -> PeriodFilter:
    options = {key: text for key, text in (("from", start), ("to", stop)) if text}
    place = Context(name="x", pipeline="x", timezone=BERLIN, now=NOW, state_dir=Path())
    return PeriodFilter.from_options(options, place)


def on(day: str, *more: str) -> ItemView:
    """An event of an hour, at noon UTC on this day."""
    body = event("a").replace(b"DTSTART:20260504T110000Z", f"DTSTART:{day}T120000Z".encode())
    body = body.replace(b"DTEND:20260504T120000Z", "\r\n".join(["DURATION:PT1H", *more]).encode())
    return view(body)


class TestContract(FilterContract):
    @pytest.fixture
    def cases(self) -> FilterCases:
        return FilterCases(
            lambda: made("-30d", "2w"),
            lambda: made("-30d"),
            [on("20260401"), on("20260514"), on("20200101", "RRULE:FREQ=MONTHLY")],
            [on("20260331"), on("20260515"), on("20200101", "RRULE:FREQ=DAILY;COUNT=99")],
        )


DAILY = "RRULE:FREQ=DAILY;UNTIL=20260601T120000Z"


def until(judged: datetime | None) -> str:
    return "never" if judged is None else f"{judged.astimezone(BERLIN):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("each", "start", "stop", "keep", "changes"),
    [
        (on("20260501"), "-30d", None, True, "2026-06-01 00:00"),
        (on("20260501"), "2026-04-01", None, True, "never"),
        (on("20260501"), None, "1m", True, "never"),
        (on("20260401"), "-7d", None, False, "never"),
        (on("20260801"), "-7d", "1m", False, "2026-07-02 00:00"),
        (on("20260801"), None, "2026-07-01", False, "never"),
        (on("20260101", "RRULE:FREQ=WEEKLY"), "-1y", None, True, "never"),
        (on("20260101", DAILY), "-1y", None, True, "2027-06-02 00:00"),
        (on("20260101", DAILY), "-1y", "0d", True, "2027-05-01 00:00"),
        (on("20260101", "RRULE:FREQ=YEARLY"), "0d", "1m", False, "2026-12-02 00:00"),
    ],
)  # fmt: skip
def test_an_answer_says_when_it_can_change(
    each: ItemView, start: str | None, stop: str | None, *, keep: bool, changes: str
) -> None:
    judgement = made(start, stop).judge(each, NOW)
    assert judgement.problem is None
    assert (judgement.keep, until(judgement.valid_until)) == (keep, changes)


RULES = st.sampled_from(
    (
        "RRULE:FREQ=DAILY;INTERVAL=11;COUNT=9",
        "RRULE:FREQ=WEEKLY",
        "RRULE:FREQ=MONTHLY;BYDAY=-1FR",
        "RRULE:FREQ=YEARLY",
        "RRULE:FREQ=WEEKLY;UNTIL=20260701T000000Z",
        "RDATE:20260901T120000Z",
        "X-NONE:1",
    )
)
ENDS = st.sampled_from((None, "-1y", "-1m", "-3w", "0d", "10d", "2m", "1y", "2026-03-01"))
DAYS = st.dates(date(2025, 1, 1), date(2027, 1, 1))


@settings(max_examples=100, deadline=None)
@given(DAYS, RULES, ENDS, ENDS, DAYS)
def test_an_answer_holds_until_it_says(
    start: date, rule: str, low: str | None, high: str | None, today: date
) -> None:
    try:
        one = made(low, high)
    except SetupError:
        return
    each = on(f"{start:%Y%m%d}", rule)
    now = datetime(today.year, today.month, today.day, 9, tzinfo=BERLIN)
    first = one.judge(each, now)
    end = first.valid_until or now + timedelta(days=800)
    assert end > now
    for days in range(0, 800, 5):
        later = now + timedelta(days=days)
        if later < end:
            assert one.judge(each, later).keep == first.keep
    last = end - timedelta(seconds=1)
    assert one.judge(each, last).keep == first.keep


def test_an_item_whose_times_cannot_be_told_stays() -> None:
    judgement = made("2030-01-01").judge(on("soon"), NOW)
    assert judgement.keep
    assert judgement.problem is not None
    assert judgement.problem.startswith("cannot tell when it takes place: 'soonT120000Z'")


def test_an_item_that_takes_too_long_stays() -> None:
    each = on("20260101", "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30")
    judgement = made("2030-01-01").judge(each, NOW)
    assert judgement.keep
    assert judgement.problem is not None
    # It takes place today for certain; until when is too much work, so it is asked again tomorrow.
    assert made("-1y").judge(each, NOW)[1:] == (datetime(2026, 5, 1, 22, tzinfo=UTC), None)


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    for low, high in (("0d", "-1d"), ("2026-05-01", "2026-05-01")):
        with pytest.raises(SetupError, match="ends before it starts"):
            made(low, high)
    made("2027-01-01", "1m")
