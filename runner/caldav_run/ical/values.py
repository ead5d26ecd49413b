"""The values of time properties: dates, times, durations and periods (RFC 5545 section 3.3)."""

import re
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from caldav_run.ical.tree import Property

_MOMENT: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?\Z", re.ASCII)
_DURATION: Final = re.compile(
    r"([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?\Z", re.ASCII
)
_LONGEST_DAYS: Final = 4_000_000  # past the years 1 to 9999 there is nothing to compare with
_DAY: Final = 86_400
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()

FIRST: Final = datetime(1, 1, 1)  # noqa: DTZ001 - a wall clock
LAST: Final = datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001 - a wall clock


class Moment(NamedTuple):
    """A date or a time as it is written.

    Attributes:
        local: The wall clock; midnight for a date.
        zone: The TZID; `UTC` for a value that ends in Z; None for a date or floating time.
        all_day: Whether it is a date.
    """

    local: datetime
    zone: str | None
    all_day: bool


class Duration(NamedTuple):
    """A length of time: calendar days, which may be 23 hours long, and exact seconds."""

    days: int
    seconds: int

    @property
    def total_s(self) -> int:
        """The length in seconds with days of 24 hours."""
        return self.days * _DAY + self.seconds


def parse_moment(text: str, zone: str | None = None) -> Moment:
    """Read a DATE or DATE-TIME value.

    Args:
        text: The value, such as `20260501` or `20260501T080000Z`.
        zone: The TZID parameter of its property.

    Raises:
        ValueError: It is neither.
    """
    match = _MOMENT.match(text.strip())
    if not match:
        raise ValueError(f"{text[:40]!r} is neither a date nor a time")
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    if match[4] is None:
        return Moment(datetime(year, month, day), None, all_day=True)  # noqa: DTZ001 - a wall clock
    # A leap second counts as the second before it (RFC 5545 section 3.3.12).
    second = min(int(match[6]), 59)
    local = datetime(year, month, day, int(match[4]), int(match[5]), second)  # noqa: DTZ001
    return Moment(local, "UTC" if match[7] else zone or None, all_day=False)


def moment(prop: Property) -> Moment:
    """Read a property that holds one date or time.

    Raises:
        ValueError: It holds something else.
    """
    return parse_moment(prop.value, prop.param("TZID"))


def parse_duration(text: str) -> Duration:
    """Read a DURATION value (RFC 5545 section 3.3.6), also with weeks and days together.

    Raises:
        ValueError: It is none, or longer than the years 1 to 9999.
    """
    match = _DURATION.match(text.strip().upper())
    if not match or not any(match.groups()[1:]):
        raise ValueError(f"{text[:40]!r} is no duration")
    weeks, days, hours, minutes, seconds = (int(part[:18]) for part in match.groups("0")[1:])
    sign = -1 if match[1] == "-" else 1
    found = Duration(sign * (weeks * 7 + days), sign * (hours * 3600 + minutes * 60 + seconds))
    if abs(found.total_s) > _LONGEST_DAYS * _DAY:
        raise ValueError(f"{text[:40]!r} is too long")
    return found


def shift(local: datetime, days: int, seconds: int = 0) -> datetime:
    """Move a wall clock, stopping at the ends of the years 1 and 9999."""
    try:
        return local + timedelta(days=days, seconds=seconds)
    except OverflowError:
        return LAST if days + seconds > 0 else FIRST


def epoch(local: datetime) -> int:
    """Return a wall clock's seconds since 1970 as if it were UTC; also for the year 9999."""
    return (local.toordinal() - _EPOCH_DAY) * _DAY + (
        local.hour * 3600 + local.minute * 60 + local.second
    )


def unescape(text: str) -> str:
    """Return a TEXT value as a person reads it (RFC 5545 section 3.3.11)."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda match: "\n" if match[1] in "nN" else match[1], text)


def split_list(text: str) -> list[str]:
    """Split a raw value at its commas, leaving escaped ones alone, and unescape the parts."""
    parts = re.findall(r"(?:[^\\,]|\\.)+", text, re.DOTALL)
    return [unescape(part).strip() for part in parts if part.strip()]


def plain(text: str) -> str:
    """Return text that can be printed and encoded: no surrogates, no control characters."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(char if char.isprintable() else " " for char in text)
