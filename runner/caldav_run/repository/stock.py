"""What retention has to know of a repository, read by a writer that can open its own segments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from caldav_run.errors import CaldavRunError
from caldav_run.repository import segment
from caldav_run.repository.create import repository_id
from caldav_run.repository.generation import Generation
from caldav_run.repository.keys import Writer
from caldav_run.repository.lineage import superseded
from caldav_run.repository.names import GenerationName, SegmentName
from caldav_run.repository.retention import Kept
from caldav_run.repository.segment import Segment
from caldav_run.repository.store import Store
from caldav_run.repository.survey import Listed, survey
from caldav_run.repository.tombstone import Grave, grave_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """One listing of a repository, as one writer sees it.

    Attributes:
        repository: The repository's id.
        now: The store's present: when its newest object was stored, or the host's time if that is
            earlier. A clock that runs ahead can not make anything older than it is.
        own: The writer's generations, oldest first.
        foreign: How many generations other writers have.
    """

    repository: str
    now: datetime
    own: tuple[Listed, ...]
    foreign: int

    @property
    def streams(self) -> list[list[Listed]]:
        """The writer's generations, account by account."""
        ordered = sorted(self.own, key=lambda each: (each.name.stream, each.name))
        groups = groupby(ordered, lambda each: each.name.stream)
        return [list(group) for _, group in groups]

    def listed(self, name: GenerationName) -> Listed:
        """Return one of the writer's generations."""
        return next(each for each in self.own if each.name == name)


def take_stock(store: Store, writer: Writer, now: datetime) -> Stock:
    """List a repository.

    Args:
        store: Where.
        writer: Whose generations count.
        now: The host's time.

    Raises:
        ConnectorError: The store cannot be read.
        SetupError: There is no repository of this version.
    """
    repository = repository_id(store)
    objects = list(store.list())
    listed = survey(objects)
    own = tuple(each for each in listed if each.name.writer == writer.name)
    newest = max((each.modified for each in objects), default=now)
    foreign = len(listed) - len(own)
    return Stock(repository=repository, now=min(now, newest), own=own, foreign=foreign)


def at_a_glance(listed: Listed) -> Kept:
    """Return what a listing alone tells of a generation."""
    stored = {each.number: listed.modified[each.name] for each in listed.segments.values()}
    of_segments = [listed.modified[each.name] for each in listed.segments.values()]
    return Kept(
        name=listed.name,
        base=stored.get(0),
        newest_segment=max(of_segments, default=None),
        newest_object=max(listed.modified.values(), default=None),
        whole=listed.begun,
    )


def examine(
    store: Store, writer: Writer, stream: Sequence[Listed], repository: str
) -> tuple[list[Kept], list[CaldavRunError]]:
    """Open what has to be known of one account's generations.

    Returns:
        The generations, and what is wrong with tombstones that are ignored.

    Raises:
        ConnectorError: The store cannot be read.
    """
    trusted = {writer.signer.fingerprint}
    graves: dict[str, Grave] = {}
    problems: list[CaldavRunError] = []
    for each in stream:
        grave, wrong = grave_of(store, each, trusted, repository)
        problems += wrong
        if grave is not None:
            graves[each.name.name] = grave

    def open_one(name: SegmentName) -> Segment:
        stored = store.get(name.name)
        return segment.open_segment(name, stored, (writer.metadata,), trusted, repository)

    generations = [Generation(each, open_one) for each in stream]
    stones = {name: grave.tombstone for name, grave in graves.items()}
    hidden = superseded(generations, stones)
    account = next((each.account for each in generations if each.account), None)
    pins = _pins(generations, hidden)
    known = {each.name.name: each.name for each in stream}
    return [
        replace(
            at_a_glance(each.listed),
            account=account,
            whole=_whole(each),
            pinned_by=pins.get(each.listed.name.name),
            grave=graves.get(each.listed.name.name),
            unreplaced=sum(
                entry.id not in hidden and each.hole(entry.id) is None
                for entry in each.snapshots.values()
            ),
            stand_ins=_stand_ins(each, hidden, known),
        )
        for each in generations
    ], problems


def _stand_ins(
    generation: Generation, hidden: Mapping[str, str], known: Mapping[str, GenerationName]
) -> tuple[GenerationName, ...]:
    names = {hidden[each] for each in generation.listed.segments if each in hidden}
    return tuple(known[name] for name in sorted(names) if name in known)


def _whole(generation: Generation) -> bool:
    listed = generation.listed
    if not listed.begun or generation.problems:
        return False
    expected: dict[str, int] = {}
    for entry in generation.snapshots.values():
        expected[listed.name.segment(entry.number, entry.time, entry.id)] = entry.size
        expected |= {listed.name.pack(pack.sha256): pack.size for pack in entry.packs}
    present = all(listed.sizes.get(name) == size for name, size in expected.items())
    return present and all(generation.hole(each) is None for each in generation.snapshots)


def _pins(generations: Sequence[Generation], hidden: Mapping[str, str]) -> dict[str, str]:
    """Return which generations others read from, and one such other each.

    A generation that was begun while something could not be read takes that from the account's
    newest whole snapshot before it, as `Reader` does.
    """
    pins: dict[str, str] = {}
    for each in generations:
        if not _reads_before(each):
            continue
        target = _before(each, generations, hidden)
        if target is not None:
            pins[target] = each.listed.name.name
    return pins


def _reads_before(generation: Generation) -> bool:
    if not generation.listed.begun:
        return False
    newest = generation.listed.newest.sha256
    try:
        return any(row.extra.get("before") for row in generation.rows(newest))
    except CaldavRunError:
        # What cannot be read may refer to it.
        return True


def _before(
    generation: Generation, generations: Iterable[Generation], hidden: Mapping[str, str]
) -> str | None:
    begun = generation.listed.name.begun
    candidates = (
        (entry.time, other.listed.name.name, entry.number)
        for other in generations
        if other is not generation
        for entry in other.snapshots.values()
        if entry.time < begun and entry.id not in hidden and other.hole(entry.id) is None
    )
    newest = max(candidates, default=None)
    return newest[1] if newest else None
