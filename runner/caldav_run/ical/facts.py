"""What an item says of itself, as plain values to compare with.

Text comes from the master (the component without RECURRENCE-ID), else from the earliest override;
categories and attendees are those of all components together.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Final

from caldav_run.ical.tree import Component
from caldav_run.ical.values import (
    Moment,
    moment,
    parse_duration,
    plain,
    shift,
    split_list,
    unescape,
)
from caldav_run.ical.wording import main_component
from caldav_run.ical.zones import Zones

NEVER: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""Stands for a time that an item does not name."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RECURRENCE: Final = ("RRULE", "RDATE", "RECURRENCE-ID")


class Facts:
    """The values of one item, each worked out when it is asked for.

    Args:
        tree: The item.
        timezone: Where dates and floating times lie.
    """

    def __init__(self, tree: Component, timezone: tzinfo) -> None:
        """Find the component that speaks for the item."""
        self._entries = tree.entries()
        self._main = main_component(tree) or Component("")
        self._zones = Zones(tree, timezone)

    @property
    def component(self) -> str:
        """The main component's name in upper case."""
        return self._main.name

    def text(self, name: str) -> str:
        """Return a text property without escapes; empty when it is missing."""
        return plain_lines(unescape(self._main.value(name)))

    @property
    def categories(self) -> list[str]:
        """The categories of all components, sorted."""
        return self._union("CATEGORIES", split_list)

    @property
    def attendees(self) -> list[str]:
        """The addresses of all components' attendees, in lower case and without `mailto:`."""
        return self._union("ATTENDEE", lambda text: [address(text)])

    @property
    def organizer(self) -> str:
        """The organizer's address in the same form; empty when there is none."""
        return address(self._main.value("ORGANIZER"))

    @cached_property
    def start(self) -> datetime | None:
        """DTSTART in UTC.

        Raises:
            ValueError: It cannot be read.
            TooLongError: Its time zone takes too long to work out.
        """
        return self.time("DTSTART")

    @cached_property
    def end(self) -> datetime | None:
        """DTEND or DUE, else what DTSTART and DURATION make, in UTC.

        Raises:
            ValueError: It cannot be read.
            TooLongError: Its time zone takes too long to work out.
        """
        written = self.time("DUE" if self.component == "VTODO" else "DTEND")
        start = self._main.first("DTSTART")
        if written is not None or start is None:
            return written
        begin, lasts = moment(start), self._main.value("DURATION")
        if lasts:
            length = parse_duration(lasts)
            end = self._utc(begin._replace(local=shift(begin.local, length.days)))
            return shift(end.replace(tzinfo=None), 0, length.seconds).replace(tzinfo=UTC)
        days = int(begin.all_day and self.component == "VEVENT")
        return self._utc(begin._replace(local=shift(begin.local, days)))

    @property
    def duration(self) -> timedelta:
        """From start to end; 0 when either is missing.

        Raises:
            ValueError: A time cannot be read.
            TooLongError: A time zone takes too long to work out.
        """
        return timedelta() if self.start is None or self.end is None else self.end - self.start

    @property
    def all_day(self) -> bool:
        """Whether its start, or a task's due date, is a date.

        Raises:
            ValueError: It cannot be read.
        """
        prop = self._main.first("DTSTART") or self._main.first("DUE")
        return prop is not None and moment(prop).all_day

    @property
    def recurring(self) -> bool:
        """Whether it takes place more than once, or is one occurrence of something that does."""
        return any(one.first(name) for one in self._entries for name in _RECURRENCE)

    @property
    def alarms(self) -> int:
        """How many alarms the main component has."""
        return sum(child.name == "VALARM" for child in self._main.children)

    def time(self, name: str) -> datetime | None:
        """Return a time property in UTC; None when it is missing.

        Raises:
            ValueError: It cannot be read.
            TooLongError: Its time zone takes too long to work out.
        """
        prop = self._main.first(name)
        return None if prop is None else self._utc(moment(prop))

    def _utc(self, at: Moment) -> datetime:
        try:
            return _EPOCH + timedelta(seconds=self._zones.seconds(at))
        except OverflowError as error:
            raise ValueError("a time lies outside of the years 1 to 9999") from error

    def _union(self, name: str, read: Callable[[str], list[str]]) -> list[str]:
        props = (prop for one in self._entries for prop in one.all(name))
        return sorted({plain(part) for prop in props for part in read(prop.value)})


def address(text: str) -> str:
    """Return a calendar address for comparing: lower case, without `mailto:`."""
    text = plain(text.strip()).lower()
    return text.removeprefix("mailto:")


def plain_lines(text: str) -> str:
    """Return printable text that keeps its lines."""
    return "\n".join(map(plain, text.split("\n")))
