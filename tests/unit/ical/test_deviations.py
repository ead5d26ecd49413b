from pathlib import Path

import pytest

from caldav_run.ical.deviations import RULES, Deviation, deviations, equal_but_for_deviations

ZONE = """BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:20001029T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20000326T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
"""
BODY = f"""BEGIN:VCALENDAR
PRODID:-//A//EN
{ZONE}BEGIN:VEVENT
UID:a
SUMMARY:Lunch
RRULE:FREQ=WEEKLY
DTSTART;TZID=Europe/Berlin:20260501T100000
ATTENDEE;CN=Bob:mailto:bob@example.org
X-KEEP:1
EXDATE:20260508T080000Z,20260515T080000Z
END:VEVENT
END:VCALENDAR
"""


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("-//A//EN", "-//B//EN", "PRODID"),
        ("PRODID:-//A//EN\n", "", "PRODID"),
        ("UID:a", "UID:a\nDTSTAMP:20260501T000000Z", "added DTSTAMP"),
        ("UID:a", "UID:a\nLAST-MODIFIED:20260501T000000Z", "LAST-MODIFIED"),
        ("UID:a", "UID:a\nX-SERVER:1", "added X-"),
        ("ATTENDEE;", "ATTENDEE;SCHEDULE-STATUS=1.1;", "SCHEDULE-STATUS"),
        ("TZID:Europe/Berlin\n", "TZID:Europe/Berlin\nX-LIC-LOCATION:Europe/Berlin\n", "VTIMEZONE"),
        (ZONE, "", "VTIMEZONE"),
        ("BYMONTH=3;BYDAY=-1SU", "BYDAY=-1SU;BYMONTH=3", "VTIMEZONE"),
        ("UID:a", "UID:a\nCLASS:PUBLIC", "default value"),
        ("RRULE:FREQ=WEEKLY", "RRULE:INTERVAL=1;FREQ=WEEKLY", "rule parts"),
        ("Z,20260515", "Z\nEXDATE:20260515", "one value each"),
        (
            "Z,20260515T080000Z",
            "Z\nEXDATE;VALUE=DATE-TIME:20260515T080000Z",
            "one value each + default parameter",
        ),
        ("ATTENDEE;", "ATTENDEE;RSVP=TRUE;", "added RSVP"),
        ("ATTENDEE;", "ATTENDEE;RSVP=TRUE;SCHEDULE-STATUS=1.1;", "SCHEDULE-STATUS + added RSVP"),
        ("ATTENDEE;", "ATTENDEE;SCHEDULE-AGENT=CLIENT;", "added SCHEDULE-AGENT"),
        ("ATTENDEE;", "ATTENDEE;PARTSTAT=ACCEPTED;", None),
        ("ATTENDEE;CN=Bob", "ATTENDEE;CN=Rob", None),
        (",20260515T080000Z", "", None),
        ("UID:a", "UID:a\nCOMMENT:x", None),
        ("SUMMARY:Lunch", "SUMMARY:Dinner", None),
        ("X-KEEP:1\n", "", None),
        ("TZOFFSETTO:+0200", "TZOFFSETTO:+0300", None),
        ("20000326T020000", "soon", None),
        ("END:VEVENT", "BEGIN:VALARM\nEND:VALARM\nEND:VEVENT", None),
        ("END:VEVENT", "BEGIN:VALARM\nDTSTAMP:x\nEND:VALARM\nEND:VEVENT", None),
    ],
)
def test_a_deviation_is_tolerated_by_name_or_is_a_loss(
    old: str, new: str, rule: str | None
) -> None:
    assert old in BODY
    changed = BODY.replace(old, new).encode()
    assert {one.rule for one in deviations(BODY.encode(), changed)} == {rule}
    assert equal_but_for_deviations(BODY.encode(), changed) == (rule is not None)


def test_a_deviation_says_where_and_what() -> None:
    changed = BODY.replace("SUMMARY:Lunch", "SUMMARY:Dinner")
    assert deviations(BODY.encode(), changed.encode()) == [
        Deviation(None, "VCALENDAR > VEVENT a", "SUMMARY:Lunch", "SUMMARY:Dinner")
    ]


def test_every_rule_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs/fidelity.md").read_text(encoding="utf-8")
    assert "".join(f"| {rule} | {words} |\n" for rule, words in RULES.items()) in page


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("SUMMARY:Lunch", "SUMMARY:Dinner", "SUMMARY:Lunch came back as SUMMARY:Dinner"),
        ("X-KEEP:1\n", "", "X-KEEP:1 is gone"),
        ("UID:a", "UID:a\nCOMMENT:x", "COMMENT:x was added"),
        ("END:VEVENT", "BEGIN:VALARM\nEND:VALARM\nEND:VEVENT", "the component is another one"),
        ("SUMMARY:Lunch\n", f"SUMMARY:{'x' * 200}\n",
         f"SUMMARY:Lunch came back as SUMMARY:{'x' * 92}…"),
    ],
)  # fmt: skip
def test_a_deviation_is_told_in_a_line(old: str, new: str, told: str) -> None:
    (only,) = deviations(BODY.encode(), BODY.replace(old, new).encode())
    assert str(only) == told


def test_of_long_lines_that_begin_alike_is_told_where_they_differ() -> None:
    text = "x" * 200
    told = str(
        Deviation(None, "VEVENT", f"X-MAP;T=1:{text}geo:1.5,2.5", f"X-MAP;T=1:{text}geo:1.5")
    )
    assert told == "X-MAP…xxxxxxxxgeo:1.5,2.5 came back as X-MAP…xxxxxxxxgeo:1.5"


@pytest.mark.parametrize(
    ("start", "end", "rule"),
    [
        ("DTSTART;VALUE=DATE:20260501", "DURATION:P1D", "default end"),
        ("DTSTART;VALUE=DATE:20260501", "DURATION:P2D", None),
        ("DTSTART:20260501T100000Z", "DURATION:P1D", None),
        ("SUMMARY:no start", "DURATION:P1D", None),
    ],
)
def test_an_end_that_says_what_holds_without_it_is_no_loss(
    start: str, end: str, rule: str | None
) -> None:
    sent = f"BEGIN:VEVENT\nUID:a\n{start}\nEND:VEVENT\n"
    came = sent.replace("END:", f"{end}\nEND:")
    assert [one.rule for one in deviations(sent.encode(), came.encode())] == [rule]


def test_what_a_list_has_lost_is_one_deviation() -> None:
    dates = [f"202701{day:02}T080000Z" for day in range(1, 29)]
    sent = BODY.replace("X-KEEP:1", f"RDATE:{','.join(dates)}")
    kept = BODY.replace("X-KEEP:1", "\n".join(f"RDATE:{date}" for date in dates[:20]))
    assert deviations(sent.encode(), kept.encode()) == [
        Deviation(None, "VCALENDAR > VEVENT a", f"RDATE:{','.join(dates[20:])}", None)
    ]


def test_alarms_that_are_spelled_otherwise_are_not_taken_for_each_other() -> None:
    spelled = ("-P0DT0H5M0S", "-P1DT0H0M0S"), ("-PT5M", "-P1D")
    sent, came = (
        BODY.replace("END:VEVENT", "".join(map(_alarm, each)) + "END:VEVENT") for each in spelled
    )
    assert {one.rule for one in deviations(sent.encode(), came.encode())} == {"duration"}


def _alarm(trigger: str) -> str:
    return f"BEGIN:VALARM\nTRIGGER:{trigger}\nEND:VALARM\n"


def test_guests_in_another_order_are_told_from_each_other() -> None:
    guests = [f"ATTENDEE;CN={name}:mailto:{name}@example.org\n" for name in ("ann", "eve")]
    answered = [each.replace(":mailto", ";RSVP=TRUE:mailto") for each in reversed(guests)]
    sent = BODY.replace("X-KEEP:1\n", "".join(guests))
    came = BODY.replace("X-KEEP:1\n", "".join(answered))
    assert [one.rule for one in deviations(sent.encode(), came.encode())] == ["added RSVP"] * 2


def test_equal_bodies_have_no_deviation_and_broken_ones_have_one() -> None:
    assert deviations(BODY.encode(), BODY.replace("\n", "\r\n").encode()) == []
    (only,) = deviations(BODY.encode(), b"<html>")
    assert (only.rule, only.place) == (None, "the whole item")


@pytest.mark.parametrize(
    ("after", "rule"),
    [
        ("ATTACH;FMTTYPE=image/png;MANAGED-ID=2:https://b.example/2", "managed attachment"),
        ("ATTACH;FMTTYPE=image/png;ENCODING=BASE64;VALUE=BINARY:aA==", "managed attachment"),
        ("ATTACH;FMTTYPE=text/plain;MANAGED-ID=2:https://b.example/2", None),
        ("ATTACH;FMTTYPE=image/png:https://b.example/2", None),
    ],
)
def test_a_file_that_is_kept_otherwise_is_no_loss(after: str, rule: str | None) -> None:
    before = "ATTACH;FMTTYPE=image/png;MANAGED-ID=1:https://a.example/1"
    old, new = (BODY.replace("END:VEVENT", f"{each}\nEND:VEVENT") for each in (before, after))
    assert {each.rule for each in deviations(old.encode(), new.encode())} == {rule}
