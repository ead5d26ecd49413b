"""A calendar server as a dict, and a plain memory of what every snapshot of it should give back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, Self

from caldav_run.model import Change, Failed, Op
from caldav_run.repository import names
from caldav_run.repository.account import AccountWriter
from caldav_run.repository.reader import Reader
from caldav_run.repository.snapshots import SnapshotInfo
from caldav_run.testing.vault import about, added, body_of, calendar_row

Key = tuple[str, str]
Picture = dict[str, dict[str, tuple[bytes | None, bool]]]
"""Calendar to href to its bytes (None: never read) and whether they are stale."""


class Version(NamedTuple):
    """What a snapshot holds of one item.

    Attributes:
        body: Its bytes; None when they were never read in this generation.
        stale: Whether it could not be read since.
        before: Whether its last version is in what was before the generation.
        excluded: Whether a filter left it out.
    """

    body: bytes | None
    stale: bool = False
    before: bool = False
    excluded: bool = False


@dataclass(frozen=True)
class Shelf:
    """What a snapshot holds of one calendar; `before` as for an item."""

    items: Mapping[str, Version] = field(default_factory=dict)
    before: bool = False
    excluded: bool = False


@dataclass(frozen=True)
class Shot:
    """One snapshot, as it is remembered."""

    account: str
    time: datetime
    generation: str
    begun: datetime
    shelves: Mapping[str, Shelf]

    @classmethod
    def of(
        cls, account: str, time: datetime, generation: str, shelves: Mapping[str, Shelf]
    ) -> Self:
        """Remember a snapshot that was committed."""
        begun = names.parse_compact(generation.partition("-")[0])
        return cls(account, time, generation, begun, shelves)


@dataclass
class Server:
    """Calendars and items, and what the next run will meet.

    Attributes:
        names: The version of each calendar's name, by id.
        items: The version of each item, by calendar and UID.
        etags: Which etags the server gives out: all change with it.
        failing: Items that cannot be read.
        failing_calendars: Calendars that cannot be read.
        filtered: Items that a filter leaves out.
        unselected: Calendars that are not selected.
    """

    names: dict[str, int] = field(default_factory=dict)
    items: dict[Key, int] = field(default_factory=dict)
    etags: int = 0
    failing: frozenset[Key] = frozenset()
    failing_calendars: frozenset[str] = frozenset()
    filtered: frozenset[Key] = frozenset()
    unselected: frozenset[str] = frozenset()

    def put(self, calendar: str, uid: str, version: int) -> None:
        """Store a version of an item; 0 removes it."""
        self.names.setdefault(calendar, 0)
        self.items[calendar, uid] = version
        if not version:
            del self.items[calendar, uid]

    def remove(self, calendar: str) -> None:
        """Remove a calendar with all that is in it."""
        self.names.pop(calendar, None)
        self.items = {key: each for key, each in self.items.items() if key[0] != calendar}

    def readable(self) -> dict[Key, bytes]:
        """Return the bytes that a run will get, by calendar and href."""
        hidden = self.failing_calendars | self.unselected
        return {
            (calendar, f"{uid}.ics"): body_of(uid, version)
            for (calendar, uid), version in self.items.items()
            if calendar not in hidden and (calendar, uid) not in self.failing | self.filtered
        }

    def read_into(self, history: AccountWriter, held: Mapping[str, Shelf]) -> dict[str, Shelf]:
        """Say what the engine would say of the server, and return what is held then.

        Args:
            history: Where to say it.
            held: What its generation holds; empty for one that begins.
        """
        begins = history.ledger.fingerprint is None
        known = history.ledger.calendars().keys()
        unread = history.ledger.unread_calendars()
        made = dict(held)
        for calendar in sorted(self.names):
            old = held.get(calendar)
            if calendar in self.unselected:
                history.append(about(Op.EXCLUDED, None, calendar))
                made[calendar] = Shelf(excluded=True)
                continue
            # One that was unread stays so until all of it was read.
            if calendar not in self.failing_calendars or calendar not in unread:
                row = calendar_row(calendar, display_name=f"name {self.names[calendar]}")
                history.append(row)
            if calendar in self.failing_calendars:
                history.append(about(Op.UNREAD, None, calendar, reason="500"))
                made[calendar] = _carried(old, begins=begins)
            else:
                made[calendar] = self._read(calendar, old or Shelf(), history, begins=begins)
        for calendar in sorted(known - self.names.keys()):
            history.append(about(Op.CALENDAR_GONE, None, calendar))
            del made[calendar]
        return made

    def _read(self, calendar: str, old: Shelf, history: AccountWriter, *, begins: bool) -> Shelf:
        items: dict[str, Version] = {}
        entries = history.ledger.entries(calendar)
        for (mine, uid), version in self.items.items():
            if mine != calendar:
                continue
            change = self._change(calendar, uid, version)
            history.append(change)
            href = f"{uid}.ics"
            if change.op is Op.ADD:
                items[href] = Version(body_of(uid, version))
            elif change.op is Op.EXCLUDED:
                items[href] = Version(None, excluded=True)
            else:
                items[href] = _missed(old, href, before=begins or old.before)
        for href in entries.keys() - items.keys():
            history.append(Change(op=Op.GONE, calendar=calendar, href=href))
        return Shelf(items)

    def _change(self, calendar: str, uid: str, version: int) -> Change:
        etag = f"{version}/{self.etags}"
        if (calendar, uid) in self.failing:
            return about(Op.UNREAD, uid, calendar, reason="500")
        if (calendar, uid) in self.filtered:
            return about(Op.EXCLUDED, uid, calendar, etag=etag)
        return added(uid, version, calendar, etag=etag)


@dataclass
class Memory:
    """Every snapshot that should be there, by id."""

    shots: dict[str, Shot] = field(default_factory=dict)

    def picture(self, identity: str) -> Picture:
        """Return what a snapshot should give back."""
        shot = self.shots[identity]
        found: Picture = {}
        for calendar, shelf in shot.shelves.items():
            if not shelf.excluded:
                found[calendar] = dict(self._shown(shot, calendar, shelf))
        return found

    def _shown(
        self, shot: Shot, calendar: str, shelf: Shelf
    ) -> Iterator[tuple[str, tuple[bytes | None, bool]]]:
        earlier = self._earlier(shot, calendar)
        if shelf.before:
            known = ((href, (body, True)) for href, (body, _) in earlier.items())
            yield from ((href, each) for href, each in known if href not in shelf.items)
        for href, version in shelf.items.items():
            if version.before:
                yield href, (earlier.get(href, (None, True))[0], True)
            elif not version.excluded:
                yield href, (version.body, version.stale or version.body is None)

    def _earlier(self, shot: Shot, calendar: str) -> dict[str, tuple[bytes | None, bool]]:
        older = [
            (each.time, each.generation, identity)
            for identity, each in self.shots.items()
            if each.account == shot.account
            and each.generation != shot.generation
            and each.time < shot.begun
        ]
        return self.picture(max(older)[2]).get(calendar, {}) if older else {}


def picture(reader: Reader, snapshot: SnapshotInfo) -> Picture:
    """Return what a snapshot gives back."""
    calendars = [each for each in reader.calendars(snapshot) if not each.excluded]
    found: Picture = {each.calendar.id: {} for each in calendars}
    infos = {(each.calendar, each.href): each for each in reader.items(snapshot)}
    for body in reader.bodies(infos.values()):
        info = infos[body.calendar, body.href or ""]
        content = None if isinstance(body, Failed) else body.body
        stale = info.stale_since is not None or info.sha256 is None
        found[info.calendar][info.href] = (content, stale)
    return found


def _carried(old: Shelf | None, *, begins: bool) -> Shelf:
    """Return what is held of a calendar that cannot be read."""
    if old is None:
        return Shelf(before=begins)
    items = {
        href: each if each.excluded else each._replace(stale=True)
        for href, each in old.items.items()
    }
    return replace(old, items=items, excluded=False)


def _missed(old: Shelf, href: str, *, before: bool) -> Version:
    """Return what is held of an item that cannot be read."""
    known = old.items.get(href)
    if known is None:
        return Version(None, stale=True, before=before)
    if known.excluded:
        return Version(None, stale=True)
    return known._replace(stale=True)
