"""Which snapshots are shown, where a rewritten one and its original are both there, and how."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from caldav_run.repository.generation import Generation
from caldav_run.repository.header import LogEntry
from caldav_run.repository.signed import RemovedSignerError
from caldav_run.repository.snapshots import SnapshotInfo
from caldav_run.repository.tombstone import Tombstone


def rewritten(generations: Sequence[Generation]) -> set[str]:
    """Return the ids of all snapshots that others were made from."""
    entries = (entry for each in generations for entry in each.snapshots.values())
    return {entry.replaces for entry in entries if entry.replaces is not None}


def superseded(
    generations: Sequence[Generation], graves: Mapping[str, Tombstone]
) -> dict[str, str]:
    """Return the ids of the snapshots that another one stands for, and that one's generation.

    Of all that stand for one original, one is shown: a readable one if there is any, then one of
    a generation that no tombstone says to be rewritten, then that of the generation whose name
    sorts last. A rewriting takes a name that sorts before its original, so that what a rewriting
    left unfinished stays hidden. A snapshot that was appended while its generation was rewritten
    has no other and is shown.

    Args:
        generations: All of a repository.
        graves: The tombstones that count, by their generations' names.
    """
    begun = {each.listed.name.name for each in generations if each.listed.begun}
    replaced = {
        name: grave.successor
        for name, grave in graves.items()
        if grave.rewritten and grave.successor in begun
    }

    def rank(found: tuple[Generation, LogEntry]) -> tuple[bool, bool, str]:
        generation, entry = found
        name = generation.listed.name.name
        return generation.hole(entry.id) is None, name not in replaced, name

    groups: dict[str, list[tuple[Generation, LogEntry]]] = {}
    for each in generations:
        for entry in each.snapshots.values():
            groups.setdefault(entry.stands_for, []).append((each, entry))
    hidden: dict[str, str] = {}
    for group in groups.values():
        if len(group) > 1:
            *others, (shown, _) = sorted(group, key=rank)
            hidden |= {entry.id: shown.listed.name.name for _, entry in others}
    # What could not be read could not be rewritten either.
    for each in generations:
        if successor := replaced.get(each.listed.name.name):
            unread = [key for key in each.snapshots if each.hole(key) is not None]
            hidden |= dict.fromkeys([*unread, *each.problems], successor)
    return hidden


def snapshot_infos(
    generation: Generation, account: str, grave: Tombstone | None
) -> Iterator[SnapshotInfo]:
    """Yield what a generation shows of its snapshots.

    Args:
        generation: Their generation.
        account: Whose it is.
        grave: The tombstone that counts for it; None without one.
    """
    about = partial(
        SnapshotInfo,
        account=account,
        generation=generation.listed.name.name,
        expired=grave.time if grave else None,
    )
    for identity, entry in generation.snapshots.items():
        yield about(
            id=identity,
            time=entry.time,
            number=entry.number,
            counts=entry.counts,
            guarded=entry.guarded,
            problem=generation.hole(identity),
        )
    for identity, problem in generation.problems.items():
        if isinstance(problem, RemovedSignerError):
            # It is reported, and is no snapshot: else the old key could hide the newest one.
            continue
        name = generation.listed.segments[identity]
        yield about(
            id=identity,
            time=name.time,
            number=name.number,
            counts=None,
            guarded=False,
            problem=problem,
        )
