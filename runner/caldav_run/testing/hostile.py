"""Calendar objects that are legal, or in use, and hard to carry unharmed.

Servers refuse some of them; what one takes has to come back as it gave it.
"""

import base64
from collections.abc import Iterator
from typing import Final

from caldav_run.model import Calendar

CALENDAR: Final = Calendar(
    id="hostile",
    display_name='Härte & <fälle> "quoted" 🧨',
    color="#12AB34FF",
    order=42,
    description="Two lines\nand a tab\t, a comma; <markup> & an entity &amp;",
    timezone=(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//caldav-run//hostile//EN\nBEGIN:VTIMEZONE\n"
        "TZID:Own/Zone\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0545\n"
        "TZOFFSETTO:+0545\nEND:STANDARD\nEND:VTIMEZONE\nEND:VCALENDAR"
    ),
    components=("VEVENT", "VJOURNAL", "VTODO"),
)

_ZONE: Final = (
    "BEGIN:VTIMEZONE",
    'TZID:Custom/Zone of "mine"',
    "X-LIC-LOCATION:Asia/Kathmandu",
    "BEGIN:DAYLIGHT",
    "TZNAME:Sömmer",
    "TZOFFSETFROM:+0545",
    "TZOFFSETTO:+064530",
    "DTSTART:20000326T020000",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "END:DAYLIGHT",
    "BEGIN:STANDARD",
    "TZOFFSETFROM:+064530",
    "TZOFFSETTO:+0545",
    "DTSTART:20001029T030000",
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    "END:STANDARD",
    "END:VTIMEZONE",
)

# What lies within each object: the lines of its components, without what all have.
_EVENTS: Final = {
    "text": (
        r"SUMMARY:Semicolon\; comma\, backslash \\ line\nfeed and another\Nfeed",
        "DESCRIPTION:Tab\there\\, trailing blanks   ",
        "LOCATION:عربى עברית 日本語 é 🏳️‍🌈 zero\u200bwidth",
        "COMMENT:\\\\n is no line feed",
        "COMMENT:",
    ),
    "order": (
        "X-LAST-FIRST:1",
        "DURATION:P1W",
        "summary;language=de;X-P=1:Lower case names",
        "CATEGORIES:b,a",
        "CATEGORIES:a",
        "COMMENT:one",
        "COMMENT:one",
        "RRULE:FREQ=WEEKLY;BYDAY=MO,TU;INTERVAL=1;COUNT=5;WKST=SU",
    ),
    "extensions": (
        'X-PARAMETERS;X-A="colon: semicolon; comma,";X-B=plain,"quoted":value:with;all,of it',
        "X-ESCAPED;X-C=^n^^^':RFC 6868",
        "X-EMPTY:",
        "NON-STANDARD;VALUE=BOOLEAN:TRUE",
        'X-APPLE-STRUCTURED-LOCATION;X-ADDRESS="1 Loop\\n95014";X-TITLE=A:geo:37.33,-122.03',
        "GEO:48.137154;11.576124",
        "CLASS:CONFIDENTIAL",
        "REQUEST-STATUS:3.7;Invalid user;ATTENDEE:mailto:x@example.org",
        "RELATED-TO;RELTYPE=SIBLING:text@caldav-run",
        "CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO:https://meet.example/ä?b=c&d=%20",
    ),
    "foreign-name": ("X-WR-ÜMLAUT:no ASCII name",),
    "people": (
        'ORGANIZER;CN="Müller, Jörg":mailto:joerg@example.org',
        'ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;DELEGATED-TO="mailto:c@example.org":mailto:b@example.org',
        "ATTENDEE;CUTYPE=ROOM;PARTSTAT=ACCEPTED;SCHEDULE-STATUS=2.0:mailto:room@example.org",
        "ATTACH;FMTTYPE=text/plain;FILENAME=n.txt;MANAGED-ID=7:https://example.org/n.txt",
    ),
    "alarms": (
        "SUMMARY:Rings",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "DESCRIPTION:First",
        "TRIGGER;RELATED=END:-PT1H30M",
        "DURATION:PT10M",
        "REPEAT:4",
        "X-WR-ALARMUID:7",
        "END:VALARM",
        "BEGIN:VALARM",
        "ACTION:AUDIO",
        "TRIGGER;VALUE=DATE-TIME:20260501T080000Z",
        "ATTACH;VALUE=URI:Basso",
        "ACKNOWLEDGED:20260501T080001Z",
        "END:VALARM",
    ),
    "recurring": (
        "RRULE:FREQ=DAILY;COUNT=10",
        "EXDATE:20260503T100000Z,20260504T100000Z",
        "EXDATE:20260505T100000Z",
        "RDATE:20260601T100000Z,20260602T100000Z",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "UID:recurring@caldav-run",
        "DTSTAMP:20260101T000000Z",
        "RECURRENCE-ID:20260502T100000Z",
        "DTSTART:20260502T153000Z",
        "SUMMARY:Moved",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "UID:recurring@caldav-run",
        "DTSTAMP:20260101T000000Z",
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20260506T100000Z",
        "DTSTART:20260506T110000Z",
        "STATUS:CANCELLED",
    ),
    "periods": ("RDATE;VALUE=PERIOD:20260601T100000Z/PT1H,20260602T100000Z/20260602T120000Z",),
    "orphan": ("RECURRENCE-ID:20260501T100000Z", "SUMMARY:Invited to one instance only"),
    "allday": ("DTEND;VALUE=DATE:20260503", "TRANSP:TRANSPARENT", "SUMMARY:Two days"),
    "nested": ("BEGIN:X-OWN", "X-IN:side", "BEGIN:X-DEEPER", "X-V:1", "END:X-DEEPER", "END:X-OWN"),
    "vertical-tab": ("SUMMARY:No XML can carry \x0b this",),
    "line": ("DESCRIPTION:" + "a very long sentence\\, " * 500,),
}
_OTHERS: Final = {
    "todo": (
        *("BEGIN:VTODO", "UID:todo@caldav-run", "DTSTAMP:20260101T000000Z", "SUMMARY:Recurs"),
        *("DTSTART;VALUE=DATE:20260501", "DUE;VALUE=DATE:20260502", "RRULE:FREQ=MONTHLY"),
        *("PRIORITY:1", "PERCENT-COMPLETE:50", "X-APPLE-SORT-ORDER:7", "END:VTODO"),
    ),
    "done": (
        *("BEGIN:VTODO", "UID:done@caldav-run", "DTSTAMP:20260101T000000Z", "SUMMARY:Done"),
        *("COMPLETED:20260430T120000Z", "STATUS:COMPLETED", "RELATED-TO:todo@caldav-run"),
        "END:VTODO",
    ),
    "journal": (
        *("BEGIN:VJOURNAL", "UID:journal@caldav-run", "DTSTAMP:20260101T000000Z"),
        *("DTSTART;VALUE=DATE:20260501", "DESCRIPTION:Liebes Tagebuch", "END:VJOURNAL"),
    ),
    "chronicle": (
        *("BEGIN:VJOURNAL", "UID:chronicle@caldav-run", "DTSTAMP:20260101T000000Z"),
        *("DESCRIPTION:In der Frühe", "DESCRIPTION:und am Abend", "END:VJOURNAL"),
    ),
}
# A name on the server, percent-encoded for its URL, and a UID that looks as odd.
_NAMES: Final = {
    "with%20space.ics": "with space",
    "%C3%BCml%C3%A4ut.ics": "ümläut 🍰",
    "100%25%20sure.ics": "100%25 sure",
    "plus+and&amp;.ics": "plus+and&amp;",
    "semi;colon,comma=equal.ics": r"semi\;colon\,comma",
    "quote'%22.ics": "quote'\"",
    "UPPER.ics": "UPPER",
    "upper.ics": "upper",
    "no-suffix": "http://example.org/a/b?c#d",
    "%7Btilde~%7D@at.ics": "../../etc/passwd",
    "long-" + "n" * 150 + ".ics": "long " + "u" * 400,
}


def objects() -> Iterator[tuple[str, bytes]]:
    """Yield the names and bytes of all objects; names are spelled as in a URL."""
    for name, lines in _EVENTS.items():
        start = "DTSTART;VALUE=DATE:20260501" if name == "allday" else "DTSTART:20260501T100000Z"
        yield f"{name}.ics", event(f"{name}@caldav-run", start, *lines)
    for name, lines in _OTHERS.items():
        yield f"{name}.ics", calendar(*lines)
    for href, uid in _NAMES.items():
        yield href, event(uid, "DTSTART:20260501T100000Z")
    zoned = event("zone@caldav-run", "DTSTART;TZID=\"Custom/Zone of ^'mine^'\":20260501T100000")
    yield "zone.ics", zoned.replace(b"BEGIN:VEVENT", "\r\n".join((*_ZONE, "BEGIN:VEVENT")).encode())
    plain = event("feeds@caldav-run", "DTSTART:20260501T100000Z", "SUMMARY:Line feeds only")
    yield "feeds.ics", plain.replace(b"\r\n", b"\n")
    yield "mark.ics", b"\xef\xbb\xbf" + event("mark@caldav-run", "DTSTART:20260501T100000Z")
    yield "folded.ics", folded(event("folded@caldav-run", "DTSTART:20260501T100000Z", *_CAKES))
    yield "attachment.ics", folded(attachment(64 << 10))


def attachment(size: int, uid: str = "attachment@caldav-run") -> bytes:
    """Return an event with so many bytes of inline attachment, in one line."""
    data = base64.b64encode(bytes(range(256)) * (size // 256)).decode()
    attach = f"ATTACH;FMTTYPE=application/pdf;ENCODING=BASE64;VALUE=BINARY:{data}"
    return event(uid, "DTSTART:20260501T100000Z", attach)


_CAKES: Final = ("SUMMARY:" + "🍰é" * 60, "X-CAKES;X-P=" + "ü" * 90 + ":1")


def folded(body: bytes) -> bytes:
    """Fold after 75 octets, whatever these are: older programs cut through characters."""
    lines = body.split(b"\r\n")
    return b"\r\n".join(
        b"\r\n ".join([line[:75], *(line[at : at + 74] for at in range(75, len(line), 74))])
        for line in lines
    )


def event(uid: str, *lines: str) -> bytes:
    """Return an event in a calendar object; the first line stands before its UID."""
    head = (f"UID:{uid}", "DTSTAMP:20260101T000000Z")
    return calendar("BEGIN:VEVENT", *lines[:1], *head, *lines[1:], "END:VEVENT")


def calendar(*lines: str) -> bytes:
    """Return a calendar object with these lines in it."""
    head = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//caldav-run//hostile//EN")
    return "\r\n".join([*head, *lines, "END:VCALENDAR", ""]).encode()
