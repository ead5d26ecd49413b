from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
import recurring_ical_events  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from caldav_run.ical.occurrences import Occurrences, occurrences
from caldav_run.ical.spans import FOREVER
from caldav_run.ical.tree import parse

BERLIN: Final = ZoneInfo("Europe/Berlin")
CUSTOM: Final = (
    "BEGIN:VTIMEZONE",
    "TZID:Own/Place",
    "BEGIN:STANDARD",
    "DTSTART:20001029T030000",
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "END:STANDARD",
    "BEGIN:DAYLIGHT",
    "DTSTART:20000326T020000",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "END:DAYLIGHT",
    "END:VTIMEZONE",
)


def calendar(*lines: str) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""]).encode()


def component(name: str, *lines: str) -> tuple[str, ...]:
    return (f"BEGIN:{name}", "UID:a", *lines, f"END:{name}")


def times(*lines: str) -> Occurrences:
    return occurrences(parse(calendar(*lines)), BERLIN)


def at(text: str) -> int:
    """A time in UTC as seconds since 1970."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def touches(found: Occurrences, start: str, stop: str) -> bool:
    assert found.problems == ()
    return found.touches(at(start), at(stop))


def test_an_event_touches_a_period_that_it_overlaps() -> None:
    found = times(*component("VEVENT", "DTSTART:20260501T080000Z", "DTEND:20260501T100000Z"))
    assert touches(found, "2026-05-01T09:00", "2026-05-01T09:30")
    assert not touches(found, "2026-05-01T10:00", "2026-05-02T00:00")
    assert not touches(found, "2026-04-01T00:00", "2026-05-01T08:00")
    assert touches(found, "2026-05-01T09:59", "2026-05-02T00:00")


def test_an_event_without_an_end_is_an_instant_or_a_day() -> None:
    instant = times(*component("VEVENT", "DTSTART:20260501T080000Z"))
    assert touches(instant, "2026-05-01T08:00", "2026-05-01T08:01")
    assert not touches(instant, "2026-05-01T07:00", "2026-05-01T08:00")
    # Midnight in Berlin is 22:00 UTC on the day before.
    day = times(*component("VEVENT", "DTSTART;VALUE=DATE:20260501"))
    assert touches(day, "2026-05-01T21:00", "2026-05-02T00:00")
    assert not touches(day, "2026-05-01T22:00", "2026-05-03T00:00")
    assert touches(day, "2026-04-30T22:00", "2026-04-30T22:01")


def test_a_floating_time_lies_in_the_zone_of_the_pipeline() -> None:
    found = times(*component("VEVENT", "DTSTART:20260501T100000", "DURATION:PT1H"))
    assert touches(found, "2026-05-01T08:30", "2026-05-01T08:31")
    assert not touches(found, "2026-05-01T09:00", "2026-05-01T12:00")


def test_a_duration_of_days_keeps_the_wall_clock() -> None:
    # The clocks go forward in the night, so that the day has 23 hours.
    found = times(
        *component("VEVENT", "DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:P1D")
    )
    assert not touches(found, "2026-03-29T10:00", "2026-03-29T11:00")
    assert touches(found, "2026-03-29T09:59", "2026-03-29T11:00")


@pytest.mark.parametrize(
    ("lines", "inside", "outside"),
    [
        (("DTSTART:20260501T080000Z", "DURATION:PT1H"), "2026-05-01T09:00", "2026-05-01T09:01"),
        (
            ("DTSTART:20260501T080000Z", "DUE:20260501T090000Z"),
            "2026-05-01T08:59",
            "2026-05-01T09:00",
        ),
        (("DTSTART:20260501T080000Z",), "2026-05-01T08:00", "2026-05-01T08:01"),
        (
            ("DTSTART:20260501T080000Z", "DUE:20260501T080000Z"),
            "2026-05-01T08:00",
            "2026-05-01T08:01",
        ),
        (("DUE:20260501T080000Z",), "2026-05-01T07:59", "2026-05-01T08:00"),
        (("DUE;VALUE=DATE:20260501",), "2026-05-01T21:59", "2026-05-01T22:00"),
        (
            ("COMPLETED:20260501T080000Z", "CREATED:20260401T080000Z"),
            "2026-05-01T08:00",
            "2026-05-01T08:01",
        ),
        (("COMPLETED:20260501T080000Z",), "2026-05-01T08:00", "2026-05-01T08:01"),
    ],
)  # fmt: skip
def test_a_task_ends_as_rfc_4791_says(lines: tuple[str, ...], inside: str, outside: str) -> None:
    found = times(*component("VTODO", *lines))
    assert touches(found, inside, "2027-01-01T00:00")
    assert not touches(found, outside, "2027-01-01T00:00")


@pytest.mark.parametrize(
    ("lines", "inside", "outside"),
    [
        (("DTSTART:20260501T080000Z", "DURATION:PT0S"), "2026-05-01T08:00", "2026-05-01T07:59"),
        (("DTSTART:20260501T080000Z", "DURATION:PT1H"), "2026-05-01T08:01", "2026-05-01T08:00"),
        (("DUE:20260501T080000Z",), "2026-05-01T08:00", "2026-05-01T07:59"),
        (("COMPLETED:20260501T080000Z",), "2026-05-01T08:00", "2026-05-01T07:59"),
        (("CREATED:20260501T080000Z",), "2026-05-01T08:01", "2026-05-01T08:00"),
    ],
)
def test_a_task_begins_as_rfc_4791_says(lines: tuple[str, ...], inside: str, outside: str) -> None:
    found = times(*component("VTODO", *lines))
    assert touches(found, "2020-01-01T00:00", inside)
    assert not touches(found, "2020-01-01T00:00", outside)


def test_an_undated_task_is_always_there_and_an_undated_journal_never() -> None:
    task, journal = times(*component("VTODO")), times(*component("VJOURNAL"))
    assert touches(task, "1970-01-01T00:00", "1970-01-01T00:01")
    assert not journal.touches(-FOREVER, FOREVER)


def test_a_created_task_is_there_for_ever() -> None:
    found = times(*component("VTODO", "CREATED:20260501T080000Z"))
    assert found.last_end(at("2026-06-01"), FOREVER) == FOREVER


def test_an_excluded_or_moved_occurrence_is_not_where_it_was() -> None:
    found = times(
        *component(
            "VEVENT", "DTSTART:20260501T080000Z", "DTEND:20260501T090000Z",
            "RRULE:FREQ=DAILY;COUNT=4", "EXDATE:20260502T080000Z", "EXDATE;VALUE=DATE:20260504",
        ),
        *component(
            "VEVENT", "RECURRENCE-ID:20260503T080000Z", "DTSTART:20260601T080000Z",
            "DTEND:20260601T090000Z",
        ),
    )  # fmt: skip
    assert touches(found, "2026-05-01T00:00", "2026-05-02T00:00")
    assert not touches(found, "2026-05-02T00:00", "2026-06-01T00:00")
    assert touches(found, "2026-06-01T00:00", "2026-06-02T00:00")


def test_an_excluded_first_occurrence_does_not_take_place() -> None:
    found = times(*component("VEVENT", "DTSTART:20260501T080000Z", "EXDATE:20260501T080000Z"))
    assert not found.touches(-FOREVER, FOREVER)


def test_added_dates_and_periods_take_place() -> None:
    found = times(
        *component(
            "VEVENT", "DTSTART:20260501T080000Z", "DTEND:20260501T090000Z",
            "RDATE:20260510T080000Z,20260511T080000Z", "EXDATE:20260511T080000Z",
            "RDATE;VALUE=PERIOD:20260520T080000Z/20260520T200000Z,20260521T080000Z/PT5H",
        )
    )  # fmt: skip
    assert touches(found, "2026-05-10T08:30", "2026-05-10T08:31")
    assert not touches(found, "2026-05-11T00:00", "2026-05-12T00:00")
    assert touches(found, "2026-05-20T19:00", "2026-05-20T19:01")
    assert touches(found, "2026-05-21T12:00", "2026-05-21T12:01")
    assert not touches(found, "2026-05-21T13:00", "2026-05-22T00:00")


def test_an_override_of_all_later_ones_is_looked_for_in_both_places() -> None:
    found = times(
        *component("VEVENT", "DTSTART:20260501T080000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY"),
        *component(
            "VEVENT", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260508T080000Z",
            "DTSTART:20260508T180000Z", "DURATION:PT2H",
        ),
    )  # fmt: skip
    assert touches(found, "2026-05-15T19:00", "2026-05-15T19:30")
    assert touches(found, "2026-05-15T08:00", "2026-05-15T08:30")
    assert not touches(found, "2026-05-17T00:00", "2026-05-18T00:00")


@pytest.mark.parametrize("zone", ["Own/Place", "W. Europe Standard Time", "/x.org/1/Europe/Berlin"])
def test_a_zone_is_the_items_own_or_what_its_name_stands_for(zone: str) -> None:
    found = times(
        *CUSTOM,
        *component(
            "VEVENT",
            f"DTSTART;TZID={zone}:20260105T100000",
            "DURATION:PT1H",
            "RRULE:FREQ=WEEKLY",
        ),
    )  # fmt: skip
    assert touches(found, "2026-01-12T09:00", "2026-01-12T09:01")
    assert touches(found, "2026-07-06T08:00", "2026-07-06T08:01")
    assert not touches(found, "2026-07-06T09:00", "2026-07-06T10:00")


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20260503", "2026-05-03"),
        ("20260503T080000Z", "2026-05-03"),
        ("20260503T075959Z", "2026-05-02"),
        ("20260503T100000", "2026-05-03"),
        ("20260503T095959", "2026-05-02"),
    ],
)
def test_until_takes_in_the_occurrence_that_it_names(until: str, last: str) -> None:
    found = times(
        *component(
            "VEVENT", "DTSTART;TZID=Europe/Berlin:20260501T100000", "DURATION:PT1H",
            f"RRULE:FREQ=DAILY;UNTIL={until}",
        )
    )  # fmt: skip
    assert found.last_end(-FOREVER, FOREVER) == at(f"{last}T09:00")
    assert found.last_end(at("2027-01-01"), FOREVER) == -FOREVER


def test_until_with_a_time_ends_all_day_events_on_that_day() -> None:
    found = times(
        *component(
            "VEVENT",
            "DTSTART;VALUE=DATE:20260501",
            "RRULE:FREQ=DAILY;UNTIL=20260503T230000Z",
        )
    )  # fmt: skip
    assert found.last_end(-FOREVER, FOREVER) == at("2026-05-03T22:00")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ((), "it holds no event, task or journal"),
        (component("VEVENT"), "it has no start"),
        (component("VFREEBUSY"), "it has no start"),
        (component("VEVENT", "DTSTART:soon"), "'soon' is neither a date nor a time"),
        (
            component("VEVENT", "DTSTART;TZID=No/Where:20260501T080000"),
            "the time zone 'No/Where' is not known",
        ),
        (component("VEVENT", "DTSTART:20260501", "DURATION:long"), "'long' is no duration"),
        (
            component("VEVENT", "DTSTART:20260501", "RRULE:FREQ=NEVER"),
            "'FREQ=NEVER' is no recurrence rule",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_a_problem(lines: tuple[str, ...], problem: str) -> None:
    assert times(*lines).problems == (problem,)


@pytest.mark.parametrize(
    "rule", ["FREQ=SECONDLY", "FREQ=MINUTELY;INTERVAL=7", "FREQ=YEARLY", "FREQ=WEEKLY;BYDAY=SU"]
)
def test_an_endless_rule_from_long_ago_is_answered(rule: str) -> None:
    found = times(*component("VEVENT", "DTSTART:16010101T000000Z", f"RRULE:{rule}"))
    assert touches(found, "2026-01-01T00:00", "2027-01-01T00:00")
    assert not touches(found, "1500-01-01T00:00", "1600-01-01T00:00")
    assert found.last_end(at("2026-01-01"), FOREVER) == FOREVER
    assert found.last_end(at("2026-01-01"), at("2027-01-02")) > at("2026-01-01")


def test_a_rule_that_finds_nothing_more_does_not_go_on_for_ever() -> None:
    found = times(
        *component("VEVENT", "DTSTART:20260501T080000Z", "RRULE:FREQ=DAILY;UNTIL=20260503T080000Z")
    )
    assert found.next_begin(at("2026-05-01"), at("2026-05-03")) == at("2026-05-03T08:00")
    assert found.next_begin(at("2026-05-01"), at("2026-05-04")) is None


STARTS = st.datetimes(datetime(2024, 1, 1), datetime(2024, 12, 31)).map(  # noqa: DTZ001
    lambda start: start.replace(microsecond=0)
)
RULES = st.builds(
    lambda freq, interval, part, count: f"FREQ={freq};INTERVAL={interval}{part};COUNT={count}",
    st.sampled_from(("DAILY", "WEEKLY", "MONTHLY", "YEARLY")),
    st.integers(1, 4),
    st.sampled_from(("", ";BYDAY=MO,SU")),
    st.integers(1, 20),
)
ZONES = st.sampled_from(("Europe/Berlin", "America/New_York", "UTC", "", "DATE"))


@st.composite
def finite_events(draw: st.DrawFn) -> bytes:
    start, zone = draw(STARTS), draw(ZONES)
    form = "%Y%m%d" if zone == "DATE" else "%Y%m%dT%H%M%S"
    param = {"": "", "UTC": "", "DATE": ";VALUE=DATE"}.get(zone, f";TZID={zone}")
    suffix = "Z" if zone == "UTC" else ""

    def written(name: str, time: datetime) -> str:
        return f"{name}{param}:{time.strftime(form)}{suffix}"

    lasts = (
        timedelta(days=draw(st.integers(1, 3)))
        if zone == "DATE"
        else timedelta(minutes=draw(st.integers(1, 3000)))
    )
    lines = [written("DTSTART", start), written("DTEND", start + lasts)]
    if draw(st.booleans()):
        lines.append(f"RRULE:{draw(RULES)}")
        lines += [
            written("EXDATE", start + timedelta(days=7 * n))
            for n in draw(st.sets(st.integers(1, 9), max_size=3))
        ]
        lines += [
            written("RDATE", start + timedelta(days=n))
            for n in draw(st.sets(st.integers(1, 400), max_size=2))
        ]
    return calendar(*component("VEVENT", *lines))


@settings(max_examples=40, deadline=None)
@given(finite_events(), STARTS, st.integers(1, 60))
def test_the_answer_is_that_of_a_full_expansion(body: bytes, start: datetime, days: int) -> None:
    begin = start.replace(tzinfo=BERLIN)
    end = begin + timedelta(days=days)
    series = recurring_ical_events.of(Calendar.from_ical(body))
    found = any(
        placed(event.start) < end and placed(event.end) > begin
        for event in series.between(begin - timedelta(days=4), end + timedelta(days=4))
    )
    answer = occurrences(parse(body), BERLIN)
    assert answer.touches(int(begin.timestamp()), int(end.timestamp())) == found


def placed(time: object) -> datetime:
    """A date or floating time in Berlin; any other time as it is."""
    if not isinstance(time, datetime):
        time = datetime.fromisoformat(str(time))
    return time if time.tzinfo else time.replace(tzinfo=BERLIN)


def test_an_item_that_takes_too_long_to_place_is_a_problem() -> None:
    endless = "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30"
    zone = [line.replace("RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", endless) for line in CUSTOM]
    found = times(*zone, *component("VEVENT", "DTSTART;TZID=Own/Place:20260501T080000"))
    assert found.problems == ("its recurrence rule takes too long to work out",)


def test_excluded_occurrences_at_the_end_of_a_rule_are_passed_over() -> None:
    found = times(
        *component(
            "VEVENT", "DTSTART:20260501T080000Z", "RRULE:FREQ=DAILY;COUNT=3",
            "EXDATE:20260503T080000Z",
        )
    )  # fmt: skip
    assert found.last_end(-FOREVER, FOREVER) == at("2026-05-02T08:00") + 1
    none = times(
        *component(
            "VEVENT", "DTSTART:20260501T080000Z", "RRULE:FREQ=DAILY;COUNT=1",
            "EXDATE:20260501T080000Z",
        )
    )  # fmt: skip
    assert none.last_end(-FOREVER, FOREVER) == -FOREVER
    assert none.next_begin(0, 0) is None


def test_a_journal_lasts_its_day() -> None:
    found = times(*component("VJOURNAL", "DTSTART;VALUE=DATE:20260501"))
    assert touches(found, "2026-05-01T21:59", "2026-05-03T00:00")
    assert not touches(found, "2026-05-01T22:00", "2026-05-03T00:00")


def test_a_task_with_dates_lasts_to_the_end_of_its_due_day() -> None:
    found = times(*component("VTODO", "DTSTART;VALUE=DATE:20260501", "DUE;VALUE=DATE:20260502"))
    assert touches(found, "2026-05-02T21:59", "2026-05-03T00:00")
    assert not touches(found, "2026-05-02T22:00", "2026-05-03T00:00")


def test_near_a_change_of_clocks_every_occurrence_is_found() -> None:
    # The hour from 02:00 is doubled on 25 October 2026 and skipped on 29 March.
    hourly = ("DTSTART;TZID=Europe/Berlin:20260101T003000", "DURATION:PT1M", "RRULE:FREQ=HOURLY")
    found = times(*component("VEVENT", *hourly))
    for hour in (
        "2026-03-28T23",
        "2026-03-29T00",
        "2026-03-29T02",
        "2026-10-24T23",
        "2026-10-25T03",
    ):
        assert touches(found, f"{hour}:30", f"{hour}:31")
        assert found.last_end(at(f"{hour}:00"), at(f"{hour}:31")) == at(f"{hour}:31")


def test_very_many_overrides_take_no_time() -> None:
    override = "RECURRENCE-ID:20260101T000000Z", "DTSTART:20260101T000000Z"
    lines = component("VEVENT", "UID:a", *override) * 10_000
    assert len(times(*lines).spans) == 10_000


def test_very_many_masters_with_very_many_overrides_are_a_problem() -> None:
    override = component("VEVENT", "UID:a", "RECURRENCE-ID:20260101", "DTSTART:20260101")
    master = component("VEVENT", "UID:a", "DTSTART:20260101")
    assert times(*override * 3_000, *master * 3_000).problems
