"""What each snapshot of a generation holds of the events that are wanted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from caldav_run.model import Op
from caldav_run.repository.chapter import Chapter
from caldav_run.repository.contents import Contents
from caldav_run.repository.rows import Row
from caldav_run.repository.snapshots import ItemInfo, SnapshotInfo
from caldav_run.repository.state import State

Place = tuple[str, str]
"""Where an item is: its calendar's id, and its href."""


class Absence(StrEnum):
    """Why a snapshot does not hold an item, in words."""

    DELETED = "deleted"
    WITH_CALENDAR = "deleted with its calendar"
    LEFT_OUT = "left out by the selection or a filter"
    UNREAD = "not readable, and no version is held"


class Sighting(NamedTuple):
    """What is in one snapshot otherwise than in the one before it; in the first one, everything.

    Attributes:
        snapshot: The snapshot.
        found: What is at each place, or why nothing is.
        titles: What the calendars of these places are called, by id.
    """

    snapshot: SnapshotInfo
    found: Mapping[Place, ItemInfo | Absence]
    titles: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class Wanted:
    """Which events are looked for.

    Attributes:
        uids: Events with one of these UIDs.
        hashes: Events of which a version has one of these hashes.
        places: Events at these places; where another wanted one is found is added.
    """

    uids: frozenset[str] = frozenset()
    hashes: frozenset[str] = frozenset()
    places: set[Place] = field(default_factory=set)

    def takes(self, row: Row) -> bool:
        """Return whether a row matters; rows about calendars all do."""
        if row.href is None:
            return True
        place = (row.calendar, row.href)
        if place not in self.places:
            if row.object is None:
                return False
            if row.sha256 not in self.hashes and row.item_uid not in self.uids:
                return False
            self.places.add(place)
        return True


def sightings(chapter: Chapter, wanted: Wanted) -> Iterator[list[Sighting]]:
    """Yield the sightings of each line of descent, by the snapshots' numbers.

    Raises:
        DamageError: A segment that they need is missing or damaged.
        SetupError: A segment cannot be opened or is not trusted.
    """
    for line in chapter.lines():
        rows = list(filter(wanted.takes, chapter.generation.rows(line[-1].id)))
        yield list(_walk(chapter, line, rows, frozenset(wanted.places)))


def _walk(
    chapter: Chapter,
    line: Sequence[SnapshotInfo],
    rows: Sequence[Row],
    places: frozenset[Place],
) -> Iterator[Sighting]:
    state = State()
    contents = chapter.contents(state)
    touched = set(places)
    at = 0
    for snapshot in line:
        while at < len(rows) and rows[at].seq <= snapshot.number:
            touched |= _touched(rows[at], state, places)
            state.apply(rows[at])
            at += 1
        found = {place: _found(contents, state, place) for place in touched}
        yield Sighting(snapshot, found, _titles(state, touched))
        touched = set()


def _touched(row: Row, before: State, places: frozenset[Place]) -> set[Place]:
    if row.href is not None:
        return {(row.calendar, row.href)}
    known = before.calendars.get(row.calendar)
    if row.op is Op.CALENDAR and known is not None and known.op is Op.CALENDAR:
        # Another sync token, say: its items speak for themselves.
        return set()
    return {place for place in places if place[0] == row.calendar}


def _titles(state: State, places: set[Place]) -> dict[str, str]:
    rows = (state.calendars.get(calendar) for calendar, _ in places)
    return {row.calendar: row.properties.title for row in rows if row is not None}


def _found(contents: Contents, state: State, place: Place) -> ItemInfo | Absence:
    info = contents.item(*place)
    if info is not None:
        return info if info.sha256 else Absence.UNREAD
    calendar = state.calendars.get(place[0])
    if calendar is None:
        return Absence.WITH_CALENDAR
    row = state.item(*place)
    left_out = any(each is not None and each.op is Op.EXCLUDED for each in (row, calendar))
    return Absence.LEFT_OUT if left_out else Absence.DELETED
