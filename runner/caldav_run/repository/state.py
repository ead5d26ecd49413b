"""What an account looked like at one snapshot."""

import marshal
from collections.abc import Iterator, KeysView

from caldav_run.model import Op
from caldav_run.repository.rows import Row


class State:
    """Calendars and items as the rows up to a snapshot leave them.

    The rows of items are kept packed: as objects, those of a large account would take a kilobyte
    each, and packed it is a seventh.

    Attributes:
        calendars: The newest row of each calendar, by id; excluded and unread ones too.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self.calendars: dict[str, Row] = {}
        self._items: dict[str, dict[str, bytes]] = {}
        self._objects: list[str | None] = []
        self._numbers: dict[str | None, int] = {}

    def copy(self) -> "State":
        """Return a state that goes on from this one."""
        made = State()
        made.calendars |= self.calendars
        made._items |= {calendar: dict(held) for calendar, held in self._items.items()}
        # Only ever added to.
        made._objects, made._numbers = self._objects, self._numbers
        return made

    def apply(self, row: Row) -> None:
        """Let one row happen."""
        if row.href is None:
            self._apply_calendar(row)
        elif row.op is Op.GONE:
            self._items.get(row.calendar, {}).pop(row.href, None)
        else:
            self._items.setdefault(row.calendar, {})[row.href] = self._pack(row, row.href)

    def known(self) -> set[str]:
        """Return the ids of all calendars of which there is a row."""
        return self.calendars.keys() | self._items.keys()

    def hrefs(self, calendar: str) -> KeysView[str]:
        """Return the names of a calendar's items, the excluded ones too."""
        return self._items.get(calendar, {}).keys()

    def items(self, calendar: str) -> Iterator[tuple[str, Row]]:
        """Yield name and newest row of a calendar's items; excluded ones too."""
        for href, packed in self._items.get(calendar, {}).items():
            yield href, self._unpack(packed, calendar, href)

    def item(self, calendar: str, href: str) -> Row | None:
        """Return an item's newest row; excluded ones too."""
        packed = self._items.get(calendar, {}).get(href)
        return None if packed is None else self._unpack(packed, calendar, href)

    def _apply_calendar(self, row: Row) -> None:
        if row.op in {Op.CALENDAR_GONE, Op.EXCLUDED}:
            self._items.pop(row.calendar, None)
        if row.op is Op.CALENDAR_GONE:
            self.calendars.pop(row.calendar, None)
        else:
            self.calendars[row.calendar] = row

    def _pack(self, row: Row, href: str) -> bytes:
        """Return what a row says, without what its place tells and what many rows share."""
        begin = (row.member or "").removesuffix(href)
        named = begin != (row.member or "")
        member = begin if named else row.member
        number = self._numbers.setdefault(row.object, len(self._objects))
        if number == len(self._objects):
            self._objects.append(row.object)
        told = (row.uid, row.provenance, dict(row.extra))
        version = (row.etag, row.sha256, row.size, number, member, named)
        return marshal.dumps((row.seq, str(row.op), *version, *told))

    def _unpack(self, packed: bytes, calendar: str, href: str) -> Row:
        seq, op, etag, sha256, size, number, member, named, *told = marshal.loads(packed)  # noqa: S302 - made above
        member = member + href if named else member
        stored = self._objects[number]
        return Row(seq, Op(op), calendar, href, etag, sha256, size, stored, member, *told)
