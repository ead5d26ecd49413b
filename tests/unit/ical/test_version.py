from caldav_run.ical.canonical import digest
from caldav_run.ical.version import version
from caldav_run.model import Stamp

BODY = b"""BEGIN:VCALENDAR
BEGIN:VEVENT
UID:a
SEQUENCE:3
SUMMARY:Lunch
ORGANIZER:mailto:a@example.org
DTSTART;VALUE=DATE:20260501
END:VEVENT
END:VCALENDAR
"""


def test_a_version_has_what_a_plan_compares() -> None:
    found = version(BODY, "a.ics", '"1"')
    assert (found.uid, found.href, found.etag) == ("a", "a.ics", '"1"')
    assert (found.digest, found.stamp, found.scheduled) == (digest(BODY), Stamp(3), True)
    assert found.label == "Lunch (Fri 1 May 2026)"
    assert (found.people, found.hushed) == (("a@example.org",), False)


def test_a_version_says_whether_a_server_would_tell_anybody() -> None:
    body = BODY.replace(b"ORGANIZER", b"ORGANIZER;SCHEDULE-AGENT=CLIENT")
    assert version(body, "a.ics", None).hushed


def test_a_broken_item_has_a_version_too() -> None:
    assert version(b"", "a.ics", None).label == "a.ics"
    assert version(BODY[:60], "a.ics", None).digest == digest(BODY[:60])
    assert [version(body, "a.ics", None).broken for body in (b"", BODY[:60], BODY)] == (
        [True, True, False]
    )
