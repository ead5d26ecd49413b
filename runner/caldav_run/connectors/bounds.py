"""The ends of a period: a fixed time, or one that moves with the days."""

import re
from bisect import bisect_left
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final, Protocol

from caldav_run.errors import SetupError

_RELATIVE: Final = re.compile(r"([+-]?)(\d{1,5})([dwmy])\Z", re.ASCII)
_FIXED: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?\Z", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS: Final = {"m": 1, "y": 12}
_DAYS: Final = {"d": 1, "w": 7}
MEND: Final = (
    "write a date (2026-05-01), a time (2026-05-01T08:00:00+02:00), "
    "or days, weeks, months or years from today (-30d, +2w, -6m, 1y)"
)


class Bound(Protocol):
    """One end of a period."""

    def at(self, today: date) -> int:
        """Return where it lies on this day, in seconds since 1970; never earlier a day later."""

    def reaches(self, seconds: int, today: date) -> datetime | None:
        """Return the start of the first day after `today` on which it lies at or after `seconds`.

        None when it never will, having not got there by today either.
        """


@dataclass(frozen=True, slots=True)
class FixedBound:
    """A time that stays.

    Attributes:
        seconds: The time, in seconds since 1970.
    """

    seconds: int

    def at(self, today: date) -> int:  # noqa: ARG002 - as a `Bound`
        """Return it."""
        return self.seconds

    def reaches(self, seconds: int, today: date) -> datetime | None:  # noqa: ARG002 - as a `Bound`
        """Return None: it does not move."""
        return None


@dataclass(frozen=True, slots=True)
class MovingBound:
    """The start of a day so far from today.

    Whole days, so that all runs of a day see the same items, and so that it never steps back: 29,
    30 and 31 March less a month all are 28 February.

    Attributes:
        days: Days from today, before it when negative.
        months: Months from today, likewise; the day is at most the month's last one.
        timezone: Where days begin.
    """

    days: int
    months: int
    timezone: tzinfo

    def at(self, today: date) -> int:
        """Return where it lies on this day, in seconds since 1970."""
        return day_start(_shift(today, self.days, self.months), self.timezone)

    def reaches(self, seconds: int, today: date) -> datetime | None:
        """Return the start of the first day after `today` on which it lies at `seconds` or later.

        None when there is none until the year 9999.
        """
        later = range(today.toordinal() + 1, date.max.toordinal() + 1)
        index = bisect_left(later, seconds, key=lambda day: self.at(date.fromordinal(day)))
        if index == len(later):
            return None
        start = day_start(date.fromordinal(later[index]), self.timezone)
        return _EPOCH + timedelta(seconds=start)


def day_start(day: date, timezone: tzinfo) -> int:
    """Return the start of a day in seconds since 1970."""
    local = datetime(day.year, day.month, day.day, tzinfo=timezone)
    offset = local.utcoffset() or timedelta()
    return int((local.replace(tzinfo=UTC) - _EPOCH - offset).total_seconds())


def parse_bound(text: str, timezone: tzinfo) -> FixedBound | MovingBound:
    """Read one end of a period.

    Args:
        text: A date or time in the form of RFC 3339, or a number with d, w, m or y.
        timezone: Where days begin, and where a time without an offset lies.

    Raises:
        SetupError: It is neither.
    """
    relative = _RELATIVE.match(text)
    if relative:
        amount = int(relative[2]) * (-1 if relative[1] == "-" else 1)
        unit = relative[3]
        return MovingBound(_DAYS.get(unit, 0) * amount, _MONTHS.get(unit, 0) * amount, timezone)
    try:
        # What `fromisoformat` takes beyond the pattern fails on the month 0.
        at = datetime.fromisoformat(text if _FIXED.match(text) else "0000-00-00")
    except ValueError:
        raise SetupError(f"{text[:40]!r} is no time", mend=MEND) from None
    offset = at.utcoffset()
    if offset is None:
        offset = at.replace(tzinfo=timezone).utcoffset() or timedelta()
    return FixedBound(int((at.replace(tzinfo=UTC) - _EPOCH - offset).total_seconds()))


def _shift(day: date, days: int, months: int) -> date:
    """Move a day, stopping at the ends of the years 1 and 9999."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if not date.min.year <= year <= date.max.year:
        return date.max if months > 0 else date.min
    try:
        day = date(year, month, min(day.day, monthrange(year, month)[1]))
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min
