"""What an account looked like at one snapshot."""

from collections.abc import Iterator, KeysView

from caldav_run.model import Op
from caldav_run.repository.rows import Row, decode


class State:
    """Calendars and items as the rows up to a snapshot leave them.

    Rows of items are kept encoded, as bytes that all states of a generation share: decoded, a
    large account would fill the memory.

    Attributes:
        calendars: The newest row of each calendar, by id; excluded and unread ones too.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self.calendars: dict[str, Row] = {}
        self._items: dict[str, dict[str, bytes]] = {}

    def copy(self) -> "State":
        """Return a state that goes on from this one."""
        made = State()
        made.calendars |= self.calendars
        made._items |= {calendar: dict(lines) for calendar, lines in self._items.items()}
        return made

    def apply(self, line: bytes, row: Row) -> None:
        """Let one row happen, given as it is encoded and as it says."""
        if row.href is None:
            self._apply_calendar(row)
        elif row.op is Op.GONE:
            self._items.get(row.calendar, {}).pop(row.href, None)
        else:
            self._items.setdefault(row.calendar, {})[row.href] = line

    def known(self) -> set[str]:
        """Return the ids of all calendars of which there is a row."""
        return self.calendars.keys() | self._items.keys()

    def hrefs(self, calendar: str) -> KeysView[str]:
        """Return the names of a calendar's items, the excluded ones too."""
        return self._items.get(calendar, {}).keys()

    def items(self, calendar: str) -> Iterator[tuple[str, Row]]:
        """Yield name and newest row of a calendar's items; excluded ones too."""
        return ((href, decode(line)) for href, line in self._items.get(calendar, {}).items())

    def item(self, calendar: str, href: str) -> Row | None:
        """Return an item's newest row; excluded ones too."""
        line = self._items.get(calendar, {}).get(href)
        return None if line is None else decode(line)

    def _apply_calendar(self, row: Row) -> None:
        if row.op in {Op.CALENDAR_GONE, Op.EXCLUDED}:
            self._items.pop(row.calendar, None)
        if row.op is Op.CALENDAR_GONE:
            self.calendars.pop(row.calendar, None)
        else:
            self.calendars[row.calendar] = row
