"""Which spellings mean the same, and which only seem to."""

import pytest

from caldav_run.ical.alike import alike
from caldav_run.ical.canonical import property_form
from caldav_run.ical.tree import Property, parse


def _forms(*lines: str) -> list[str]:
    body = "\n".join(("BEGIN:VEVENT", *lines, "END:VEVENT"))
    found: tuple[Property, ...] = parse(body.encode()).children[0].properties
    return sorted(property_form(one) for prop in found for one in alike(prop))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CATEGORIES:a,b", "CATEGORIES:b\nCATEGORIES:a"),
        ("CATEGORIES:a\\;b", "CATEGORIES:a;b"),
        ("EXDATE:20260101,20260102", "EXDATE:20260102,20260101"),
        ("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3"),
        ("RRULE:FREQ=WEEKLY;INTERVAL=1;WKST=MO", "RRULE:FREQ=WEEKLY"),
        ("RRULE:FREQ=WEEKLY;BYDAY=MO,TU", "RRULE:BYDAY=TU,MO;FREQ=WEEKLY"),
        ("DURATION:P1W", "DURATION:P7D"),
        ("DURATION:PT90M", "DURATION:PT1H30M"),
        ("TRIGGER:-P0DT0H15M0S", "TRIGGER;VALUE=DURATION;RELATED=START:-PT15M"),
        ("TRIGGER:-PT1440M", "TRIGGER:-P1D"),
        ("GEO:59.9;10.70", "GEO:59.900000;10.7"),
        ("SUMMARY:a\\, b; c", "SUMMARY:a, b\\; c"),
        ('DESCRIPTION:\\"', 'DESCRIPTION:"'),
        ("X-NOTE:a;b", "X-NOTE:a\\;b"),
        ("ATTACH;VALUE=URI:https://a.example", "ATTACH:https://a.example"),
        ("DTSTART;VALUE=DATE-TIME:20260101T000000Z", "DTSTART:20260101T000000Z"),
        ("ATTENDEE;ROLE=REQ-PARTICIPANT;RSVP=false:mailto:b@c", "ATTENDEE:mailto:b@c"),
        ("CLASS:PUBLIC", "TRANSP:OPAQUE"),
        ("PRIORITY:0", "SEQUENCE:0"),
        ("LOCATION:", "COMMENT:"),
    ],
)  # fmt: skip
def test_these_mean_the_same(one: str, other: str) -> None:
    assert _forms(*one.split("\n")) == _forms(*other.split("\n"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CATEGORIES:a,b", "CATEGORIES:a"),
        ("CATEGORIES:a\\,b", "CATEGORIES:a,b"),
        ("RRULE:FREQ=WEEKLY;INTERVAL=2", "RRULE:FREQ=WEEKLY"),
        ("RRULE:FREQ=WEEKLY;WKST=SU", "RRULE:FREQ=WEEKLY"),
        ("DURATION:P1D", "DURATION:PT24H"),
        ("TRIGGER:-PT15M", "TRIGGER:PT15M"),
        ("TRIGGER;RELATED=END:-PT15M", "TRIGGER:-PT15M"),
        ("TRIGGER:soon", "TRIGGER:now"),
        ("GEO:59.9;10.7", "GEO:59.9\\;10.7"),
        ("GEO:59.9;10.7", "GEO:59.9;10.8"),
        ("SUMMARY:a\\nb", "SUMMARY:anb"),
        ("SUMMARY:a ", "SUMMARY:a"),
        ("X-NOTE:a\\,b", "X-NOTE:a,b"),
        ("X-NOTE;VALUE=URI:a\\;b", "X-NOTE;VALUE=URI:a;b"),
        ("CLASS:PRIVATE", "CLASS:PUBLIC"),
        ('DESCRIPTION;ALTREP="cid:x":', "DESCRIPTION:"),
        ("DTSTART;VALUE=DATE:20260101", "DTSTART:20260101"),
        ("a line that is none", "another"),
    ],
)  # fmt: skip
def test_these_do_not(one: str, other: str) -> None:
    assert _forms(one) != _forms(other)


def test_a_spelling_is_told_from_the_others() -> None:
    (prop,) = parse(b"BEGIN:VEVENT\nCATEGORIES:a,b\\;c\nEND:VEVENT").children[0].properties
    split = alike(prop, ["one value each"])
    assert [each.value for each in split] == ["a", "b\\;c"]
