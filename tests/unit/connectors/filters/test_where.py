from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from caldav_run.connectors.expression import ExpressionError
from caldav_run.connectors.filters.where import WhereFilter
from caldav_run.testing.contracts import FilterCases, FilterContract
from caldav_run.testing.contracts.bodies import context, event
from caldav_run.testing.contracts.filters import view

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LUNCH = view(event("a"))
DINNER = view(event("b", "Dinner"))
RICH = view(
    b"""BEGIN:VCALENDAR
BEGIN:VEVENT
UID:a
RECURRENCE-ID:20260511T080000Z
SUMMARY:Override
CATEGORIES:b,c\\,d
ATTENDEE:mailto:Carl@Example.org
END:VEVENT
BEGIN:VEVENT
UID:a
SUMMARY:Master\\, of
DESCRIPTION:two\\nlines
LOCATION:Room
CATEGORIES:a,b
STATUS:CONFIRMED
CLASS:PRIVATE
ORGANIZER:MAILTO:alice@example.org
ATTENDEE:mailto:bob@example.org
DTSTART;TZID=Europe/Berlin:20260504T100000
DURATION:P1DT1H
RRULE:FREQ=WEEKLY
CREATED:20260101T000000Z
LAST-MODIFIED:20260201T000000Z
BEGIN:VALARM
END:VALARM
END:VEVENT
END:VCALENDAR
"""
)


def made(**options: str) -> WhereFilter:
    return WhereFilter.from_options(options, context(Path()))


def holds(expression: str, each: object = RICH) -> bool:
    judgement = made(keep=expression).judge(each, NOW)  # type: ignore[arg-type]
    assert judgement.problem is None
    return judgement.keep


class TestContract(FilterContract):
    @pytest.fixture
    def cases(self) -> FilterCases:
        return FilterCases(
            lambda: made(keep='summary == "Lunch"'),
            lambda: made(drop='summary == "Lunch"'),
            [LUNCH],
            [DINNER],
        )


@pytest.mark.parametrize(
    "expression",
    [
        'uid == "a" && href == "a.ics" && source == "contract" && calendar == "Family"',
        'component == "VEVENT" && summary == "Master, of" && description == "two\\nlines"',
        'location == "Room" && status == "CONFIRMED" && class == "PRIVATE" && size > 100',
        'categories == ["a", "b", "c,d"]',
        'organizer == "alice@example.org"',
        'attendees == ["bob@example.org", "carl@example.org"]',
        'start == timestamp("2026-05-04T08:00:00Z") && has_start',
        'end == timestamp("2026-05-05T09:00:00Z") && has_end',
        'duration == duration("25h") && !all_day && recurring && alarms == 1',
        'created == timestamp("2026-01-01T00:00:00Z") && has_created',
        'modified == timestamp("2026-02-01T00:00:00Z") && has_modified',
        'now == timestamp("2026-05-01T12:00:00Z")',
    ],
)
def test_every_variable_says_what_the_item_says(expression: str) -> None:
    assert holds(expression)


@pytest.mark.parametrize(
    "expression",
    [
        'summary == "" && organizer == "" && categories == [] && attendees == []',
        'start == timestamp("9999-12-31T23:59:59Z") && !has_start && !has_end && !all_day',
        'end == start && created == start && modified == start && duration == duration("0s")',
        "!has_created && !has_modified && !recurring && alarms == 0",
    ],
)
def test_what_is_missing_has_a_value_too(expression: str) -> None:
    assert holds(expression, view(b"BEGIN:VCALENDAR\nBEGIN:VTODO\nEND:VTODO\nEND:VCALENDAR"))


def test_dates_and_floating_times_lie_in_the_zone_of_the_pipeline() -> None:
    place = context(Path())
    berlin = type(place)(
        name="x", pipeline="x", timezone=ZoneInfo("Europe/Berlin"), now=NOW, state_dir=Path()
    )
    keep = 'start == timestamp("2026-05-03T22:00:00Z") && duration == duration("24h") && all_day'
    one = WhereFilter.from_options({"keep": keep}, berlin)
    body = event("a").replace(b":20260504T110000Z", b";VALUE=DATE:20260504")
    assert one.judge(view(body.replace(b"DTEND:20260504T120000Z\r\n", b"")), NOW).keep
    assert one.fingerprint != WhereFilter.from_options({"keep": keep}, place).fingerprint


def test_keep_and_drop_must_both_agree() -> None:
    judge = made(keep="size > 0", drop='summary == "Dinner"').judge
    assert [judge(each, NOW).keep for each in (LUNCH, DINNER)] == [True, False]


def test_an_answer_that_names_now_expires_at_once() -> None:
    judgement = made(keep="start > now - days(30)").judge(LUNCH, NOW)
    assert judgement.keep
    assert judgement.valid_until == NOW
    assert not made(keep="start > now").judge(LUNCH, NOW + timedelta(days=99)).keep
    assert made(keep='summary == "now"').judge(LUNCH, NOW).valid_until is None


@pytest.mark.parametrize(
    ("body", "expression", "problem"),
    [
        (event("a"), "1 / alarms == 1", "the expression fails: "),
        (b"", 'summary == "x"', "line 1: "),
        (event("a").replace(b"DTSTART:2026", b"DTSTART:soon"), "!has_start", "neither a date"),
        (
            event("a").replace(b":20260504T110000Z", b";TZID=Asia/Tokyo:00010101T000000"),
            "!has_start",
            "outside of the years",
        ),
    ],
)
def test_an_item_without_an_answer_stays_with_a_problem(
    body: bytes, expression: str, problem: str
) -> None:
    judgement = made(keep=expression).judge(view(body), NOW)
    assert judgement.keep
    assert problem in str(judgement.problem)


def test_a_value_that_is_not_asked_for_does_not_matter() -> None:
    body = event("a").replace(b"DTSTART:2026", b"DTSTART:soon")
    assert made(keep='summary == "Lunch"').judge(view(body), NOW).problem is None
    assert made(keep='uid == ""').judge(view(b"garbage"), NOW) == (True, None, None)


def test_a_wrong_expression_is_refused() -> None:
    with pytest.raises(ExpressionError):
        made(keep="nope")
