import pytest

from caldav_run.ical.sketch import sketch


def event(*lines: str, more: tuple[str, ...] = ()) -> bytes:
    every = ("BEGIN:VEVENT", "UID:a", "DTSTART:20260504T100000Z", *lines, "END:VEVENT", *more)
    return "\r\n".join(("BEGIN:VCALENDAR", *every, "END:VCALENDAR", "")).encode()


ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT5M", "END:VALARM")
OVERRIDE = ("BEGIN:VEVENT", "UID:a", "RECURRENCE-ID:20260511T100000Z", "END:VEVENT")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (event(), []),
        (event("RRULE:FREQ=WEEKLY;BYDAY=MO"), ["weekly on Mon"]),
        (event("RRULE:FREQ=SOMETIMES"), ["recurring"]),
        (event("LOCATION:Room\\, 1"), ["at Room, 1"]),
        (event("ATTENDEE:mailto:a@example.org"), ["1 person"]),
        (event("ATTENDEE:mailto:a@x.example", "ATTENDEE:mailto:b@x.example"), ["2 people"]),
        (event(*ALARM, *ALARM), ["2 alarms"]),
        (event("RRULE:FREQ=DAILY", more=OVERRIDE), ["daily", "1 occurrence of its own"]),
        (b"nothing", ["not valid iCalendar"]),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", []),
        (event().replace(b"DTSTART:20260504T100000Z", b"RRULE:FREQ=DAILY"), ["recurring"]),
    ],
)
def test_an_item_is_sketched_in_a_few_words(body: bytes, words: list[str]) -> None:
    assert sketch(body) == words
