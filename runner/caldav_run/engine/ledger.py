"""What sinks hold, and what of it a source may rely on."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import tzinfo
from typing import Final

from caldav_run.connectors.protocol import Filter, Ledger
from caldav_run.model import Entry, Mark

_FEW: Final = 64
"""So many items of a calendar are looked up one by one before all of them are loaded."""


def fingerprint(source: str, selection: str, filters: Sequence[Filter], timezone: tzinfo) -> str:
    """Return what made a ledger: another fingerprint may judge the same items otherwise.

    Args:
        source: The source's name, which filters see.
        selection: See `Source.selection`.
        filters: The whole chain.
        timezone: Where dates and floating times lie.
    """
    parts = [source, selection, str(timezone), *(each.fingerprint for each in filters)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class Held:
    """One sink's ledger, with the entries of the calendar at hand loaded.

    Readings come calendar by calendar, so one calendar is all that has to be in memory.

    Attributes:
        ledger: The ledger.
        trusted: Whether its entries were judged by the same filters.
        doubted: Calendars whose entries were judged under other properties, such as a name: a
            filter may see them, so these entries are not trusted in this run.
    """

    def __init__(self, ledger: Ledger, wanted: str) -> None:
        """Take a ledger, and the fingerprint that its entries need to be trusted."""
        self.ledger = ledger
        self.trusted = ledger.fingerprint == wanted
        self.doubted: set[str] = set()
        self._calendar: str | None = None
        self._entries: Mapping[str, Entry] | None = None
        self._asked = 0

    def entries(self, calendar: str) -> Mapping[str, Entry]:
        """Return the entries of one calendar, by href."""
        self._turn_to(calendar)
        if self._entries is None:
            self._entries = self.ledger.entries(calendar)
        return self._entries

    def entry(self, calendar: str, href: str) -> Entry | None:
        """Return one entry; where only a few are asked for, the others are not loaded."""
        self._turn_to(calendar)
        if self._entries is None and self._asked < _FEW:
            self._asked += 1
            return self.ledger.entry(calendar, href)
        return self.entries(calendar).get(href)

    def _turn_to(self, calendar: str) -> None:
        if calendar != self._calendar:
            self._calendar, self._entries, self._asked = calendar, None, 0

    def stands(self, calendar: str) -> bool:
        """Return whether the calendar's entries were judged as they would be today."""
        return self.trusted and calendar not in self.doubted

    def etag(self, calendar: str, href: str, now: float) -> str | None:
        """Return the etag whose bytes and verdict still stand, or None."""
        entry = self.entry(calendar, href) if self.stands(calendar) else None
        return None if entry is None or _doubtful(entry, now) else entry.etag

    def knows(self, calendar: str) -> bool:
        """Return whether what is held of the calendar is of use."""
        return self.stands(calendar) and calendar in self.ledger.calendars()

    def mark(self, calendar: str) -> Mark | None:
        """Return how far the calendar was read, if a reading can go on from there."""
        if not self.knows(calendar) or calendar in self.ledger.unread_calendars():
            return None
        return self.ledger.mark(calendar)

    def doubtful(self, calendar: str, now: float) -> Collection[str]:
        """Return the hrefs whose bytes or verdict do not stand, though nothing has changed."""
        found = self.ledger.unsettled(calendar).items()
        return [href for href, entry in found if _doubtful(entry, now)]


class SharedBaseline:
    """The etags that every sink holds: what one of them lacks has to be read."""

    def __init__(self, held: Sequence[Held | None], now: float) -> None:
        """Take each sink's ledger, None for a sink without memory, and the time in seconds."""
        self._all = [each for each in held if each is not None]
        self._held = [each for each in self._all if each.trusted]
        # One sink that trusts nothing it holds has everything read.
        self._useful = bool(held) and len(self._held) == len(held)
        self._now = now

    def etag(self, calendar: str, href: str) -> str | None:
        """Return the etag whose bytes need not be read again, or None."""
        if not self._useful:
            return None
        etags = {each.etag(calendar, href, self._now) for each in self._held}
        return etags.pop() if len(etags) == 1 else None

    def knows(self, calendar: str) -> bool:
        """Return whether every sink holds something of the calendar that is of use."""
        return self._useful and all(each.knows(calendar) for each in self._held)

    def mark(self, calendar: str) -> Mark | None:
        """Return how far the calendar was read, where every sink says the same."""
        if not self._useful:
            return None
        marks = {each.mark(calendar) for each in self._held}
        return marks.pop() if len(marks) == 1 else None

    def doubtful(self, calendar: str) -> Collection[str]:
        """Return what some sink has to be given again though nothing has changed, by href."""
        return sorted({href for each in self._held for href in each.doubtful(calendar, self._now)})

    def hrefs(self, calendar: str) -> Collection[str]:
        """Return the names of all that is held of the calendar, however it was judged."""
        return {href for each in self._all for href in each.entries(calendar)}


def _doubtful(entry: Entry, now: float) -> bool:
    return entry.unread or (entry.valid_until is not None and entry.valid_until <= now)
