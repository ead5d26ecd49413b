"""Leaving items out of a generation's rows, as if they had never been there."""

from collections import Counter
from collections.abc import Iterable

from caldav_run.model import Op
from caldav_run.repository.header import Counts
from caldav_run.repository.rows import Kind, Row

Key = tuple[str, str]
"""Calendar and href."""


class Eraser:
    """Takes rows in order, and gives back those that stay.

    A row without a body has no UID of its own: it is about an erased item where its href suggests
    one, or where an erased item was.
    """

    def __init__(self, uids: frozenset[str], places: frozenset[Key]) -> None:
        """Take what to leave out.

        Args:
            uids: UIDs of items.
            places: Where such items were, in any generation.
        """
        self._uids = uids
        self._places = places
        self._lost: set[tuple[str | None, str | None]] = set()
        self._gone: dict[Key, Kind] = {}
        # Those places where another item is now.
        self._others: set[Key] = set()

    @property
    def idle(self) -> bool:
        """Whether nothing is to be left out."""
        return not self._uids

    def lose(self, pack: str, members: Iterable[str]) -> None:
        """Leave out all rows about some bodies as well: they cannot be read any more."""
        self._lost |= {(pack, member) for member in members}

    def erases(self, row: Row) -> bool:
        """Return whether a row is about an item that is left out."""
        if row.href is None or row.op is Op.GONE:
            return False
        if row.object is not None:
            return row.item_uid in self._uids or self._is_lost(row)
        key = row.calendar, row.href
        return row.item_uid in self._uids or (key in self._places and key not in self._others)

    def apply(self, row: Row) -> Row | None:
        """Return what stays of a row: itself, another one in its place, or nothing."""
        if row.href is None:
            if row.op in {Op.CALENDAR_GONE, Op.EXCLUDED}:
                self._leave(row.calendar)
            return row
        key = row.calendar, row.href
        if self.erases(row):
            self._gone[key] = row.kind
            # An earlier version must not be taken for the one that is left out.
            seen = key in self._others or (self._is_lost(row) and row.seq > 0)
            self._others.discard(key)
            return Row(row.seq, Op.GONE, *key) if seen else None
        was_gone = self._gone.pop(key, None) is not None
        if row.op is Op.GONE:
            self._others.discard(key)
            return None if was_gone else row
        if key in self._places:
            self._others.add(key)
        return row

    def counted(self, counts: Counts) -> Counts:
        """Return what a snapshot holds without the items that are left out."""
        kinds = Counter(self._gone.values())
        return Counts(
            counts.calendars,
            counts.items - kinds[Kind.HELD] - kinds[Kind.STALE],
            counts.stale - kinds[Kind.STALE],
            counts.missing - kinds[Kind.MISSING],
            counts.excluded - kinds[Kind.EXCLUDED],
        )

    def _is_lost(self, row: Row) -> bool:
        return (row.object, row.member) in self._lost

    def _leave(self, calendar: str) -> None:
        self._gone = {key: kind for key, kind in self._gone.items() if key[0] != calendar}
        self._others = {key for key in self._others if key[0] != calendar}
