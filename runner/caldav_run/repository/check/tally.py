"""How many calendars and items there are after each row; leaner than the rows themselves."""

from collections import Counter
from typing import Final

from caldav_run.model import Op
from caldav_run.repository.header import Counts
from caldav_run.repository.rows import Kind, Row

_LEFT: Final = frozenset({Op.CALENDAR_GONE, Op.EXCLUDED})


class Tally:
    """Counts what `state.State` would hold after the same rows."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._calendars: dict[str, bool] = {}
        self._items: dict[str, dict[str, Kind]] = {}
        self._kinds: Counter[Kind] = Counter()

    def apply(self, row: Row) -> None:
        """Let one row happen."""
        if row.href is None:
            self._apply_calendar(row)
            return
        items = self._items.setdefault(row.calendar, {})
        before = items.pop(row.href, None)
        if before is not None:
            self._kinds[before] -= 1
        if row.op is not Op.GONE:
            items[row.href] = row.kind
            self._kinds[row.kind] += 1

    def counts(self) -> Counts:
        """Return the counts as a segment's header tells them."""
        stale = self._kinds[Kind.STALE]
        return Counts(
            sum(self._calendars.values()),
            self._kinds[Kind.HELD] + stale,
            stale,
            self._kinds[Kind.MISSING],
            self._kinds[Kind.EXCLUDED],
        )

    def _apply_calendar(self, row: Row) -> None:
        if row.op in _LEFT:
            self._kinds.subtract(self._items.pop(row.calendar, {}).values())
        if row.op is Op.CALENDAR_GONE:
            self._calendars.pop(row.calendar, None)
        else:
            self._calendars[row.calendar] = row.op is not Op.EXCLUDED
