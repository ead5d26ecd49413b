"""Whether an item takes place in a period, and until when that answer holds.

Recurrence is followed as far as the question needs: RRULE, RDATE, EXDATE, overrides that moved in
or out, all-day and floating times, the item's own time zones. An endless rule is answered without
expanding it, and an item that asks for too much work is reported instead.
"""

from dataclasses import dataclass
from datetime import tzinfo

from caldav_run.ical.rule_text import parse_rule
from caldav_run.ical.series import Series, Skipped
from caldav_run.ical.spans import FOREVER, Length, Span, length, undated
from caldav_run.ical.steps import Steps, TooLongError
from caldav_run.ical.tree import Component, Property
from caldav_run.ical.values import Duration, Moment, moment, parse_duration, parse_moment, shift
from caldav_run.ical.zones import Zones


@dataclass(frozen=True, slots=True)
class Occurrences:
    """When an item takes place.

    Attributes:
        spans: The occurrences that are written down one by one.
        series: Those that rules make.
        problems: What could not be told, in words; the item then may take place at any time.
    """

    spans: tuple[Span, ...]
    series: tuple[Series, ...]
    problems: tuple[str, ...] = ()

    def touches(self, start: int, stop: int) -> bool:
        """Whether an occurrence has a part in [start, stop), in seconds since 1970.

        Raises:
            TooLongError: That takes too long to work out.
            ValueError: A time zone cannot be told.
        """
        return any(span.touches(start, stop) for span in self.spans) or any(
            series.touches(start, stop) for series in self.series
        )

    def last_end(self, start: int, stop: int) -> int:
        """Return the last end of the occurrences that touch [start, stop).

        As long as the period begins before it and does not end earlier than `stop`, the item
        takes place in the period. `FOREVER` when there is always one more.

        Raises:
            TooLongError: That takes too long to work out.
            ValueError: A time zone cannot be told.
        """
        ends = [span.end for span in self.spans if span.touches(start, stop)]
        ends += [series.last_end(start, stop) for series in self.series]
        return max(ends, default=-FOREVER)

    def next_begin(self, start: int, stop: int) -> int | None:
        """Return when the first occurrence begins that only a later `stop` takes in, or None.

        Raises:
            TooLongError: That takes too long to work out.
            ValueError: A time zone cannot be told.
        """
        begins = [span.begin for span in self.spans if span.begin >= stop and span.end > start]
        found = (series.next_begin(start, stop) for series in self.series)
        return min([*begins, *(begin for begin in found if begin is not None)], default=None)


def occurrences(tree: Component, timezone: tzinfo) -> Occurrences:
    """Return when an item takes place.

    Args:
        tree: The item.
        timezone: Where dates and floating times lie.
    """
    zones, steps = Zones(tree, timezone), Steps()
    spans: list[Span] = []
    series: list[Series] = []
    problems: list[str] = []
    entries = tree.entries()
    if not entries:
        problems.append("it holds no event, task or journal")
    overrides: dict[str, list[Component]] = {}
    for component in entries:
        if component.first("RECURRENCE-ID"):
            overrides.setdefault(component.value("UID"), []).append(component)
    for component in entries:
        try:
            found = _component(component, overrides.get(component.value("UID"), []), zones, steps)
        except (ValueError, TooLongError) as error:
            problems.append(str(error))
        else:
            spans += found.spans
            series += found.series
    return Occurrences(tuple(spans), tuple(series), tuple(problems))


def _component(
    component: Component, overrides: list[Component], zones: Zones, steps: Steps
) -> Occurrences:
    """Return when one component takes place.

    Raises:
        ValueError: A value cannot be read.
        TooLongError: A time zone takes too long to work out.
    """
    first = component.first("DTSTART")
    if first is None:
        return Occurrences(tuple(undated(component, zones)), ())
    start = moment(first)
    lasts = length(component, start, zones)
    if component.first("RECURRENCE-ID"):
        return Occurrences((lasts.span(start, zones),), ())
    # Any number of masters may have one UID, and each of them all the overrides.
    steps.take(len(overrides))
    skipped = _skipped(component, overrides, start, zones)
    rules = component.all("RRULE")
    lasts = _stretched(lasts, overrides, zones)
    spans = [] if _is_skipped(skipped, start, zones) else [lasts.span(start, zones)]
    for prop in component.all("RDATE"):
        spans += _added(prop, lasts, skipped, zones)
    series = []
    for prop in rules:
        rule = parse_rule(prop.value, start.local)
        until_s = None if rule.until is None else zones.seconds(_until(rule.until, start))
        series.append(Series(start, rule, lasts, skipped, until_s, zones, steps))
    return Occurrences(tuple(spans), tuple(series))


def _is_skipped(skipped: Skipped, at: Moment, zones: Zones) -> bool:
    return skipped.has(at.local, zones.seconds(at))


def _skipped(master: Component, overrides: list[Component], start: Moment, zones: Zones) -> Skipped:
    """Return the occurrences that EXDATE or an override takes out of a master's set."""
    props = (
        *master.all("EXDATE"),
        *(prop for one in overrides for prop in one.all("RECURRENCE-ID")),
    )
    instants: set[int] = set()
    days: set[int] = set()
    for prop in props:
        for text in filter(None, prop.value.split(",")):
            at = parse_moment(text, prop.param("TZID"))
            # Some clients write a date for a time, or a time for a date: the day decides.
            if at.all_day or start.all_day:
                days.add(at.local.toordinal())
            else:
                instants.add(zones.seconds(at))
    return Skipped(frozenset(instants), frozenset(days))


def _added(prop: Property, lasts: Length, skipped: Skipped, zones: Zones) -> list[Span]:
    """Return the occurrences that an RDATE adds; a period has its own end."""
    spans = []
    for text in filter(None, prop.value.split(",")):
        begin, _, end = text.partition("/")
        at = parse_moment(begin, prop.param("TZID"))
        own = lasts
        if end.strip()[:1].isdigit():
            stop = zones.seconds(parse_moment(end, prop.param("TZID")))
            own = lasts._replace(lasts=Duration(0, stop - zones.seconds(at)))
        elif end:
            own = lasts._replace(lasts=parse_duration(end))
        if not _is_skipped(skipped, at, zones):
            spans.append(own.span(at, zones))
    return spans


def _until(until: Moment, start: Moment) -> Moment:
    """Return UNTIL as it is compared with starts: inclusive, in the start's zone if it has none."""
    if start.all_day:
        return until._replace(local=until.local.replace(hour=0, minute=0, second=0), zone=None)
    if until.all_day:
        return Moment(shift(until.local, 1, -1), start.zone, all_day=False)
    return until if until.zone else until._replace(zone=start.zone)


def _stretched(lasts: Length, overrides: list[Component], zones: Zones) -> Length:
    """Make room for the overrides that move all later occurrences too (RANGE=THISANDFUTURE).

    Hardly a client writes them: an occurrence then counts from the earliest to the latest place
    that it can have, so that no item is left out by mistake.
    """
    early_s, late_s = lasts.early_s, lasts.late_s
    for override in overrides:
        original, moved = override.first("RECURRENCE-ID"), override.first("DTSTART")
        if original and moved and original.param("RANGE") == "THISANDFUTURE":
            start = moment(moved)
            shift_s = zones.seconds(start) - zones.seconds(moment(original))
            longer_s = length(override, start, zones).longest_s - lasts.longest_s
            early_s = max(early_s, lasts.early_s - shift_s)
            late_s = max(late_s, lasts.late_s + shift_s + max(0, longer_s))
    return lasts._replace(early_s=early_s, late_s=late_s)
