"""The occurrences that one recurrence rule makes, as spans of time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from caldav_run.ical.recurrence import Frequency, Rule
from caldav_run.ical.spans import FOREVER, Length, Span
from caldav_run.ical.steps import Steps
from caldav_run.ical.values import FIRST, LAST, Moment, shift
from caldav_run.ical.zones import Zones

# How far a wall clock that was reckoned from an instant can be off: a change of offset, which for
# the rules that may have 86,400 occurrences a day is taken as three hours at most.
_SLACK_S: Final = 90_000
_SHORT_SLACK_S: Final = 3 * 3600


@dataclass(frozen=True, slots=True)
class Skipped:
    """Which occurrences a rule does not make after all: excluded ones and overridden ones.

    Attributes:
        instants: Their starts in seconds since 1970.
        days: Those that are known by their day only, as proleptic ordinals.
    """

    instants: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()

    def has(self, local: datetime, seconds: int) -> bool:
        """Whether the occurrence at this wall clock and instant is skipped."""
        return seconds in self.instants or local.toordinal() in self.days


@dataclass(frozen=True, slots=True)
class Series:
    """One rule with what its occurrences look like.

    Attributes:
        start: The master's DTSTART.
        rule: The rule.
        length: How long an occurrence lasts.
        skipped: What does not take place.
        until_s: Where UNTIL ends it, in seconds since 1970; None where it does not.
        zones: Where its wall clocks lie.
        steps: The work left for this item.
    """

    start: Moment
    rule: Rule
    length: Length
    skipped: Skipped
    until_s: int | None
    zones: Zones
    steps: Steps

    def touches(self, start: int, stop: int) -> bool:
        """Whether an occurrence has a part in [start, stop).

        Raises:
            TooLongError: That takes too long to work out.
            ValueError: Its time zone cannot be told.
        """
        for span in self._forward(start - self.length.longest_s):
            if span.begin >= stop + self._slack_s:
                return False
            if span.touches(start, stop):
                return True
        return False

    def next_begin(self, start: int, stop: int) -> int | None:
        """Return the first begin at or after `stop` of a span that ends after `start`, or None.

        Raises:
            TooLongError: That takes too long to work out.
            ValueError: Its time zone cannot be told.
        """
        for span in self._forward(max(stop, start - self.length.longest_s)):
            if span.begin >= stop and span.end > start:
                return span.begin
        return None

    def last_end(self, start: int, stop: int) -> int:
        """Return the last end of a span that begins before `stop` and ends after `start`.

        Returns:
            Seconds since 1970; `FOREVER` when there is always one more; `-FOREVER` when there is
            none.

        Raises:
            TooLongError: That takes too long to work out.
            ValueError: Its time zone cannot be told.
        """
        if stop >= FOREVER and self.rule.count is None and self.until_s is None:
            return FOREVER if self.touches(start, stop) else -FOREVER
        for span in self._backward(stop):
            if span.begin < stop:
                return span.end if span.end > start else -FOREVER
        return -FOREVER

    @property
    def _slack_s(self) -> int:
        return _SHORT_SLACK_S if self.rule.frequency > Frequency.DAILY else _SLACK_S

    def _last_local(self) -> datetime:
        """Return the wall clock after which COUNT allows nothing more."""
        if self.rule.count is None:
            return LAST
        return self.rule.last_counted(self.steps) or LAST

    def _wall_clocks(self, seconds: int) -> tuple[datetime, datetime]:
        """Return the earliest and the latest wall clock that an instant can have."""
        at, zone = self.zones.local(seconds, self.start.zone), self.start.zone
        early, late = shift(at, 0, -self._slack_s), shift(at, 0, self._slack_s)
        if self.zones.offset_s(early, zone) == self.zones.offset_s(late, zone):
            return at, at
        return early, late

    def _forward(self, seconds: int) -> Iterator[Span]:
        """Yield spans in order, from one not later than the first that starts at `seconds`."""
        at = self._wall_clocks(seconds)[0]
        last = self._last_local()
        for local in self.rule.forward(max(at, FIRST), self.steps):
            begin = self.zones.seconds(self.start._replace(local=local))
            if local > last or (self.until_s is not None and begin > self.until_s):
                return
            self.steps.take()
            if not self.skipped.has(local, begin):
                yield self.length.span(self.start._replace(local=local), self.zones)

    def _backward(self, stop: int) -> Iterator[Span]:
        """Yield spans in reverse order, from one not earlier than the last before `stop`."""
        until_s = FOREVER if self.until_s is None else self.until_s
        seconds = min(stop + self.length.early_s, until_s)
        at = self._wall_clocks(seconds)[1]
        for local in self.rule.backward(min(at, self._last_local()), self.steps):
            begin = self.zones.seconds(self.start._replace(local=local))
            self.steps.take()
            if begin <= until_s and not self.skipped.has(local, begin):
                yield self.length.span(self.start._replace(local=local), self.zones)
