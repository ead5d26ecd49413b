"""One generation of an account, as a reader goes through it."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from caldav_run.repository.contents import Contents
from caldav_run.repository.generation import Generation
from caldav_run.repository.rows import Row
from caldav_run.repository.snapshots import SnapshotInfo
from caldav_run.repository.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A generation's snapshots that can be read.

    Attributes:
        account: Whose they are.
        generation: Where they belong.
        snapshots: They, by number; at least one.
        earlier: Reads the account's last snapshot before the generation; None without one.
    """

    account: str
    generation: Generation
    snapshots: tuple[SnapshotInfo, ...]
    earlier: Callable[[], Contents | None]

    def lines(self) -> Iterator[tuple[SnapshotInfo, ...]]:
        """Yield the snapshots by lines of descent: one, but where two machines had one key."""
        if self.generation.listed.forked:
            yield from ((each,) for each in self.snapshots)
        else:
            yield self.snapshots

    def rows(self) -> Iterator[Row]:
        """Yield the rows of all snapshots, those of a fork's common past more than once.

        Raises:
            DamageError: A segment that they need is missing or damaged.
            SetupError: A segment cannot be opened or is not trusted.
        """
        for line in self.lines():
            yield from self.generation.rows(line[-1].id)

    def contents(self, state: State) -> Contents:
        """Return what a state holds, with what is carried forward from before."""
        begun = self.generation.listed.name.begun
        return Contents(state, self.generation.listed.name, begun, self.earlier)


def chapters(
    generations: Iterable[Generation],
    snapshots: Collection[SnapshotInfo],
    before: Callable[[SnapshotInfo], Contents | None],
) -> Iterator[Chapter]:
    """Yield the generations that snapshots belong to.

    The rows of one are let go of when the next one is asked for.

    Args:
        generations: All there are, in the order that is wanted.
        snapshots: An account's.
        before: Reads the last snapshot before a snapshot's generation.
    """
    for generation in generations:
        name = generation.listed.name.name
        own = sorted((each for each in snapshots if each.generation == name), key=_number)
        if own:
            yield Chapter(
                account=own[0].account,
                generation=generation,
                snapshots=tuple(own),
                earlier=partial(before, own[0]),
            )
            generation.let_go()


def _number(info: SnapshotInfo) -> int:
    return info.number
