"""Calendar objects that no standard allows, and huge ones: what servers are found to hold.

`caldav_run.testing.hostile` has the legal ones. Most servers refuse some of these or mend them;
what a server hands out has to be stored as it is, however broken.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from caldav_run.testing.hostile import attachment, calendar, event, folded

_START: Final = "DTSTART:20260105T100000Z"
_ZONE: Final = (
    *("BEGIN:VTIMEZONE", "TZID:Europe/Oslo", "BEGIN:DAYLIGHT", "TZOFFSETFROM:+0100"),
    *("TZOFFSETTO:+0200", "TZNAME:CEST", "DTSTART:19700329T020000"),
    *("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "END:DAYLIGHT", "BEGIN:STANDARD"),
    *("TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "TZNAME:CET", "DTSTART:19701025T030000"),
    *("RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "END:STANDARD", "END:VTIMEZONE"),
)
_ZONED: Final = "DTSTART;TZID=Europe/Oslo:20260105T100000"

# Legal, but with lines or in an order that few programs write: what follows DTSTART.
_LINES: Final = {
    "simple": ("SUMMARY:Plain", "DURATION:PT1H", "SEQUENCE:2"),
    "unfolded": ("DESCRIPTION:" + "X" * 300,),
    "markup": ('SUMMARY:a <b> & "c" ]]> &amp; &#13; <![CDATA[x]]>',),
    "separators": ("SUMMARY:no line ends: \u2028 \u2029 \u0085",),
    "joined": ("SUMMARY:e\u0301 \ufeff \u200d\U0001f469\u200d\U0001f680",),
    "private-use": ("SUMMARY:\ue000 \U0010fffd",),
    "noncharacter": ("SUMMARY:not in XML 1.0: \uffff",),
    "no-end": (),
    "end-before-start": ("DTEND:20260105T090000Z",),
    "end-and-duration": ("DTEND:20260105T110000Z", "DURATION:PT1H"),
    "outside": (
        *("RRULE:FREQ=DAILY;COUNT=2", "END:VEVENT", "BEGIN:VEVENT", "UID:outside"),
        *("DTSTAMP:20260101T000000Z", "RECURRENCE-ID:20270101T100000Z", "DTSTART:20270101T120000Z"),
    ),
    "no-instance": ("RRULE:FREQ=DAILY;COUNT=1", "EXDATE:20260105T100000Z"),
    "bad-rule": ("RRULE:FREQ=FORTNIGHTLY",),
    "secondly": ("RRULE:FREQ=SECONDLY",),
    "unknown-zone": ("DTEND;TZID=Nowhere/Land:20260105T120000",),
    "summary-twice": ("SUMMARY:first", "SUMMARY:second"),
    "no-colon": ("THIS LINE HAS NO COLON",),
    "empty-values": ("LOCATION:", 'DESCRIPTION;ALTREP="cid:x":', "DURATION:"),
    "other-organizer": (
        "ORGANIZER;CN=Boss:mailto:boss@elsewhere.example",
        "ATTENDEE;CN=Me;PARTSTAT=NEEDS-ACTION:mailto:alice@example.org",
        'ATTENDEE;CN=Y;PARTSTAT=ACCEPTED;SCHEDULE-STATUS="2.0":mailto:y@elsewhere.example',
    ),
}


def oddities() -> Iterator[tuple[str, bytes]]:
    """Yield the names and bytes of all objects; names are spelled as in a URL."""
    for name, lines in _LINES.items():
        yield f"{name}.ics", event(name, _START, *lines)
    for found in (_components(), _texts(), _structures(), _large()):
        for name, body in found:
            yield f"{name}.ics", body


def _components() -> Iterator[tuple[str, bytes]]:
    stamp = "DTSTAMP:20260101T000000Z"
    one = ("BEGIN:VEVENT", "UID:a", stamp, _START, "END:VEVENT")
    todo = ("BEGIN:VTODO", "UID:mixed", stamp, "SUMMARY:t", "END:VTODO")
    yield "two-uids", calendar(*one, *(line.replace("UID:a", "UID:b") for line in one))
    yield "event-and-task", calendar(*(line.replace("UID:a", "UID:mixed") for line in one), *todo)
    yield (
        "free-busy",
        calendar(
            *("BEGIN:VFREEBUSY", "UID:busy", stamp, "DTSTART:20260110T000000Z"),
            *("DTEND:20260111T000000Z", "FREEBUSY:20260110T100000Z/PT1H", "END:VFREEBUSY"),
        ),
    )
    yield (
        "availability",
        calendar(
            *(
                "BEGIN:VAVAILABILITY",
                "UID:available",
                stamp,
                "BEGIN:AVAILABLE",
                "UID:mornings",
                stamp,
            ),
            *("DTSTART:20260105T080000Z", "DTEND:20260105T120000Z", "RRULE:FREQ=WEEKLY"),
            *("END:AVAILABLE", "END:VAVAILABILITY"),
        ),
    )
    yield "zone-only", calendar(*_ZONE)
    yield "nothing-in-it", calendar()
    yield "zone-unused", _in_zone(event("zone-unused", _START), after=False)
    yield "zone-missing", event("zone-missing", _ZONED, "DURATION:PT1H")
    yield "zone-last", _in_zone(event("zone-last", _ZONED, "DURATION:PT1H"), after=True)
    plain = event("override-first", _START, "RRULE:FREQ=WEEKLY", "SUMMARY:All")
    moved = event("override-first", "DTSTART:20260112T120000Z", "RECURRENCE-ID:20260112T100000Z")
    head = moved.removesuffix(b"END:VCALENDAR\r\n")
    yield "override-first", head + plain[plain.index(b"BEGIN:VEVENT") :]
    for number in (1, 2):
        yield f"same-uid-{number}", event("same-uid", _START, f"SUMMARY:Number {number}")


def _in_zone(body: bytes, *, after: bool) -> bytes:
    zone = "\r\n".join([*_ZONE, ""]).encode()
    place = b"END:VCALENDAR" if after else b"BEGIN:VEVENT"
    return body.replace(place, zone + place)


def _texts() -> Iterator[tuple[str, bytes]]:
    """Yield what is wrong below the level of lines."""
    for name, text in {
        "bare-return": b"one\rtwo",
        "start-of-heading": b"one\x01two",
        "tab-and-delete": b"one\ttwo\x7fthree",
        "latin-1": b"M\xf8te",
        "null": b"one\x00two",
        "escape": b"\x1b[31mred",
        "surrogates": b"\xed\xa0\xbd\xed\xb8\x80",
    }.items():
        body = event(name, _START, "SUMMARY:here")
        yield name, body.replace(b"here", text)
    plain = event("blank-lines", _START, "SUMMARY:Plain")
    yield "blank-lines", plain.replace(b"SUMMARY", b"\r\nSUMMARY")
    yield "no-last-end", event("no-last-end", _START).removesuffix(b"\r\n")
    yield "blank-tail", event("blank-tail", _START) + b" \r\n\r\n"
    mixed = event("mixed-ends", _START, "SUMMARY:Plain", "DESCRIPTION:d")
    yield "mixed-ends", re.sub(rb"\r\n(SUMMARY|UID)", rb"\n\1", mixed)
    odd = event("odd-folds", _START, "DESCRIPTION:ab\r\n c\r\n\td\r\n  e\r\n \r\n f")
    yield "odd-folds", odd
    within = event("fold-within", _START, "SUMMARY:æ")
    yield "fold-within", within.replace("æ".encode(), b"\xc3\r\n \xa6")


def _structures() -> Iterator[tuple[str, bytes]]:
    """Yield what lacks something, or is no calendar object at all."""
    for name, line in {
        "no-prodid": b"PRODID:-//caldav-run//hostile//EN\r\n",
        "no-version": b"VERSION:2.0\r\n",
        "no-stamp": b"DTSTAMP:20260101T000000Z\r\n",
        "no-uid": b"UID:no-uid\r\n",
        "no-start": b"DTSTART:20260105T100000Z\r\n",
        "no-calendar-end": b"END:VCALENDAR\r\n",
        "no-event-end": b"END:VEVENT\r\n",
    }.items():
        yield name, event(name, _START).replace(line, b"")
    yield "bad-start", event("bad-start", "DTSTART:not-a-date")
    yield "far-years", event("far-years", "DTSTART:16010101T000000Z", "DTEND:99991231T235959Z")
    method = event("method", _START)
    yield "method", method.replace(b"VERSION:2.0", b"VERSION:2.0\r\nMETHOD:PUBLISH")
    yield "version-1", event("version-1", _START).replace(b"VERSION:2.0", b"VERSION:1.0")
    lower = event("lower-case", _START)
    yield "lower-case", lower.replace(b"BEGIN:VEVENT", b"begin:vevent").replace(b"UID", b"uid")
    yield "two-calendars", event("first", _START) + event("second", _START)
    yield "text-behind", event("text-behind", _START) + b"and some text\r\n"
    yield "no-calendar", b"this is no calendar\r\n"
    yield "empty", b""


def _large() -> Iterator[tuple[str, bytes]]:
    first = date(2026, 1, 5)
    days = [f"{first + timedelta(days=number):%Y%m%d}T100000Z" for number in range(1, 2001)]
    yield "rule-2000", event("rule-2000", _START, "RRULE:FREQ=DAILY;COUNT=2000")
    yield "dates-2000", folded(event("dates-2000", _START, "RDATE:" + ",".join(days)))
    overrides = (
        line
        for day in days[:300]
        for line in (
            *("END:VEVENT", "BEGIN:VEVENT", "UID:overrides-300", "DTSTAMP:20260101T000000Z"),
            *(f"RECURRENCE-ID:{day}", f"DTSTART:{day}", f"SUMMARY:On {day}"),
        )
    )
    yield "overrides-300", event("overrides-300", _START, "RRULE:FREQ=DAILY", *overrides)
    yield (
        "properties-5000",
        event(
            "properties-5000", _START, *(f"X-NUMBER-{number}:v{number}" for number in range(5000))
        ),
    )
    # In one line: some servers take half a minute to join so many.
    yield "attachment-5m", attachment(5 << 20, "attachment-5m")
