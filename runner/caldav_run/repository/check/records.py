"""Whether run records are the writer's, and the snapshots that they tell of are there."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from caldav_run.errors import DamageError, SetupError
from caldav_run.repository.check.findings import Finding, Level, Severity, damage_of
from caldav_run.repository.names import RunName
from caldav_run.repository.runs import RunRecord

Opener = Callable[[RunName], RunRecord]
"""Fetches and checks one run record; raises `DamageError` or `SetupError`."""


class Era(NamedTuple):
    """One generation's place in an account's history.

    Attributes:
        begun: When it was begun.
        going: Whether it is to be deleted.
    """

    begun: datetime
    going: bool


class _Left(NamedTuple):
    """What a run record says that it left behind."""

    record: RunRecord
    name: str
    head: str


@dataclass(slots=True)
class Heads:
    """The snapshots of each account of each writer by what run records say.

    Attributes:
        present: The ids of all segments that are there, or that a log tells of.
        newest: What the newest records say, by writer and account.
        lost: Where snapshots that are not there are named first, by writer, account and id.
    """

    present: Collection[str]
    newest: dict[tuple[str, str], _Left] = field(default_factory=dict)
    lost: dict[tuple[str, str, str], _Left] = field(default_factory=dict)

    def take(self, name: RunName, record: RunRecord) -> None:
        """Take one record; the oldest comes first."""
        for each in record.accounts:
            if each.head is not None:
                left = _Left(record, name.name, each.head)
                self.newest[name.writer, each.account] = left
                if each.head not in self.present:
                    self.lost.setdefault((name.writer, each.account, each.head), left)

    def missing(self, level: Level) -> Iterator[Finding]:
        """Yield the newest heads that the store does not have.

        Args:
            level: Which check asks.
        """
        for (_, account), left in sorted(self.newest.items()):
            if left.head not in self.present:
                yield _missing(level, account, left, "what is shown is older")

    def forget(self, writers: Collection[str]) -> None:
        """Let go of what some writers say."""
        self.newest = {key: left for key, left in self.newest.items() if key[0] not in writers}
        self.lost = {key: left for key, left in self.lost.items() if key[0] not in writers}

    def missing_before(
        self, level: Level, eras: Mapping[tuple[str, str], Sequence[Era]]
    ) -> Iterator[Finding]:
        """Yield the earlier heads that the store does not have.

        Nothing is said of what was before the oldest generation that is there: it has expired.

        Args:
            level: Which check asks.
            eras: The generations that are there, by writer and account, oldest first.
        """
        for (writer, account, head), left in sorted(self.lost.items()):
            if head == self.newest[writer, account].head:
                continue
            before = [e for e in eras.get((writer, account), ()) if e.begun <= left.record.time]
            if before:
                found = _missing(level, account, left, "later ones do not need it")
                yield replace(found, severity=Severity.NOTE) if before[-1].going else found


def _missing(level: Level, account: str, left: _Left, more: str) -> Finding:
    when = f"{left.record.time:%Y-%m-%d %H:%M} UTC"
    what = f"on {when} it left {account} at the snapshot {left.head[:12]}, which is missing"
    mend = f"look for it in a copy of the repository; {more}"
    return Finding(level, Severity.DAMAGE, left.name, what, mend)


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
