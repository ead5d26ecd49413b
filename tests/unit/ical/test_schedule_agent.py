"""The lines about people are changed or left out, and every other byte stays."""

import pytest

from caldav_run.ical.schedule_agent import hush, hushed, people, strip
from caldav_run.ical.tree import parse

MEETING = b"""BEGIN:VCALENDAR\r
BEGIN:VEVENT\r
UID:a\r
DESCRIPTION:folded\r
  in an\r
\t odd place\r
ORGANIZER;CN="Smith: Ann":mailto:Ann@example.org\r
attendee;partstat=ACCEPTED;CN="B; C":MAILTO:bob@example.org\r
REQUEST-STATUS:2.0;Success\r
BEGIN:VALARM\r
ACTION:EMAIL\r
ATTENDEE:mailto:ann@example.org\r
END:VALARM\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:a\r
RECURRENCE-ID:20260501T120000Z\r
ORGANIZER;SCHEDULE-AGENT=SERVER;CN=Ann:mailto:ann@example.org\r
ATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:carol@example.org\r
END:VEVENT\r
END:VCALENDAR\r
"""
HUSHED = b"""BEGIN:VCALENDAR\r
BEGIN:VEVENT\r
UID:a\r
DESCRIPTION:folded\r
  in an\r
\t odd place\r
ORGANIZER;SCHEDULE-AGENT=CLIENT;CN="Smith: Ann":mailto:Ann@example.org\r
ATTENDEE;SCHEDULE-AGENT=CLIENT;PARTSTAT=ACCEPTED;CN="B; C":MAILTO:bob@examp\r
 le.org\r
REQUEST-STATUS:2.0;Success\r
BEGIN:VALARM\r
ACTION:EMAIL\r
ATTENDEE:mailto:ann@example.org\r
END:VALARM\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:a\r
RECURRENCE-ID:20260501T120000Z\r
ORGANIZER;SCHEDULE-AGENT=CLIENT;CN=Ann:mailto:ann@example.org\r
ATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:carol@example.org\r
END:VEVENT\r
END:VCALENDAR\r
"""
STRIPPED = b"""BEGIN:VCALENDAR\r
BEGIN:VEVENT\r
UID:a\r
DESCRIPTION:folded\r
  in an\r
\t odd place\r
BEGIN:VALARM\r
ACTION:EMAIL\r
ATTENDEE:mailto:ann@example.org\r
END:VALARM\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:a\r
RECURRENCE-ID:20260501T120000Z\r
END:VEVENT\r
END:VCALENDAR\r
"""


def item(*lines: bytes, end: bytes = b"\n") -> bytes:
    whole = (b"BEGIN:VCALENDAR", b"BEGIN:VTODO", *lines, b"END:VTODO", b"END:VCALENDAR", b"")
    return end.join(whole)


def test_everybody_in_every_component_is_left_to_the_client() -> None:
    assert hush(MEETING) == HUSHED


def test_what_is_hushed_stays_as_it_is() -> None:
    assert hush(HUSHED) == HUSHED


def test_everybody_is_taken_out_of_every_component() -> None:
    assert strip(MEETING) == STRIPPED


def test_an_item_is_hushed_when_everybody_is() -> None:
    assert hushed(parse(HUSHED))
    assert not hushed(parse(MEETING))


def test_an_item_without_people_is_not_hushed() -> None:
    assert not hushed(parse(STRIPPED))


def test_each_person_counts_once_and_one_that_only_an_alarm_names_does_not() -> None:
    assert people(parse(MEETING)) == ("ann@example.org", "bob@example.org", "carol@example.org")
    assert people(parse(STRIPPED)) == ()


def test_a_fold_may_stand_anywhere() -> None:
    body = item(b"ORGA\n NIZER:mail\n\tto:a@example.org")
    assert hush(body) == item(b"ORGANIZER;SCHEDULE-AGENT=CLIENT:mailto:a@example.org")
    assert strip(body) == item()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r\r\n"])
def test_line_ends_stay(end: bytes) -> None:
    body = item(b"SUMMARY:a", b"ORGANIZER:mailto:a@example.org", b"", end=end)
    wanted = b"ORGANIZER;SCHEDULE-AGENT=CLIENT:mailto:a@example.org"
    assert hush(body) == item(b"SUMMARY:a", wanted, b"", end=end)


def test_a_long_line_is_folded_with_the_line_end_that_it_has() -> None:
    body = item(b"ORGANIZER;CN=" + b"n" * 60 + b":mailto:a@example.org")
    assert max(map(len, hush(body).split(b"\n"))) == 75
    assert b"\r" not in hush(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xef\xbb\xbfBEGIN:VCALENDAR\r\nX-ORGANIZER:a\r\nORGANIZERS:b\r\nEND:VCALENDAR",
        item(b"SUMMARY:ORGANIZER:mailto:a", b"no colon", b"", b"X:\xff\x0b", b" \xfe"),
        item(b"DESCRIPTION:a", b" ORGANIZER:mailto:a@example.org"),
    ],
)
def test_an_item_without_people_keeps_every_byte(body: bytes) -> None:
    assert hush(body) == body
    assert strip(body) == body


def test_a_broken_item_is_hushed_as_far_as_its_lines_go() -> None:
    body = b"BEGIN:VEVENT\nATTENDEE:mailto:a@example.org"
    assert hush(body) == b"BEGIN:VEVENT\nATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:a@example.org"


def test_bytes_that_are_no_utf_8_stay() -> None:
    body = item(b"ATTENDEE;CN=M\xfcller:mailto:a@example.org")
    assert b";CN=M\xfcller:mailto:a@example.org" in hush(body)
