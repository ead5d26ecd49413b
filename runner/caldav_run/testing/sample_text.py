"""iCalendar text for the sample account: times around a given day, components, whole objects."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from caldav_run.ical.lines import fold

Lines = Sequence[str]

BERLIN: Final = "Europe/Berlin"
NEW_YORK: Final = "America/New_York"

_ZONES: Final = {
    BERLIN: (
        "BEGIN:VTIMEZONE",
        "TZID:Europe/Berlin",
        "BEGIN:DAYLIGHT",
        "DTSTART:19810329T020000",
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
        "TZNAME:CEST",
        "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0200",
        "END:DAYLIGHT",
        "BEGIN:STANDARD",
        "DTSTART:19961027T030000",
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
        "TZNAME:CET",
        "TZOFFSETFROM:+0200",
        "TZOFFSETTO:+0100",
        "END:STANDARD",
        "END:VTIMEZONE",
    ),
    NEW_YORK: (
        "BEGIN:VTIMEZONE",
        "TZID:America/New_York",
        "BEGIN:DAYLIGHT",
        "DTSTART:20070311T020000",
        "RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3",
        "TZNAME:EDT",
        "TZOFFSETFROM:-0500",
        "TZOFFSETTO:-0400",
        "END:DAYLIGHT",
        "BEGIN:STANDARD",
        "DTSTART:20071104T020000",
        "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11",
        "TZNAME:EST",
        "TZOFFSETFROM:-0400",
        "TZOFFSETTO:-0500",
        "END:STANDARD",
        "END:VTIMEZONE",
    ),
}
_HEAD: Final = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//caldav-run//sample account//EN")


@dataclass(frozen=True, slots=True)
class Week:
    """Days counted from the Monday of the week that a given day lies in.

    Attributes:
        today: The given day.
    """

    today: date

    def day(self, offset: int) -> date:
        """Return a day; 0 is the week's Monday, -1 the Sunday before."""
        return self.today - timedelta(days=self.today.weekday()) + timedelta(days=offset)

    def at(self, offset: int, clock: str) -> str:
        """Return a wall-clock time such as `20260504T100000`; `clock` is `10:00`."""
        return f"{datetime.combine(self.day(offset), time.fromisoformat(clock)):%Y%m%dT%H%M%S}"

    def timed(self, offset: int, start: str, end: str, zone: str = BERLIN) -> Lines:
        """Return DTSTART and DTEND in a time zone, on one day."""
        return (
            f"DTSTART;TZID={zone}:{self.at(offset, start)}",
            f"DTEND;TZID={zone}:{self.at(offset, end)}",
        )

    def all_day(self, offset: int, days: int = 1) -> Lines:
        """Return DTSTART and DTEND as dates."""
        return (
            f"DTSTART;VALUE=DATE:{self.day(offset):%Y%m%d}",
            f"DTEND;VALUE=DATE:{self.day(offset + days):%Y%m%d}",
        )

    def stamp(self, revision: int = 0) -> Lines:
        """Return the properties that tell versions apart; a later revision is a newer version."""
        made = f"{self.at(-30, '08:00')}Z"
        changed = f"{self.at(-30 + revision, '08:30')}Z"
        return (
            f"DTSTAMP:{changed}",
            f"CREATED:{made}",
            f"LAST-MODIFIED:{changed}",
            f"SEQUENCE:{revision}",
        )


def component(name: str, *parts: str | Lines) -> list[str]:
    """Return a component's lines; parts are lines or sequences of lines."""
    lines = [f"BEGIN:{name}"]
    for part in parts:
        lines.extend([part] if isinstance(part, str) else part)
    return [*lines, f"END:{name}"]


def alarm(before: str, text: str = "Reminder") -> list[str]:
    """Return an alarm; `before` is a duration such as `PT15M`."""
    return component("VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{text}", f"TRIGGER:-{before}")


def text(value: str) -> str:
    """Return a text as a property holds it (RFC 5545 section 3.3.11)."""
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        value = value.replace(plain, escaped)
    return value


def whole(components: Iterable[Lines]) -> bytes:
    """Return a calendar object of components, with the time zones that they name."""
    lines = [line for each in components for line in each]
    named = "\n".join(lines)
    zones = [line for zone, block in _ZONES.items() if f"TZID={zone}:" in named for line in block]
    every = [*_HEAD, *zones, *lines, "END:VCALENDAR"]
    return b"".join(fold(line.encode()) + b"\r\n" for line in every)


def item(
    week: Week, slug: str, summary: str, when: Lines, *more: str | Lines, revision: int = 0
) -> tuple[str, bytes]:
    """Return name and bytes of an item with one event.

    Args:
        week: The week that its times lie around.
        slug: What makes its name and UID.
        summary: Its title.
        when: Its start and end.
        more: Further lines.
        revision: How often it was changed.
    """
    uid = f"UID:{slug}@sample.example"
    told = f"SUMMARY:{text(summary)}"
    event = component("VEVENT", uid, week.stamp(revision), told, when, *more)
    return f"{slug}.ics", whole([event])
