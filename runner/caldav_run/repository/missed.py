"""Whether run records tell of snapshots that the store no longer has."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

from caldav_run.errors import DamageError
from caldav_run.repository.generation import Generation
from caldav_run.repository.lineage import rewritten
from caldav_run.repository.names import RunName
from caldav_run.repository.runs import AccountResult, RunRecord

Opener = Callable[[RunName], RunRecord | None]
"""Opens one run record; None when it cannot be used."""

# An account that is backed up no more must not have every record fetched.
_RECORDS_LOOKED_INTO: Final = 16


def missed(
    generations: Sequence[Generation], records: Sequence[RunName], opener: Opener
) -> Iterator[DamageError]:
    """Yield what each writer's newest run records name and the store no longer has.

    Args:
        generations: All of the repository.
        records: The run records, newest first; listed before the generations were, for else a run
            that ended in between would look as if its snapshot were lost.
        opener: Opens a record.
    """
    known = rewritten(generations)
    for each in generations:
        known |= each.snapshots.keys() | each.problems.keys()
    for writer in sorted({each.writer for each in records}):
        own = [each for each in generations if each.listed.name.writer == writer]
        mine = (name for name in records if name.writer == writer)
        opened = filter(None, map(opener, islice(mine, _RECORDS_LOOKED_INTO)))
        for record, result in _newest_results(own, opened):
            if result.head not in known:
                yield DamageError(
                    f"the newest snapshot of {result.account} is missing: the run of "
                    f"{record.time:%Y-%m-%d %H:%M:%S} UTC left {str(result.head)[:12]}",
                    mend="look for it in a copy of the repository; what is shown is older",
                )


def _newest_results(
    generations: Sequence[Generation], records: Iterator[RunRecord]
) -> Iterator[tuple[RunRecord, AccountResult]]:
    """Yield what a writer's records say last of each account, and where."""
    waiting = {each.account for each in generations if each.account is not None}
    seen: set[str] = set()
    for record in records:
        for result in record.accounts:
            if result.head is not None and result.account not in seen:
                seen.add(result.account)
                yield record, result
        # Pipelines of one host may have an account each, and records of their own.
        if waiting <= seen:
            return
