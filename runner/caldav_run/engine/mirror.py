"""Collects one account's items for a sink with a present state, and how well they were read."""

from collections.abc import Iterator, Sequence
from typing import Final

from caldav_run import shelf
from caldav_run.connectors.selection import Selection
from caldav_run.engine.events import Level
from caldav_run.engine.judge import Link, Verdict
from caldav_run.engine.ledger import Held
from caldav_run.engine.recipient import Tally
from caldav_run.engine.spool import Slot
from caldav_run.engine.wanted import Wanted
from caldav_run.errors import ItemError
from caldav_run.ical.version import version
from caldav_run.ical.view import ItemView
from caldav_run.model import Calendar, Item, Mark, Version

_UNREAD: Final = "not all of it could be read"
_FILTERED: Final = "the filters of the backup had left out items of it"
_NOT_WRITTEN: Final = "when the user is available is not written: only some calendars were chosen"


class MirrorRecipient:
    """One source's items on their way; nothing is planned before every source was read.

    Attributes:
        source: The source's name in the pipeline.
        calendars: The calendars that were named, by id.
        excluded: Those that are there and not selected.
        selection: The choice of calendars.
        available: When the user is available (RFC 7953); None where that is not known, or not meant
            since only some calendars were chosen.
        fit: Whether what was read may be written: the source's guards have not tripped.
        doubt: Why it is not known of all calendars what the source has, in words.
    """

    held: Held | None = None

    def __init__(
        self, source: str, selection: Selection, chain: Sequence[Link], tally: Tally
    ) -> None:
        """Take what feeds it: the source's name and choice, the sink's own filters, the counts."""
        self.tally = tally
        self.chain = chain
        self.source = source
        self.selection = selection
        self.calendars: dict[str, Calendar] = {}
        self.excluded: list[Calendar] = []
        self.available: str | None = None
        self.fit = False
        self.doubt: str | None = f"{source} was not read to its end"
        self._wanted = Wanted()
        self._files: dict[str, Slot] = {}
        self._lost: list[str] = []
        self._whole: set[str] = set()
        self._marred: dict[str, str] = {}

    def start(self, calendar: Calendar) -> None:
        """Remember the calendar, empty ones too: they are created with their properties."""
        if shelf.is_calendar(calendar.id):
            self.calendars[calendar.id] = calendar
        elif calendar.id != shelf.ACCOUNT:
            # Attachments come after the account, and say nothing of it.
            return
        elif self.selection.include is None:
            self.available = calendar.availability
        elif calendar.availability is not None:
            self.tally.note(Level.INFO, f"{self.source}: {_NOT_WRITTEN}")

    def exclude(self, calendar: Calendar) -> None:
        """Remember a calendar that is not selected: nothing of it is written or deleted."""
        if shelf.is_calendar(calendar.id):
            self.excluded.append(calendar)

    def changed(self, view: ItemView, verdict: Verdict) -> None:
        """Spool an item that passed the filters."""
        item = view.item
        if item.calendar == shelf.ID:
            self._file(item, verdict)
            return
        if item.stale_since is not None:
            self._marred.setdefault(item.calendar, _UNREAD)
        if not verdict.keep:
            if not _parses(view):
                self._broken(item)
            return
        mine = version(item.body, item.href, item.etag)
        if mine.broken:
            self._broken(item)
        if item.stale_since is not None:
            since = item.stale_since.strftime("%Y-%m-%d %H:%M")
            title = self.calendars[item.calendar].title
            text = f"{title}: {mine.label}: last read {since} UTC, not readable after that"
            self.tally.note(Level.WARNING, text)
        self._wanted.put(item.calendar, mine, item.body)

    def unchanged(self, calendar: str, href: str) -> None:
        """Do nothing: a sink without a ledger is never told so."""

    def failed(self, calendar: str, href: str | None, reason: str) -> None:
        """Remember that it is not known what the calendar has."""
        del href, reason
        if not shelf.is_calendar(calendar):
            # Where a file is wanted that is not there, that is told with its item.
            return
        self._marred.setdefault(calendar, _UNREAD)
        if calendar not in self.calendars:
            self._lost.append(calendar)

    def gone(self, calendar: str, href: str) -> None:
        """Do nothing: a sink without a ledger is never told so."""

    def synced(self, calendar: str, mark: Mark) -> int:
        """Do nothing: a sink without a ledger is never told so."""
        del calendar, mark
        return 0

    def done(self, calendar: str, mark: Mark | None) -> None:
        """Remember that every item of the calendar was named."""
        del mark
        self._whole.add(calendar)

    def withheld(self, calendar: str) -> None:
        """Remember that the calendar had more than what is named of it."""
        self._marred.setdefault(calendar, _FILTERED)

    def expected(self, *, complete: bool) -> int | None:
        """Return None: only a history knows what was there before."""
        del complete
        return None

    def finish(self, *, complete: bool, guarded: bool) -> None:
        """Hold what was read ready for a plan."""
        self.fit = not guarded
        if guarded:
            self.doubt = f"{self.source} is not as expected"
        elif complete:
            self.doubt = None
            if self._lost:
                self.doubt = f"{self.source}/{self._lost[0]} could not be read"

    def abandon(self) -> None:
        """Drop what was collected."""
        self.calendars.clear()
        self.fit = False
        self.close()

    def gap(self, calendar: str) -> str | None:
        """Return why it is not known what a calendar has, in words.

        None where every item was named and read, as it is now, and each one says what it is.
        """
        return self._marred.get(calendar, None if calendar in self._whole else _UNREAD)

    def versions(self, calendar: str) -> Iterator[tuple[Version, Slot]]:
        """Yield a calendar's items in the order of a plan, and where their bodies lie."""
        return self._wanted.versions(calendar)

    def file(self, managed_id: str) -> bytes | None:
        """Return what a managed attachment holds; None where it is not known."""
        slot = self._files.get(managed_id)
        return None if slot is None else self._wanted.body(slot)

    def body(self, slot: Slot) -> bytes:
        """Return the body that lies there; any thread may ask."""
        return self._wanted.body(slot)

    def _broken(self, item: Item) -> None:
        """Remember that it is not known which event of the calendar an item is."""
        self._marred.setdefault(item.calendar, f"{item.href} is broken at the source")

    def _file(self, item: Item, verdict: Verdict) -> None:
        place = shelf.place(item.href)
        if verdict.keep and place is not None:
            self._files[place.managed_id] = self._wanted.put_file(item.body)

    def close(self) -> None:
        """Drop the spool; safe to call twice."""
        with self._wanted:
            pass


def _parses(view: ItemView) -> bool:
    try:
        return view.tree is not None
    except ItemError:
        return False
