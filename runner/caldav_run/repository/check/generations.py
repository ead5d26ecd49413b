"""Whether each generation is whole, as far as its names tell."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Final

from caldav_run.repository.check.findings import Finding, Level, Severity
from caldav_run.repository.check.inventory import Listed
from caldav_run.repository.check.kinds import Kind
from caldav_run.repository.names import ACCOUNTS, GenerationName, SegmentName
from caldav_run.repository.segment import CUMULATIVE_EVERY

GRACE: Final = timedelta(hours=72)
"""How long a tombstone has stood when its generation may be deleted."""

_A_BACKUP: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Group:
    """The objects of one generation."""

    name: GenerationName
    segments: list[SegmentName] = field(default_factory=list)
    packs: list[Listed] = field(default_factory=list)
    tombstones: list[Listed] = field(default_factory=list)

    @property
    def numbers(self) -> Counter[int]:
        """How many segments bear each number."""
        return Counter(each.number for each in self.segments)


def group(objects: Iterable[Listed]) -> list[Group]:
    """Sort objects by generation, oldest first."""
    found: dict[GenerationName, Group] = {}
    for each in objects:
        if each.generation is None:
            continue
        mine = found.setdefault(each.generation, Group(each.generation))
        if each.segment:
            mine.segments.append(each.segment)
        elif each.kind is Kind.PACK:
            mine.packs.append(each)
        else:
            mine.tombstones.append(each)
    return [found[name] for name in sorted(found)]


def check(generation: Group, now: datetime) -> Iterator[Finding]:
    """Yield what is wrong or worth knowing about one generation."""
    for each in generation.tombstones:
        yield _tombstone(generation, each, now)
    for found in _whole(generation, now):
        # It may be half deleted by now. Whether the tombstone is genuine, level 3 tells.
        yield replace(found, severity=Severity.NOTE) if generation.tombstones else found


def _whole(generation: Group, now: datetime) -> Iterator[Finding]:
    if not generation.segments:
        if generation.packs:
            yield _unfinished(generation, now)
        return
    if 0 not in generation.numbers:
        what = "its base, seg-00000000, is missing: nothing of this generation can be restored"
        yield _damage(generation.name.folder, what)
    yield from _gaps(generation)
    yield from _forks(generation)
    yield from _order(generation)


def without_backup(objects: Sequence[Listed]) -> Iterator[Finding]:
    """Tell accounts of which no backup was ever finished, or none is left."""
    known: dict[str, bool] = {}
    for each in group(objects):
        whole = 0 in each.numbers and not each.tombstones
        known[each.name.stream] = known.get(each.name.stream, False) or whole
    for stream, whole in known.items():
        if not whole:
            what = "the account has no finished backup, or none that is to stay"
            yield _warning(f"{ACCOUNTS}{stream}/", what, "run its pipeline")


def _tombstone(generation: Group, tombstone: Listed, now: datetime) -> Finding:
    effect = tombstone.stored.modified + GRACE
    rest = len(generation.segments) + len(generation.packs)
    when = f"from {effect:%Y-%m-%d %H:%M} UTC on" if effect > now else "now"
    what = f"the generation is to be deleted: its {rest} objects may go {when}"
    return Finding(Level.STRUCTURE, Severity.NOTE, tombstone.name, what)


def _unfinished(generation: Group, now: datetime) -> Finding:
    what = f"it has {len(generation.packs)} packs and no segment: "
    newest = max(each.stored.modified for each in generation.packs)
    if now - newest < _A_BACKUP:
        what += "a full backup is under way, or was cut off"
        return Finding(Level.STRUCTURE, Severity.NOTE, generation.name.folder, what)
    what += "a full backup that was cut off, or its segments are gone"
    mend = "check --deep tells which; what was cut off may be deleted"
    return _warning(generation.name.folder, what, mend)


def _gaps(generation: Group) -> Iterator[Finding]:
    numbers = sorted({0, *generation.numbers})
    for before, after in pairwise(numbers):
        if after == before + 1:
            continue
        first, last = before + 1, after - 1
        which = f"segment {first} is" if first == last else f"segments {first} to {last} are"
        whole = next((each for each in numbers if each > last and _cumulative(each)), None)
        what = f"{which} missing: " + (
            f"segment {whole} repeats their rows, so that no snapshot is lost"
            if whole
            else f"the snapshots from {first} on cannot be restored"
        )
        yield _damage(f"{generation.name.folder}seg-{first:08}", what)


def _cumulative(number: int) -> bool:
    return number % CUMULATIVE_EVERY == 0


def _forks(generation: Group) -> Iterator[Finding]:
    for number, count in sorted(generation.numbers.items()):
        if count > 1:
            what = f"{count} segments have this number: two machines wrote with one key"
            mend = "give each machine a writer key of its own; the next run makes a full backup"
            yield _warning(f"{generation.name.folder}seg-{number:08}", what, mend)


def _order(generation: Group) -> Iterator[Finding]:
    """Tell segments whose times do not grow with their numbers."""
    latest = generation.name.begun - timedelta(seconds=1)
    ordered = sorted(generation.segments, key=_number)
    for _, same in groupby(ordered, _number):
        # A fork's segments may be of one time; they are told as such.
        forked = list(same)
        for each in forked:
            if each.time <= latest:
                what = "it is not later than the segment before it: it was made for another place"
                yield _damage(each.name, what)
        latest = max(latest, *(each.time for each in forked))


def _number(segment: SegmentName) -> int:
    return segment.number


def _damage(name: str, what: str) -> Finding:
    mend = "look for it in a copy of the repository; the next full backup makes a new generation"
    return Finding(Level.STRUCTURE, Severity.DAMAGE, name, what, mend)


def _warning(name: str, what: str, mend: str) -> Finding:
    return Finding(Level.STRUCTURE, Severity.WARNING, name, what, mend)
