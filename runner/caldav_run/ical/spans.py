"""When a component takes place: its times as spans that can be compared with a period.

Source: RFC 4791 section 9.9, whose tables say when a component overlaps a time range.
"""

from typing import Final, NamedTuple

from caldav_run.ical.tree import Component
from caldav_run.ical.values import Duration, Moment, moment, parse_duration, shift
from caldav_run.ical.zones import Zones

FOREVER: Final = 2**53
"""Later than any time that iCalendar can write, in seconds since 1970."""


class Span(NamedTuple):
    """What one occurrence covers: it touches a period [from, to) if from < end and to > begin.

    Times are whole seconds since 1970. An occurrence without a length, which section 9.9 compares
    with `<=`, ends a second after it begins.
    """

    begin: int
    end: int

    def touches(self, start: int, stop: int) -> bool:
        """Whether it has a part in [start, stop)."""
        return start < self.end and stop > self.begin


ALWAYS: Final = Span(-FOREVER, FOREVER)


class Length(NamedTuple):
    """How an occurrence's span follows from its start: RFC 4791's table, worked out once.

    Attributes:
        lasts: From its start to its end.
        early_s: How much before its start the span begins.
        late_s: How much after its end the span ends.
    """

    lasts: Duration
    early_s: int = 0
    late_s: int = 0

    def span(self, start: Moment, zones: Zones) -> Span:
        """Return the span of an occurrence at this start.

        Raises:
            ValueError: Its time zone cannot be told.
            TooLongError: The same.
        """
        begin = zones.seconds(start)
        end = begin
        if self.lasts.days:
            local = shift(start.local, self.lasts.days)
            end = zones.seconds(start._replace(local=local))
        end += self.lasts.seconds
        return Span(begin - self.early_s, max(end, begin) + self.late_s)

    @property
    def longest_s(self) -> int:
        """How long after its start a span ends, but for a change of offset in between."""
        return max(self.lasts.total_s, 0) + self.late_s


def length(component: Component, start: Moment, zones: Zones) -> Length:
    """Return how long the occurrences of a component with this DTSTART last.

    Raises:
        ValueError: A value cannot be read, or its time zone cannot be told.
        TooLongError: Its time zone cannot be told.
    """
    task = component.name == "VTODO"
    end = component.first("DUE" if task else "DTEND")
    written = component.first("DURATION")
    if end is not None:
        lasts = _between(start, moment(end), zones, inclusive=task)
    elif written is not None:
        lasts = parse_duration(written.value)
    else:
        lasts = Duration(int(start.all_day), 0)
    if not task or (end is None and written is None):
        return Length(lasts, late_s=int(lasts.total_s <= 0))
    if end is None:
        return Length(lasts, early_s=int(lasts.total_s <= 0), late_s=1)
    late_s = -lasts.total_s
    return Length(lasts, early_s=late_s + 1, late_s=1) if late_s >= 0 else Length(lasts)


def _between(start: Moment, end: Moment, zones: Zones, *, inclusive: bool) -> Duration:
    """Return the length from a start to an end: in days for two dates, else exact.

    `inclusive` says that an end which is a date takes that day in: a task that is due on a day is
    due until the end of it.
    """
    if end.all_day and inclusive:
        end = end._replace(local=shift(end.local, 1))
    if start.all_day and end.all_day:
        return Duration((end.local - start.local).days, 0)
    return Duration(0, zones.seconds(end) - zones.seconds(start))


def undated(component: Component, zones: Zones) -> list[Span]:
    """Return the spans of a component without DTSTART (RFC 4791 section 9.9).

    A task without any time is always there, and a journal without one never.

    Raises:
        ValueError: It is no task and no journal, or a value cannot be read.
        TooLongError: Its time zone cannot be told.
    """
    if component.name == "VJOURNAL":
        return []
    if component.name != "VTODO":
        raise ValueError("it has no start")
    due = component.first("DUE")
    if due:
        at = moment(due)
        begin = zones.seconds(at)
        end = zones.seconds(at._replace(local=shift(at.local, 1))) if at.all_day else begin
        return [Span(begin - 1, end)]
    completed, created = component.first("COMPLETED"), component.first("CREATED")
    times = [zones.seconds(moment(prop)) for prop in (completed, created) if prop]
    if completed:
        return [Span(min(times) - 1, max(times) + 1)]
    return [Span(times[0], FOREVER)] if created else [ALWAYS]
