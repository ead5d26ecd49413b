"""What a writer's cache says to the engine."""

import marshal
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final

from caldav_run.model import Calendar, Entry, Mark, Op
from caldav_run.repository.cache import Cache
from caldav_run.repository.rows import Row


class RowLedger:
    """The rows of an account's last snapshot, as `connectors.protocol.Ledger` wants them.

    A new generation refers to nothing before it, so its ledger is empty: all has to be read.
    """

    def __init__(self, cache: Cache | None, fingerprint: str | None) -> None:
        """Take the cache, or None for a generation that begins."""
        self._cache = cache
        self._entries: tuple[str | None, Mapping[str, Entry]] = (None, {})
        self.fingerprint = fingerprint

    def calendars(self) -> Mapping[str, Calendar]:
        """Return the calendars held, by id; not the excluded ones."""
        return self._properties

    def unread_calendars(self) -> Collection[str]:
        """Return the ids of calendars that could not be read as a whole since."""
        return self._unread

    def entries(self, calendar: str) -> Mapping[str, Entry]:
        """Return the items held of one calendar, by href, the excluded ones too."""
        # One calendar is kept: whoever asks goes through them one by one.
        if self._entries[0] != calendar:
            found = () if self._cache is None else self._cache.items(calendar)
            self._entries = calendar, PackedEntries(found)
        return self._entries[1]

    def entry(self, calendar: str, href: str) -> Entry | None:
        """Return one item held, without a look at the others."""
        row = self.item(calendar, href)
        return None if row is None else _entry(row)

    def count(self, calendar: str) -> int:
        """Return how many items are held of one calendar, the excluded ones too."""
        return 0 if self._cache is None else self._cache.count(calendar)

    def unsettled(self, calendar: str) -> Mapping[str, Entry]:
        """Return the items that are unread or have a `valid_until`, by href."""
        found = () if self._cache is None else self._cache.unsettled(calendar)
        entries = {row.href or "": _entry(row) for row in found}
        return {
            href: each
            for href, each in entries.items()
            if each.unread or each.valid_until is not None
        }

    def mark(self, calendar: str) -> Mark | None:
        """Return how far a calendar was read; None when that is not known (any more)."""
        return None if self._cache is None else self._cache.reading(calendar)

    def calendar(self, identity: str) -> Row | None:
        """Return a calendar's newest row."""
        return None if self._cache is None else self._cache.calendar(identity)

    def item(self, calendar: str, href: str) -> Row | None:
        """Return an item's newest row."""
        return None if self._cache is None else self._cache.item(calendar, href)

    # Asked for with each calendar: made anew each time, 10,000 would take ten minutes.
    @cached_property
    def _properties(self) -> Mapping[str, Calendar]:
        return {row.calendar: row.properties for row in self._held}

    @cached_property
    def _unread(self) -> Collection[str]:
        return {row.calendar for row in self._held if row.op is Op.UNREAD}

    @cached_property
    def _held(self) -> list[Row]:
        found = () if self._cache is None else self._cache.calendars()
        return [row for row in found if row.op is not Op.EXCLUDED]


class PackedEntries(Mapping[str, Entry]):
    """The entries of one calendar, by href: packed, or a large one would fill the memory."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Take the newest rows of its items."""
        self._packed = {row.href or "": _pack(row) for row in rows}

    def __getitem__(self, href: str) -> Entry:
        etag, sha256, *rest = marshal.loads(self._packed[href])  # noqa: S302  # made below
        return Entry(f'"{sha256}"' if etag is _OF_HASH else etag, sha256, *rest)

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


# What stands for an etag that is the hash in quotes, as those of files are.
_OF_HASH: Final = True


def _entry(row: Row) -> Entry:
    return Entry(
        row.etag,
        row.sha256,
        excluded=row.op is Op.EXCLUDED,
        valid_until=row.extra.get("valid_until"),
        unread=row.op is Op.UNREAD,
    )


def _pack(row: Row) -> bytes:
    _, *rest = _entry(row)
    return marshal.dumps((_OF_HASH if row.etag == f'"{row.sha256}"' else row.etag, *rest))
