"""Single events through time, across generations and writers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from caldav_run.errors import DamageError, SetupError
from caldav_run.repository.reader import Reader
from caldav_run.repository.sightings import Absence, Place, Sighting, Wanted, sightings
from caldav_run.repository.snapshots import ItemInfo, SnapshotInfo

Event = str | Place
"""What makes an event one: its UID, or its place where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """What snapshots hold of an event from one on, until the next stop.

    Attributes:
        snapshot: The first of them.
        before: The account's snapshot before that one; None for the first of all.
        items: Its versions by place: more than one where it is in two calendars.
        titles: What the calendars are called where it is or was before, by id.
        absence: Why there is none; None where there is one.
    """

    snapshot: SnapshotInfo
    before: SnapshotInfo | None
    items: tuple[ItemInfo, ...]
    titles: Mapping[str, str]
    absence: Absence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One event of an account through time.

    Attributes:
        account: The account.
        uid: Its UID; None when it has none.
        stops: Where it changed, came or went, oldest first; the first one holds it.
        last: The last snapshot that holds it.
    """

    account: str
    uid: str | None
    stops: tuple[Stop, ...]
    last: SnapshotInfo

    @property
    def gone(self) -> Stop | None:
        """Since when the account does not hold it any more; None when it does."""
        return self.stops[-1] if self.stops[-1].absence else None

    def items(self) -> Iterator[ItemInfo]:
        """Yield every version that was ever held, oldest first; unchanged ones again."""
        for stop in self.stops:
            yield from stop.items


@dataclass(slots=True)
class _Line:
    """What the snapshots of one line of descent hold, as far as they were gone through."""

    items: dict[Event, dict[Place, ItemInfo]] = field(default_factory=dict)
    events: dict[Place, Event] = field(default_factory=dict)
    absent: dict[Place, Absence] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    def take(self, sighting: Sighting) -> set[Event]:
        """Let a sighting happen, and return the events that it concerns."""
        concerned: set[Event] = set()
        self.titles |= sighting.titles
        for place, what in sighting.found.items():
            if place in self.events:
                event = self.events.pop(place)
                concerned.add(event)
                del self.items[event][place]
            if isinstance(what, Absence):
                self.absent[place] = what
                continue
            event = what.uid or place
            concerned.add(event)
            self.events[place] = event
            self.items.setdefault(event, {})[place] = what
        return concerned

    def held(self, event: Event) -> tuple[ItemInfo, ...]:
        """Return an event's versions by place."""
        found = self.items.get(event, {})
        return tuple(found[place] for place in sorted(found))


def tracks(reader: Reader, account: str, wanted: Wanted) -> list[Track]:
    """Return the wanted events of an account through time.

    Generations that cannot be read are passed over and told in the reader's problems.
    """
    named = frozenset(wanted.places)
    found: dict[Event, list[Stop]] = {}
    line, before = _Line(), None
    for sighting, own in _in_time(reader, account, replace(wanted, places=set(named))):
        concerned = own.take(sighting)
        if own is not line:
            # Two writers see an account each in their own way.
            concerned |= own.items.keys() | line.items.keys()
        line = own
        for event in concerned:
            _stop(found.setdefault(event, []), event, sighting.snapshot, before, own)
        before = sighting.snapshot
    made = (_track(account, event, stops, before) for event, stops in found.items() if stops)
    kept = (each for each in made if _is_wanted(each, wanted, named))
    return sorted(kept, key=lambda each: (each.stops[0].snapshot.time, each.uid or ""))


def _in_time(reader: Reader, account: str, wanted: Wanted) -> list[tuple[Sighting, _Line]]:
    seen: list[tuple[Sighting, _Line]] = []
    for chapter in reader.chapters(account):
        try:
            for each in sightings(chapter, wanted):
                line = _Line()
                seen += [(sighting, line) for sighting in each]
        except (DamageError, SetupError) as error:
            reader.report(error)
    seen.sort(key=lambda pair: _order(pair[0].snapshot))
    return seen


def _order(snapshot: SnapshotInfo) -> tuple[object, ...]:
    return snapshot.time, snapshot.generation, snapshot.number


def _stop(
    stops: list[Stop],
    event: Event,
    snapshot: SnapshotInfo,
    before: SnapshotInfo | None,
    line: _Line,
) -> None:
    """Add a stop to an event's, if anything about it is new."""
    items = line.held(event)
    known = stops[-1].items if stops else ()
    if _versions(items) == _versions(known):
        return
    absence = None
    if not items:
        left = (line.absent.get((each.calendar, each.href)) for each in known)
        absence = next(filter(None, left), Absence.DELETED)
    concerned = {each.calendar for each in (*known, *items)}
    # A calendar that another writer's generation names may be known to none of this one's rows.
    titles = {each: line.titles.get(each, each) for each in concerned}
    stops.append(
        Stop(snapshot=snapshot, before=before, items=items, titles=titles, absence=absence)
    )


def _versions(items: tuple[ItemInfo, ...]) -> list[tuple[str, str, str | None]]:
    return [(each.calendar, each.href, each.sha256) for each in items]


def _track(account: str, event: Event, stops: list[Stop], newest: SnapshotInfo | None) -> Track:
    last = stops[-1].before if stops[-1].absence else newest
    uid = event if isinstance(event, str) else None
    return Track(account=account, uid=uid, stops=tuple(stops), last=last or stops[-1].snapshot)


def _is_wanted(track: Track, wanted: Wanted, places: frozenset[Place]) -> bool:
    """Return whether a track is of a wanted event, not of another that was in its place."""
    return track.uid in wanted.uids or any(
        each.sha256 in wanted.hashes or (each.calendar, each.href) in places
        for each in track.items()
    )
