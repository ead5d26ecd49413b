"""Whether two spellings of an item's time zones put its times at the same instants."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from caldav_run.ical.alike import alike_tree
from caldav_run.ical.canonical import form
from caldav_run.ical.steps import TooLongError
from caldav_run.ical.tree import Component
from caldav_run.ical.values import Moment, parse_moment, shift
from caldav_run.ical.zones import Zones

_YEARS_AHEAD: Final = 10
_DAYS_APART: Final = 7
_LAST_YEAR: Final = 9999


def zones_agree(before: Component, after: Component) -> bool:
    """Return whether the VTIMEZONEs of two items put every time that is used at one instant.

    Looked at are all times that stand in the item, and for what recurs the weeks of ten years.
    """
    one, other = _zones(before), _zones(after)
    if _alike(one, other):
        return True
    try:
        times = {at for component in _parts(before) for at in _times(component)}
        years = set(_years(before))
        return all(_same_offsets(one, other, [at]) for at in times) and all(
            _same_year(one, other, zone, year) for zone, year in years
        )
    except (ValueError, TooLongError):
        return False


# Many items share a time zone.
@lru_cache(maxsize=64)
def _alike(before: Component, after: Component) -> bool:
    return form(alike_tree(before)) == form(alike_tree(after))


def _zones(tree: Component) -> Component:
    """Return an item's VTIMEZONEs alone, which many items share."""
    found = (part for part in tree.walk() if part.name == "VTIMEZONE")
    return Component("VCALENDAR", (), tuple(found))


def _parts(tree: Component) -> Iterator[Component]:
    for entry in tree.entries():
        yield from entry.walk()


def _times(component: Component) -> Iterator[Moment]:
    """Yield the zoned times that stand in a component itself."""
    for prop in component.properties:
        zone = prop.param("TZID")
        for text in prop.value.split(",") if zone else ():
            yield parse_moment(text.partition("/")[0], zone)


def _years(tree: Component) -> Iterator[tuple[str, int]]:
    """Yield the zones and years in which something recurs."""
    for component in _parts(tree):
        if component.first("RRULE"):
            for at in _times(component):
                if at.zone is not None:
                    last = min(at.local.year + _YEARS_AHEAD, _LAST_YEAR)
                    yield from ((at.zone, year) for year in range(at.local.year, last))


@lru_cache(maxsize=8192)
def _same_year(before: Component, after: Component, zone: str, year: int) -> bool:
    start = datetime(year, 1, 1, 12)  # noqa: DTZ001 - a wall clock
    days = (shift(start, each) for each in range(0, 365, _DAYS_APART))
    return _same_offsets(before, after, [Moment(day, zone, all_day=False) for day in days])


def _same_offsets(before: Component, after: Component, times: Iterable[Moment]) -> bool:
    # A limit to the work that a stranger's rules may cause is set for a few times together.
    one, other = Zones(before, UTC, own_first=True), Zones(after, UTC, own_first=True)
    return all(one.offset_s(*at[:2]) == other.offset_s(*at[:2]) for at in times)
