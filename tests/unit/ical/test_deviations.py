import pytest

from caldav_run.ical.deviations import Deviation, deviations, equal_but_for_deviations

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


def test_equal_bodies_have_no_deviation_and_broken_ones_have_one() -> None:
    assert deviations(BODY.encode(), BODY.replace("\n", "\r\n").encode()) == []
    (only,) = deviations(BODY.encode(), b"<html>")
    assert (only.rule, only.place) == (None, "the whole item")
