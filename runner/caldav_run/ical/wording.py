"""Dates, times and names in the words that people read."""

from datetime import datetime
from typing import Final

from caldav_run.ical.tree import Component, Property
from caldav_run.ical.values import Moment, moment, plain, unescape

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# fmt: off
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)
# fmt: on
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
