"""Recurrence rules, walked from any point in time in either direction.

`python-dateutil` walks a rule from its start only and, once no date fits, to the year 9999 inside
one step. An item of a stranger (every second since 1601, every 30 February) must not stop a
backup, so this walk jumps to the period that is asked for and counts its steps.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import IntEnum
from functools import cached_property
from itertools import product
from typing import Final

from caldav_run.ical.steps import Steps
from caldav_run.ical.values import LAST, Moment

_DAY_PARTS: Final = ("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYDAY")


class Frequency(IntEnum):
    """FREQ, from the longest period to the shortest."""

    YEARLY = 0
    MONTHLY = 1
    WEEKLY = 2
    DAILY = 3
    HOURLY = 4
    MINUTELY = 5
    SECONDLY = 6


@dataclass(frozen=True)
class Rule:
    """One RRULE from one start (RFC 5545 section 3.3.10), on the wall clock of its start.

    Attributes:
        start: DTSTART's wall clock.
        frequency: FREQ.
        interval: INTERVAL.
        count: COUNT; None when it is not limited so.
        until: UNTIL as written; None when it is not limited so.
        week_start: WKST as a weekday, Monday being 0.
        days: BYDAY as pairs of ordinal (0 for every one) and weekday.
        by: The other BY parts by name, numbers as written.
    """

    start: datetime
    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: Moment | None = None
    week_start: int = 0
    days: frozenset[tuple[int, int]] = frozenset()
    by: dict[str, frozenset[int]] = field(default_factory=dict)

    def forward(self, at: datetime, steps: Steps) -> Iterator[datetime]:
        """Yield starts in order, from one not later than the first at or after `at`.

        COUNT and UNTIL are the caller's to mind.

        Raises:
            TooLongError: No further start was found in the steps allowed.
        """
        index = max(0, self._index(at) - 1)
        while (found := self._period(index, steps)) is not None:
            yield from (start for start in found if start >= self.start)
            index += 1

    def backward(self, at: datetime, steps: Steps) -> Iterator[datetime]:
        """Yield starts in reverse order, those at or before `at`.

        Raises:
            TooLongError: No further start was found in the steps allowed.
        """
        for index in range(self._index(min(at, LAST)), -1, -1):
            found = self._period(index, steps) or []
            yield from (start for start in reversed(found) if self.start <= start <= at)

    def last_counted(self, steps: Steps) -> datetime | None:
        """Return the start that COUNT ends at; None when the rule ends before.

        Raises:
            TooLongError: The count is too high to get there.
        """
        left = self.count or 0
        for start in self.forward(self.start, steps):
            steps.take()
            left -= 1
            if not left:
                return start
        return None

    def _index(self, at: datetime) -> int:
        """Return the number of the period that `at` lies in; may be negative."""
        start = self.start
        if self.frequency is Frequency.YEARLY:
            return (at.year - start.year) // self.interval
        if self.frequency is Frequency.MONTHLY:
            return ((at.year - start.year) * 12 + at.month - start.month) // self.interval
        if self.frequency is Frequency.WEEKLY:
            return (at.toordinal() - self._first_week) // (7 * self.interval)
        if self.frequency is Frequency.DAILY:
            return (at.toordinal() - start.toordinal()) // self.interval
        return (at.toordinal() - start.toordinal()) * 24 + at.hour - start.hour

    def _period(self, index: int, steps: Steps) -> list[datetime] | None:
        """Return the starts in one period, sorted; None past the year 9999.

        A period is a year, month, week or day; for the shorter frequencies it is an hour.
        """
        try:
            if self.frequency > Frequency.DAILY:
                return self._hour(index, steps)
            days = self._days(index)
            steps.take(len(days) + 1)
            fitting = [day for day in days if self._fits(day)]
        except (ValueError, OverflowError):
            return None
        steps.take(len(fitting) * len(self._times))
        return self._positions(
            [
                datetime(day.year, day.month, day.day, *time)  # noqa: DTZ001 - a wall clock
                for day in fitting
                for time in self._times
            ]
        )

    def _days(self, index: int) -> list[date]:
        """Return the days of one period that can fit at all.

        Raises:
            ValueError: It lies past the year 9999.
            OverflowError: The same.
        """
        start = self.start
        if self.frequency is Frequency.YEARLY:
            year = start.year + index * self.interval
            months = sorted(self._months) if self._months else range(1, 13)
            return [day for month in months for day in _month(year, month)]
        if self.frequency is Frequency.MONTHLY:
            months_on = start.month - 1 + index * self.interval
            month = months_on % 12 + 1
            days = _month(start.year + months_on // 12, month)
            return days if not self._months or month in self._months else []
        if self.frequency is Frequency.WEEKLY:
            first = self._first_week + index * 7 * self.interval
            # The first week of the year 1 may start before it.
            return [date.fromordinal(day) for day in range(max(first, 1), first + 7)]
        return [date.fromordinal(start.toordinal() + index * self.interval)]

    def _hour(self, index: int, steps: Steps) -> list[datetime]:
        """Return the starts in the hour `index` hours after the start's own."""
        hour = self.start.replace(minute=0, second=0) + timedelta(hours=index)
        steps.take()
        if hour.hour not in self.by.get("BYHOUR", (hour.hour,)) or not self._fits(hour):
            return []
        found: list[datetime] = []
        minutes, seconds = self._minutes, self._seconds
        for unit in self._units(index):
            steps.take()
            inside = {
                Frequency.HOURLY: (minutes, seconds),
                Frequency.MINUTELY: ([unit] if unit in minutes else [], seconds),
                Frequency.SECONDLY: (
                    [unit // 60] if unit // 60 in minutes else [],
                    [unit % 60] if unit % 60 in seconds else [],
                ),
            }[self.frequency]
            found += self._positions(
                [hour.replace(minute=minute, second=second) for minute, second in product(*inside)]
            )
        return found

    def _units(self, index: int) -> range:
        """Return the hours (0), minutes or seconds of an hour that INTERVAL comes upon."""
        per_hour, offset = {
            Frequency.HOURLY: (1, 0),
            Frequency.MINUTELY: (60, self.start.minute),
            Frequency.SECONDLY: (3600, self.start.minute * 60 + self.start.second),
        }[self.frequency]
        return range((offset - index * per_hour) % self.interval, per_hour, self.interval)

    def _positions(self, found: list[datetime]) -> list[datetime]:
        """Return what BYSETPOS chooses of the starts in one period."""
        positions = self.by.get("BYSETPOS")
        if not positions:
            return found
        size = len(found)
        chosen = {at - 1 if at > 0 else size + at for at in positions}
        return [found[at] for at in sorted(chosen) if 0 <= at < size]

    def _fits(self, day: date) -> bool:
        """Whether every part about days allows this day."""
        if self._months and day.month not in self._months:
            return False
        if self._weekdays and not self._weekday_fits(day):
            return False
        month_days, year_days, weeks = self._month_days, self.by.get("BYYEARDAY"), self._weeks
        if month_days and month_days.isdisjoint(
            (day.day, day.day - monthrange(day.year, day.month)[1] - 1)
        ):
            return False
        if year_days:
            at, length = _year_position(day)
            if year_days.isdisjoint((at + 1, at - length)):
                return False
        return not weeks or not weeks.isdisjoint(self._week_numbers(day))

    def _weekday_fits(self, day: date) -> bool:
        """Whether BYDAY allows this day, counted in its month or year."""
        weekday = day.weekday()
        if (0, weekday) in self._weekdays:
            return True
        if self.frequency > Frequency.MONTHLY:
            return any(weekday == one for _, one in self._weekdays)
        if self.frequency is Frequency.MONTHLY or self._months:
            at, length = day.day - 1, monthrange(day.year, day.month)[1]
        else:
            at, length = _year_position(day)
        nth, nth_last = at // 7 + 1, -((length - 1 - at) // 7 + 1)
        return (nth, weekday) in self._weekdays or (nth_last, weekday) in self._weekdays

    def _week_numbers(self, day: date) -> tuple[int, int]:
        """Return the number of the day's week, from the year's start and from its end."""
        # A week belongs to the year that has its fourth day.
        fourth = day + timedelta(days=3 - (day.weekday() - self.week_start) % 7)
        at, length = _year_position(fourth)
        return at // 7 + 1, -((length - 1 - at) // 7 + 1)

    # What the rule does not say comes from its start (RFC 5545 section 3.3.10).

    @cached_property
    def _names_days(self) -> bool:
        return bool(self.days) or any(self.by.get(part) for part in _DAY_PARTS)

    @cached_property
    def _months(self) -> frozenset[int]:
        months = self.by.get("BYMONTH", frozenset())
        if not months and not self._names_days and self.frequency is Frequency.YEARLY:
            return frozenset({self.start.month})
        return months

    @cached_property
    def _month_days(self) -> frozenset[int]:
        if not self._names_days and self.frequency <= Frequency.MONTHLY:
            return frozenset({self.start.day})
        return self.by.get("BYMONTHDAY", frozenset())

    @cached_property
    def _weeks(self) -> frozenset[int]:
        return self.by.get("BYWEEKNO", frozenset())

    @cached_property
    def _weekdays(self) -> frozenset[tuple[int, int]]:
        only_weeks = self._weeks and set(self.by).isdisjoint({"BYMONTHDAY", "BYYEARDAY"})
        plain_week = self.frequency is Frequency.WEEKLY and not self._names_days
        if not self.days and (only_weeks or plain_week):
            return frozenset({(0, self.start.weekday())})
        return self.days

    @cached_property
    def _first_week(self) -> int:
        """The day number of the start of the start's week."""
        return self.start.toordinal() - (self.start.weekday() - self.week_start) % 7

    @cached_property
    def _minutes(self) -> list[int]:
        every = range(60) if self.frequency > Frequency.HOURLY else (self.start.minute,)
        return sorted(self.by.get("BYMINUTE", every))

    @cached_property
    def _seconds(self) -> list[int]:
        every = range(60) if self.frequency > Frequency.MINUTELY else (self.start.second,)
        # A leap second counts as the second before it.
        return sorted({min(second, 59) for second in self.by.get("BYSECOND", every)})

    @cached_property
    def _times(self) -> list[tuple[int, int, int]]:
        hours = sorted(self.by.get("BYHOUR", (self.start.hour,)))
        return list(product(hours, self._minutes, self._seconds))


def _month(year: int, month: int) -> list[date]:
    return [date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1)]


def _year_position(day: date) -> tuple[int, int]:
    """Return the day's place in its year, from 0, and the year's length."""
    first = date(day.year, 1, 1).toordinal()
    return day.toordinal() - first, date(day.year, 12, 31).toordinal() - first + 1
