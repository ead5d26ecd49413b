"""Whether run records are the writer's, and the snapshots that they tell of are there."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from caldav_run.errors import DamageError, SetupError
from caldav_run.repository.check.findings import Finding, Level, Severity, damage_of
from caldav_run.repository.names import RunName
from caldav_run.repository.runs import RunRecord

Opener = Callable[[RunName], RunRecord]
"""Fetches and checks one run record; raises `DamageError` or `SetupError`."""


@dataclass(slots=True)
class Heads:
    """The newest snapshot of each account by what the newest records of each writer say."""

    newest: dict[tuple[str, str], tuple[RunRecord, str, str]] = field(default_factory=dict)

    def take(self, name: RunName, record: RunRecord) -> None:
        """Take one record; the oldest comes first."""
        for each in record.accounts:
            if each.head is not None:
                self.newest[name.writer, each.account] = (record, name.name, each.head)

    def forget(self, writers: Iterable[str]) -> None:
        """Let go of what some writers say."""
        gone = set(writers)
        self.newest = {key: said for key, said in self.newest.items() if key[0] not in gone}

    def missing(self, level: Level, present: Collection[str]) -> Iterator[Finding]:
        """Yield the heads that the store does not have.

        Args:
            level: Which check asks.
            present: The ids of all segments that are there, or that a log tells of.
        """
        for (_, account), (record, name, head) in sorted(self.newest.items()):
            if head not in present:
                when = f"{record.time:%Y-%m-%d %H:%M} UTC"
                what = f"on {when} it left {account} at the snapshot {head[:12]}, which is missing"
                mend = "look for it in a copy of the repository; what is shown is older"
                yield Finding(level, Severity.DAMAGE, name, what, mend)


def check_records(runs: Iterable[RunName], opener: Opener, heads: Heads) -> Iterator[Finding]:
    """Open every run record, and yield what is wrong with it.

    Args:
        runs: Their names, oldest first.
        opener: Opens one.
        heads: Takes what they say.
    """
    for name in runs:
        try:
            heads.take(name, opener(name))
        except (DamageError, SetupError) as error:
            yield damage_of(Level.DEEP, name.name, error)
