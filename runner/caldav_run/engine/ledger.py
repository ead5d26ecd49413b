"""What sinks hold, and what of it a source may rely on."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import tzinfo

from caldav_run.connectors.protocol import Filter, Ledger
from caldav_run.model import Entry


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
        self._entries: Mapping[str, Entry] = {}

    def entries(self, calendar: str) -> Mapping[str, Entry]:
        """Return the entries of one calendar, by href."""
        if calendar != self._calendar:
            self._entries = self.ledger.entries(calendar)
            self._calendar = calendar
        return self._entries

    def stands(self, calendar: str) -> bool:
        """Return whether the calendar's entries were judged as they would be today."""
        return self.trusted and calendar not in self.doubted

    def etag(self, calendar: str, href: str, now: float) -> str | None:
        """Return the etag whose bytes and verdict still stand, or None."""
        entry = self.entries(calendar).get(href) if self.stands(calendar) else None
        if entry is None or entry.unread:
            return None
        expired = entry.valid_until is not None and entry.valid_until <= now
        return None if expired else entry.etag


class SharedBaseline:
    """The etags that every sink holds: what one of them lacks has to be read."""

    def __init__(self, held: Sequence[Held | None], now: float) -> None:
        """Take each sink's ledger, None for a sink without memory, and the time in seconds."""
        self._held = [each for each in held if each is not None and each.trusted]
        # One sink that trusts nothing it holds has everything read.
        self._useful = bool(held) and len(self._held) == len(held)
        self._now = now

    def etag(self, calendar: str, href: str) -> str | None:
        """Return the etag whose bytes need not be read again, or None."""
        if not self._useful:
            return None
        etags = {each.etag(calendar, href, self._now) for each in self._held}
        return etags.pop() if len(etags) == 1 else None
