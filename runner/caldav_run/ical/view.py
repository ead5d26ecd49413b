"""One item as filters see it: scanned at once, parsed at most once, and only when asked for."""

from dataclasses import dataclass
from functools import cached_property

from caldav_run.ical.scan import Scan, scan
from caldav_run.ical.tree import Component, parse
from caldav_run.model import Calendar, Item


@dataclass(frozen=True)
class ItemView:
    """An item, its calendar and its source, with what the filters need to know of its content.

    Attributes:
        item: The item itself.
        calendar: The calendar that it lies in.
        source: The source's name in the pipeline.
    """

    item: Item
    calendar: Calendar
    source: str

    @cached_property
    def scan(self) -> Scan:
        """What a pass over the bytes shows, without a parse."""
        return scan(self.item.body)

    @cached_property
    def tree(self) -> Component:
        """The parsed component tree.

        Raises:
            ItemError: The bytes are not an iCalendar object.
        """
        return parse(self.item.body)
