"""Points in time as a person writes them: `2026-05-01`, `yesterday`, `2 weeks ago`."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

FORMS: Final = (
    "a date (2026-05-01), a time (2026-05-01T08:00:00+02:00), today, yesterday, "
    "or so long ago: 3 days ago, 2 weeks ago, 1 month ago (minutes and hours, years as well)"
)
_AGO: Final = re.compile(
    r"(?P<count>\d{1,6}|an?) (?P<unit>minute|hour|day|week|month|year)s? ago", re.ASCII
)
_MONTHS: Final = {"month": 1, "year": 12}
_DAYS: Final = {"day": 1, "week": 7}
_MINUTES: Final = {"minute": 1, "hour": 60}
_PAST: Final = {"today": 0, "yesterday": 1}
_FIRST: Final = datetime.min.replace(tzinfo=UTC)


def last_moment(text: str, now: datetime) -> datetime | None:
    """Return the last moment that a time in words takes in, in UTC.

    Args:
        text: One of `FORMS`, in upper or lower case. A day means its end; a time means itself.
        now: The time, in the zone where days end and where times without an offset lie.

    Returns:
        None where the text is no time.
    """
    # Where a clock goes back over midnight, the later one of the two ends.
    return _moment(text, now, time.max.replace(fold=1))


def first_moment(text: str, now: datetime) -> datetime | None:
    """Return the first moment that a time in words takes in; otherwise as `last_moment`."""
    return _moment(text, now, time.min)


def _moment(text: str, now: datetime, of_day: time) -> datetime | None:
    words = " ".join(text.lower().split())
    try:
        if words in _PAST:
            return _in_day(now.date() - timedelta(days=_PAST[words]), of_day, now)
        ago = _AGO.fullmatch(words)
        return _ago(ago, now) if ago else _written(text.strip(), of_day, now)
    except (ValueError, OverflowError):
        # Zones west and east of Greenwich reach beyond the years 1 to 9999.
        return None


def _written(text: str, of_day: time, now: datetime) -> datetime:
    try:
        return _in_day(date.fromisoformat(text), of_day, now)
    except ValueError:
        at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=now.tzinfo)).astimezone(UTC)


def _in_day(day: date, of_day: time, now: datetime) -> datetime:
    return datetime.combine(day, of_day, now.tzinfo).astimezone(UTC)


def _ago(match: re.Match[str], now: datetime) -> datetime:
    """Go back from now: by the wall clock for days and what is longer, else by elapsed time."""
    count = int(match["count"]) if match["count"].isdigit() else 1
    unit = match["unit"]
    try:
        if unit in _MINUTES:
            return now.astimezone(UTC) - timedelta(minutes=count * _MINUTES[unit])
        back = _months_before(now, count * _MONTHS.get(unit, 0))
        return (back - timedelta(days=count * _DAYS.get(unit, 0))).astimezone(UTC)
    except (ValueError, OverflowError):
        return _FIRST


def _months_before(now: datetime, months: int) -> datetime:
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    day = min(now.day, monthrange(year, month + 1)[1])
    return now.replace(year=year, month=month + 1, day=day)
