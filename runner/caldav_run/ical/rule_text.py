"""Reading a RECUR value (RFC 5545 section 3.3.10)."""

import re
from datetime import datetime
from typing import Final

from caldav_run.ical.recurrence import Frequency, Rule
from caldav_run.ical.values import parse_moment

_WEEKDAYS: Final = {name: n for n, name in enumerate(("MO", "TU", "WE", "TH", "FR", "SA", "SU"))}
_DAY: Final = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)\Z")
_LIMITS: Final = {
    "BYSECOND": (0, 60),
    "BYMINUTE": (0, 59),
    "BYHOUR": (0, 23),
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366),
    "INTERVAL": (1, 10**9),
    "COUNT": (1, 10**9),
}


def parse_rule(text: str, start: datetime) -> Rule:
    """Read a RECUR value.

    Args:
        text: The value, such as `FREQ=WEEKLY;BYDAY=MO`.
        start: DTSTART's wall clock.

    Raises:
        ValueError: It is none, or counts in another calendar than the Gregorian one.
    """
    parts = {}
    for part in text.strip().upper().split(";"):
        name, _, value = part.partition("=")
        parts[name.strip()] = value.strip()
    if parts.get("FREQ") not in Frequency.__members__:
        raise ValueError(f"{text[:60]!r} is no recurrence rule")
    if parts.get("RSCALE", "GREGORIAN") != "GREGORIAN":
        raise ValueError(f"the calendar scale {parts['RSCALE'][:20]!r} is not known")
    return Rule(
        start=start,
        frequency=Frequency[parts["FREQ"]],
        interval=_number("INTERVAL", parts["INTERVAL"]) if "INTERVAL" in parts else 1,
        count=_number("COUNT", parts["COUNT"]) if "COUNT" in parts else None,
        until=parse_moment(parts["UNTIL"]) if "UNTIL" in parts else None,
        week_start=_WEEKDAYS.get(parts.get("WKST", "MO"), 0),
        days=frozenset(map(_weekday, filter(None, parts.get("BYDAY", "").split(",")))),
        by={
            name: frozenset(_number(name, number) for number in value.split(","))
            for name, value in parts.items()
            if name in _LIMITS and name.startswith("BY")
        },
    )


def _number(name: str, text: str) -> int:
    """Read one number of a rule's part; ValueError when it is none or out of bounds."""
    low, high = _LIMITS[name]
    if not re.fullmatch(r"[+-]?\d{1,10}", text.strip()) or not low <= int(text) <= high:
        raise ValueError(f"{name}={text[:20]} is out of bounds")
    return int(text)


def _weekday(text: str) -> tuple[int, int]:
    """Read `MO` or `-1SU`; ValueError when it is neither."""
    match = _DAY.match(text.strip())
    if not match:
        raise ValueError(f"BYDAY={text[:20]} is no weekday")
    return int(match[1] or 0), _WEEKDAYS[match[2]]
