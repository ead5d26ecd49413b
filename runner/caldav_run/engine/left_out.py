"""Files go with their items: what a filter leaves out takes its attachments along."""

from typing import Final

from caldav_run import shelf
from caldav_run.engine.judge import KEEP, Verdict
from caldav_run.engine.recipient import Recipient
from caldav_run.ical.attachments import managed
from caldav_run.model import Item

_DROP: Final = Verdict(keep=False, valid_until=None)


class LeftOut:
    """The items with files that were left out of each sink in this run."""

    def __init__(self) -> None:
        """Begin with none."""
        self._owners: set[tuple[int, str, str]] = set()

    def note(self, sink: Recipient, item: Item, verdict: Verdict) -> None:
        """Take notice of what became of an item in one sink."""
        if not verdict.keep and managed(item.body):
            self._owners.add((id(sink), item.calendar, item.href))

    def verdict(self, sink: Recipient, file: Item) -> Verdict:
        """Return what becomes of a file of the shelf."""
        place = shelf.place(file.href)
        left = place is not None and (id(sink), *place.owner) in self._owners
        return _DROP if left else KEEP
