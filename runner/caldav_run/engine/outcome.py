"""From failures to one exit status."""

from collections.abc import Iterable, Sequence
from enum import IntEnum


class ExitStatus(IntEnum):
    """What a run tells its caller.

    Each error class carries its own status; these are the ones that runs are ranked by.
    """

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTIAL = 3
    GUARDED = 4
    HAS_CHANGES = 10
    TEMPORARY = 75
    ACCESS = 77
    SETUP = 78
    INTERRUPTED = 130


# Whatever else went wrong, these decide, in this order.
_DECISIVE = (ExitStatus.INTERRUPTED, ExitStatus.SETUP, ExitStatus.GUARDED)

# From worst to best: what several pipelines add up to.
_RANK = (
    ExitStatus.INTERRUPTED,
    ExitStatus.SETUP,
    ExitStatus.GUARDED,
    ExitStatus.USAGE,
    ExitStatus.FAILED,
    ExitStatus.ACCESS,
    ExitStatus.TEMPORARY,
    ExitStatus.PARTIAL,
    ExitStatus.HAS_CHANGES,
    ExitStatus.DONE,
)


def combine(failures: Iterable[int]) -> int:
    """Return the exit status of one run from the statuses of all that failed in it.

    77 and 75 stand only where every failure shares them: they tell a caller that another
    password or another time mends everything.
    """
    found = set(failures)
    if not found:
        return ExitStatus.DONE
    for status in _DECISIVE:
        if status in found:
            return status
    return found.pop() if len(found) == 1 else ExitStatus.FAILED


def worst(statuses: Sequence[int]) -> int:
    """Return the exit status of several runs."""
    return min(statuses, key=_RANK.index, default=ExitStatus.DONE)
