"""Dates, times and names in the words that people read."""

from datetime import datetime
from typing import Final

from caldav_run.ical.recurrence import Frequency, Rule
from caldav_run.ical.tree import Component, Property
from caldav_run.ical.values import Moment, moment, plain, unescape

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# fmt: off
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)
# fmt: on
_UNITS: Final = {
    Frequency.YEARLY: "year",
    Frequency.MONTHLY: "month",
    Frequency.WEEKLY: "week",
    Frequency.DAILY: "day",
    Frequency.HOURLY: "hour",
    Frequency.MINUTELY: "minute",
    Frequency.SECONDLY: "second",
}
_LONGEST: Final = 60


def day(local: datetime, *, year: bool = True) -> str:
    """Return `Mon 4 May 2026`; spelled here, since strftime depends on the host's language."""
    words = f"{WEEKDAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}"
    return f"{words} {local.year}" if year else words


def clock(at: Moment) -> str:
    """Return `10:00`, with seconds only where there are some, and `UTC` where that is meant."""
    words = f"{at.local:%H:%M:%S}" if at.local.second else f"{at.local:%H:%M}"
    return f"{words} UTC" if at.zone == "UTC" else words


def when(at: Moment) -> str:
    """Return `Mon 4 May 2026, 10:00`, or the day alone for a date."""
    return day(at.local) if at.all_day else f"{day(at.local)}, {clock(at)}"


def moment_or_none(prop: Property | None) -> Moment | None:
    """Return a time property's value; None when there is none that can be read."""
    if prop is None:
        return None
    try:
        return moment(prop)
    except ValueError:
        return None


def shorten(text: str) -> str:
    """Return text in one printable line of at most 60 characters."""
    text = " ".join(plain(unescape(text)).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"


def main_component(tree: Component) -> Component | None:
    """Return what stands for the item: its master, else its earliest override."""
    return min(tree.entries(), key=lambda one: one.value("RECURRENCE-ID"), default=None)


def label(tree: Component) -> str:
    """Return what to call an item: `Dentist (Mon 4 May 2026, 10:00)`; empty for an empty tree."""
    component = main_component(tree)
    if component is None:
        return ""
    name = shorten(component.value("SUMMARY"))
    if not name:
        name = {"VEVENT": "event", "VTODO": "task", "VJOURNAL": "journal"}.get(component.name, "")
        name = f"{name or component.name} without a title"
    start = moment_or_none(component.first("DTSTART"))
    if start:
        return f"{name} ({when(start)})"
    due = moment_or_none(component.first("DUE"))
    return f"{name} (due {when(due)})" if due else name


def span(days: int, seconds: int) -> str:
    """Return a length of time: `2 days`, `1 h 30 min`; `no time` for none."""
    days, seconds = days + seconds // 86_400, seconds % 86_400
    parts = [f"{days} {'day' if days == 1 else 'days'}"] if days else []
    for unit, size in (("h", 3600), ("min", 60), ("s", 1)):
        amount, seconds = divmod(seconds, size)
        if amount:
            parts.append(f"{amount} {unit}")
    return " ".join(parts) or "no time"


def move(before: Moment, after: Moment) -> str:
    """Return `10:00 to 11:30`; the days are named where they differ, zones where they do."""
    same_day = before.local.date() == after.local.date()
    one, other = when(before), when(after)
    if same_day and not before.all_day and not after.all_day:
        one, other = clock(before), clock(after)
    if before.zone != after.zone and not before.all_day and not after.all_day:
        one, other = one + _zone(before), other + _zone(after)
    return f"{one} to {other}"


def _zone(at: Moment) -> str:
    if at.zone == "UTC":
        return ""  # the clock says so already
    return f" ({plain(at.zone)})" if at.zone else " (floating)"


def repetition(rule: Rule) -> str:
    """Return how a rule repeats: `every 2 weeks on Mon, Wed until 31 Dec 2026`."""
    unit = _UNITS[rule.frequency]
    words = f"{unit}ly" if rule.interval == 1 else f"every {rule.interval} {unit}s"
    words = "daily" if words == "dayly" else words
    if rule.days:
        names = [f"{_ordinal(nth)}{WEEKDAYS[one]}" for nth, one in sorted(rule.days, key=_by_day)]
        words += f" on {', '.join(names)}"
    if rule.by.get("BYMONTHDAY"):
        words += f" on day {', '.join(map(str, sorted(rule.by['BYMONTHDAY'])))}"
    if rule.by.get("BYMONTH"):
        words += f" in {', '.join(_MONTHS[month - 1] for month in sorted(rule.by['BYMONTH']))}"
    if rule.until:
        words += f" until {day(rule.until.local)}"
    return f"{words}, {rule.count} times" if rule.count else words


def _by_day(pair: tuple[int, int]) -> tuple[int, int]:
    return pair[1], pair[0]


def _ordinal(number: int) -> str:
    """Return `2nd ` or `last `; empty for 0."""
    if number < 0:
        return "last " if number == -1 else f"{_ordinal(-number)}last "
    return {0: "", 1: "1st ", 2: "2nd ", 3: "3rd "}.get(number, f"{number}th ")
