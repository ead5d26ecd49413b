"""Files go with their items: what a filter leaves out takes its attachments along."""

from typing import Final

from caldav_run import shelf
from caldav_run.engine.judge import KEEP, Verdict
from caldav_run.engine.recipient import Recipient
from caldav_run.ical.attachments import managed
from caldav_run.model import Item

_DROP: Final = Verdict(keep=False, valid_until=None)


class LeftOut:
    """What became of the items with files in each sink, in this run or before."""

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: dict[tuple[int, str, str], bool] = {}

    def note(self, sink: Recipient, item: Item, verdict: Verdict) -> None:
        """Take notice of what became of an item in one sink."""
        if managed(item.body):
            self._kept[id(sink), item.calendar, item.href] = verdict.keep

    def verdict(self, sink: Recipient, file: Item) -> Verdict:
        """Return what becomes of a file of the shelf."""
        place = shelf.place(file.href)
        return KEEP if place is None or self._keeps(sink, *place.owner) else _DROP

    def _keeps(self, sink: Recipient, calendar: str, href: str) -> bool:
        kept = self._kept.get((id(sink), calendar, href))
        if kept is not None or sink.held is None:
            return kept is not False
        # A file may come later than its item, which was judged then.
        owner = sink.held.ledger.entry(calendar, href)
        return owner is None or not owner.excluded
