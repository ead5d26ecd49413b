"""What one snapshot holds, with what it carries forward from earlier ones."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from caldav_run.model import Op, Provenance
from caldav_run.repository.names import GenerationName
from caldav_run.repository.rows import Kind, Row
from caldav_run.repository.snapshots import CalendarInfo, ItemInfo
from caldav_run.repository.state import State


class Contents:
    """A snapshot's calendars and items.

    What could not be read while a generation was begun has no version in it: the version of the
    account's last snapshot before that generation is carried forward.
    """

    def __init__(
        self,
        state: State,
        generation: GenerationName,
        time: datetime,
        earlier: Callable[[], "Contents | None"],
    ) -> None:
        """Take the state of the rows, and how to come by what was before the generation."""
        self._state = state
        self._generation = generation
        self.time = time
        self._earlier = earlier
        self._packs: dict[str, str] = {}

    def calendars(self) -> list[CalendarInfo]:
        """Return the calendars by id; excluded ones too."""
        found = (self.calendar(identity) for identity in sorted(self._state.calendars))
        return [each for each in found if each is not None]

    def items(self, calendar: str | None = None) -> Iterator[ItemInfo]:
        """Yield the items of one calendar or of all, by calendar and href; no excluded ones."""
        for each in sorted(self._state.known()) if calendar is None else [calendar]:
            yield from self._items(each)

    def hrefs(self, calendar: str) -> set[str]:
        """Return the names of a calendar's items, with some that the snapshot does not hold."""
        before = self._before(self._state.calendars.get(calendar))
        return self._state.hrefs(calendar) | (before.hrefs(calendar) if before else set())

    def filtered(self, calendar: str, held: int) -> bool:
        """Return whether a filter left out items of a calendar, of which so many are held."""
        return held < len(self.hrefs(calendar))

    def item(self, calendar: str, href: str) -> ItemInfo | None:
        """Return one item, or None when the snapshot does not hold it."""
        row = self._state.item(calendar, href)
        if row is not None:
            return None if row.kind is Kind.EXCLUDED else self._item(row, href)
        before = self._before(self._state.calendars.get(calendar))
        info = before.item(calendar, href) if before else None
        return _aged(info, before) if before and info else None

    def hashes(self, calendar: str) -> dict[str, str | None]:
        """Return the hash of each item of a calendar, by href; None where nothing was ever read."""
        found: dict[str, str | None] = {}
        if before := self._before(self._state.calendars.get(calendar)):
            found = before.hashes(calendar)
        for href, row in self._state.items(calendar):
            if row.op is Op.EXCLUDED:
                found.pop(href, None)
            elif row.extra.get("before"):
                found[href] = self._item(row, href).sha256
            else:
                found[href] = row.sha256
        return found

    def calendar(self, identity: str) -> CalendarInfo | None:
        """Return one calendar, or None when the snapshot does not hold it."""
        row = self._state.calendars.get(identity)
        if row is None:
            return None
        before = self._before(row)
        known = before.calendar(identity) if before else None
        since = _read_at(row)
        if before and known:
            since = known.stale_since or before.time
        return CalendarInfo(
            calendar=known.calendar if known else row.properties,
            excluded=row.op is Op.EXCLUDED,
            unread=row.op is Op.UNREAD,
            stale_since=since,
            reason=row.extra.get("reason"),
        )

    def _items(self, calendar: str) -> Iterator[ItemInfo]:
        found = (self.item(calendar, href) for href in sorted(self.hrefs(calendar)))
        return (each for each in found if each is not None)

    def _item(self, row: Row, href: str) -> ItemInfo:
        reason = row.extra.get("reason")
        if row.extra.get("before"):
            before = self._earlier()
            info = before.item(row.calendar, href) if before else None
            if before and info:
                return replace(_aged(info, before), reason=reason)
        since = _read_at(row)
        calendar = self._state.calendars.get(row.calendar)
        # What was still read before the calendar broke off is up to date.
        if since is None and calendar is not None and row.seq < calendar.seq:
            since = _read_at(calendar)
        return ItemInfo(
            calendar=row.calendar,
            href=href,
            uid=row.item_uid if row.object else None,
            etag=row.etag,
            sha256=row.sha256,
            size=row.size or 0,
            provenance=Provenance(row.provenance or Provenance.GET),
            object=self._pack(row.object) if row.object else None,
            member=row.member,
            stale_since=since,
            reason=reason,
        )

    def _pack(self, sha256: str) -> str:
        """Return a pack's name: one text for all of its items, of which many are held at a time."""
        if sha256 not in self._packs:
            self._packs[sha256] = self._generation.pack(sha256)
        return self._packs[sha256]

    def _before(self, row: Row | None) -> "Contents | None":
        """Return where the items of a calendar are that this generation never read whole."""
        return self._earlier() if row is not None and row.extra.get("before") else None


def _read_at(row: Row) -> datetime | None:
    read = row.extra.get("read") if row.op is Op.UNREAD else None
    return datetime.fromisoformat(read) if read else None


def _aged(info: ItemInfo, before: Contents) -> ItemInfo:
    return replace(info, stale_since=info.stale_since or before.time)
