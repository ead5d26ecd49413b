"""Copying a repository's objects as they are to another store; no key is needed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from caldav_run.errors import DamageError, SetupError, UsageError
from caldav_run.repository import envelope, names
from caldav_run.repository.check.inventory import settled
from caldav_run.repository.check.kinds import Kind, Named, classify
from caldav_run.repository.create import repository_id
from caldav_run.repository.store import MissingObjectError, Store, Stored

# A copy that was cut off has a shorter history, and never a snapshot without what it needs.
_ORDER: Final = {
    Kind.MARKER: 0,
    Kind.BUNDLE: 1,
    Kind.PACK: 2,
    Kind.SEGMENT: 2,
    Kind.TOMBSTONE: 2,
    Kind.RUN: 3,
    Kind.README: 4,
}
_WITHIN: Final = {Kind.PACK: 0, Kind.SEGMENT: 1, Kind.TOMBSTONE: 2}


class Fate(StrEnum):
    """What became of an object."""

    COPIED = "copied"
    PRESENT = "present"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Copied:
    """One object of a copy.

    Attributes:
        name: Its name.
        size: Its size in bytes.
        fate: What became of it.
        problem: Why it was not copied.
    """

    name: str
    size: int
    fate: Fate
    problem: DamageError | None = None


@dataclass(frozen=True, slots=True)
class Copying:
    """What is to be copied where.

    Attributes:
        objects: In this order.
        unknown: How many objects are none of a repository, and are left.
    """

    source: Store
    target: Store
    objects: Sequence[Stored]
    unknown: int
    held: dict[str, int]

    def carry_out(self, whole: Callable[[Store, Stored], bool]) -> Iterator[Copied]:
        """Copy what is missing, one object in memory at a time.

        Args:
            whole: Says whether an object that the target holds in its size is to be believed.

        Yields:
            Each object; what is damaged is named and left out, and the rest goes on.

        Raises:
            ConnectorError: One of the stores refuses; a later call goes on from there.
        """
        for each in self.objects:
            present = self.held.get(each.name)
            if present == each.size and whole(self.target, each):
                yield Copied(each.name, each.size, Fate.PRESENT)
                continue
            try:
                data = self._checked(each)
            except DamageError as error:
                yield Copied(each.name, each.size, Fate.DAMAGED, error)
                continue
            if present is not None:
                # A store may refuse other bytes under a name that it has.
                self.target.delete(each.name)
            self.target.put(each.name, data)
            yield Copied(each.name, each.size, Fate.COPIED)

    def _checked(self, stored: Stored) -> bytes:
        data = self.source.get(stored.name)
        if classify(stored.name).sha256 is not None:
            envelope.check_name(stored.name, data)
        return data


def by_size(target: Store, stored: Stored) -> bool:
    """Believe what has the right size."""
    del target, stored
    return True


def by_content(target: Store, stored: Stored) -> bool:
    """Read what the target holds, and compare it with its name."""
    sha256 = classify(stored.name).sha256
    try:
        return sha256 in {None, envelope.sha256(target.get(stored.name))}
    except MissingObjectError:
        return False


def prepare(
    source: Store, target: Store, streams: frozenset[str] | None, since: datetime | None
) -> Copying:
    """List both places, and decide what is to be copied.

    Args:
        source: A repository.
        target: An empty place, or an earlier copy.
        streams: The histories that are meant; None for all. Run records tell of all accounts, so
            that they are copied with all only.
        since: Only generations with a snapshot that is not older, and the one before them, which
            may hold what they could not read themselves; None for all.

    Raises:
        ConnectorError: A place cannot be read.
        SetupError: The source is no repository, or the target is something else.
        UsageError: Both are one place, or nothing fits the choice.
    """
    if source.location == target.location:
        raise UsageError(f"{source.location} is where the repository is", mend="give another place")
    identity = repository_id(source)
    held = {each.name: each.size for each in target.list()}
    if held and names.MARKER not in held:
        raise SetupError(
            f"{target.location} is not empty, and no repository", mend="give an empty place"
        )
    if held and (there := repository_id(target)) != identity:
        raise SetupError(
            f"{target.location} holds another repository ({there}, not {identity})",
            mend="give an empty place, or an earlier copy of this one",
        )
    listed = [(each, classify(each.name)) for each in settled(source)]
    known = [(each, named) for each, named in listed if named.kind is not Kind.UNKNOWN]
    wanted = _chosen([named for _, named in known], streams, since)
    objects = [(each, named) for each, named in known if _meant(named, wanted, streams)]
    objects.sort(key=_rank)
    unknown = len(listed) - len(known)
    return Copying(source, target, [each for each, _ in objects], unknown, held)


def _chosen(
    known: Sequence[Named], streams: frozenset[str] | None, since: datetime | None
) -> set[str]:
    """Return the names of the generations that are meant."""
    newest: dict[str, dict[str, datetime]] = {}
    for each in known:
        if each.generation and (streams is None or each.generation.stream in streams):
            generations = newest.setdefault(each.generation.stream, {})
            time = each.segment.time if each.segment else each.generation.begun
            name = each.generation.name
            generations[name] = max(time, generations.get(name, time))
    if streams is not None and not newest:
        raise UsageError("there is no history of that account")
    found: set[str] = set()
    for generations in newest.values():
        ordered = sorted(generations)
        young = [at for at, name in enumerate(ordered) if not since or generations[name] >= since]
        found |= set(ordered[max(min(young) - 1, 0) :] if young else ())
    return found


def _meant(named: Named, wanted: set[str], streams: frozenset[str] | None) -> bool:
    if named.generation is not None:
        return named.generation.name in wanted
    return streams is None or named.kind is not Kind.RUN


def _rank(found: tuple[Stored, Named]) -> tuple[int, str, int, str]:
    stored, named = found
    folder = named.generation.folder if named.generation else ""
    return _ORDER[named.kind], folder, _WITHIN.get(named.kind, 0), stored.name
