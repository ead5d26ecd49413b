"""What a rewriting has to do: decided from what is there, before anything is written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from caldav_run.errors import CaldavRunError, UsageError
from caldav_run.model import Op
from caldav_run.repository import age
from caldav_run.repository.erase import Eraser, Key
from caldav_run.repository.generation import Generation
from caldav_run.repository.header import LogEntry
from caldav_run.repository.keys import Writer
from caldav_run.repository.signed import RemovedSignerError
from caldav_run.repository.survey import Listed
from caldav_run.repository.tombstone import Tombstone


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is wanted of a rewriting.

    Attributes:
        uids: Items to erase; none where only the readers change.
        account: Whose history; None for everybody's.
        on_damage: Told what cannot be read; raises, or has it left out.
    """

    uids: frozenset[str] = frozenset()
    account: str | None = None
    on_damage: Callable[[CaldavRunError], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One generation to rewrite.

    Attributes:
        generation: The generation.
        chain: Its snapshots that can be read, oldest first.
        versions: How many versions of items are erased.
    """

    generation: Generation
    chain: tuple[LogEntry, ...]
    versions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a rewriting will do.

    Attributes:
        tasks: Generations to rewrite, oldest first.
        places: Where erased items were.
        leftovers: What earlier rewritings left unfinished.
        replaced: What earlier rewritings wrote anew, and nobody has deleted yet.
    """

    tasks: tuple[Task, ...]
    places: frozenset[Key]
    leftovers: tuple[Listed, ...]
    replaced: tuple[Listed, ...]


class Past(NamedTuple):
    """All that a repository holds.

    Attributes:
        generations: Opened, oldest first.
        hidden: The snapshots that another one stands for, and its generation; see `superseded`.
        graves: The tombstones that count, by their generations' names.
    """

    generations: Sequence[Generation]
    hidden: Mapping[str, str]
    graves: Mapping[str, Tombstone]

    def covered(self, generation: Generation) -> bool:
        """Return whether other snapshots stand for all of a generation's."""
        return generation.snapshots.keys() <= self.hidden.keys()

    def replaced(self, generation: Generation) -> bool:
        """Return whether it was written anew, and nothing of it is shown any more."""
        grave = self.graves.get(generation.listed.name.name)
        return self.covered(generation) and grave is not None and grave.rewritten

    def stand_ins(self, generation: Generation) -> list[Generation]:
        """Return the generations that stand for a generation's snapshots."""
        names = {self.hidden[each] for each in generation.snapshots}
        return [each for each in self.generations if each.listed.name.name in names]


def make_plan(past: Past, request: Request, writer: Writer, recipients: Sequence[str]) -> Plan:
    """Say what has to be rewritten.

    Raises:
        CaldavRunError: Something cannot be read, and `Request.on_damage` raised.
        UsageError: There is no such account, or no such item.
    """
    mine = _of_account(past.generations, request.account)
    for problem in _damage(mine, past.hidden):
        request.on_damage(problem)
    chains = [(each, chain) for each in mine for chain in _chains(each)]
    places = frozenset(_places(chains, request.uids))
    if request.uids and not places:
        wanted = " or ".join(sorted(request.uids))
        raise UsageError(
            f"no item in the history has the UID {wanted}",
            mend="it is case-sensitive; `caldav-run find` looks for items",
        )
    unfinished = [each for each in mine if _is_unfinished(each, past, writer)]
    tasks = []
    for each, chain in chains:
        if past.replaced(each) or each in unfinished:
            continue
        versions = _versions(each, chain, Eraser(request.uids, places), age.digest_of(recipients))
        if versions is not None:
            tasks.append(Task(generation=each, chain=chain, versions=versions))
    leftovers = tuple(each.listed for each in unfinished)
    replaced = tuple(each.listed for each in mine if past.replaced(each))
    return Plan(tasks=tuple(tasks), places=places, leftovers=leftovers, replaced=replaced)


def _versions(
    generation: Generation, chain: Sequence[LogEntry], eraser: Eraser, readers: str
) -> int | None:
    """Return how many versions are to be erased; None when nothing is to be done."""
    if eraser.idle:
        newest = generation.segment(chain[-1].id).header
        return None if newest.recipients == readers else 0
    found = [row.op for row in generation.rows(chain[-1].id) if eraser.erases(row)]
    generation.let_go()
    return found.count(Op.ADD) if found else None


def _is_unfinished(generation: Generation, past: Past, writer: Writer) -> bool:
    """Return whether it is what a rewriting left that was cut off: nobody sees anything of it."""
    listed = generation.listed
    own = listed.name.writer == writer.name and not listed.tombstones
    return own and not generation.problems and past.covered(generation)


def _of_account(generations: Sequence[Generation], account: str | None) -> list[Generation]:
    if account is None:
        return list(generations)
    streams = {each.listed.name.stream for each in generations if each.account == account}
    if not streams:
        known = ", ".join(sorted({each.account for each in generations if each.account})) or "none"
        raise UsageError(f"there is no account {account!r}; known accounts: {known}")
    return [each for each in generations if each.listed.name.stream in streams]


def _damage(
    generations: Sequence[Generation], hidden: Mapping[str, str]
) -> Iterator[CaldavRunError]:
    for each in generations:
        problems = {key: each.hole(key) for key in each.snapshots} | dict(each.problems)
        found = [problem for key, problem in problems.items() if problem and key not in hidden]
        # Several snapshots may miss one segment. What a removed signer says does not count.
        told = {str(problem): problem for problem in found}
        yield from (e for e in told.values() if not isinstance(e, RemovedSignerError))


def _chains(generation: Generation) -> Iterator[tuple[LogEntry, ...]]:
    """Yield the snapshots that can be read, once more than once for a fork: each with its past."""
    left = {key: e for key, e in generation.snapshots.items() if generation.hole(key) is None}
    while left:
        chain = generation.chain(max(left.values(), key=lambda each: (each.number, each.id)).id)
        for entry in chain:
            left.pop(entry.id, None)
        yield tuple(chain)


def _places(
    chains: Sequence[tuple[Generation, tuple[LogEntry, ...]]], uids: frozenset[str]
) -> Iterator[Key]:
    if not uids:
        return
    for generation, chain in chains:
        for row in generation.rows(chain[-1].id):
            if row.href is not None and row.item_uid in uids:
                yield row.calendar, row.href
        generation.let_go()
