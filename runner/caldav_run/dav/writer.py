"""Many writes through several connections: each is done once, refused, or tried to its end."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from time import sleep as pause
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from caldav_run.dav import failures, refusals
from caldav_run.dav.connection import Connection
from caldav_run.dav.effort import Effort
from caldav_run.dav.lanes import Lanes, Task
from caldav_run.dav.putting import Done
from caldav_run.dav.refusals import NotYetError
from caldav_run.errors import CaldavRunError, ItemError, TemporaryError, UnsureError

# Somebody else is in the way, in a database that one client at a time writes to: soon and often.
_CROWDED_WAITS_S: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
_WAITS_S: Final = (0.3, 1.0)
# One by one at the end, when nobody of us is in the way.
_LAST_WAITS_S: Final = (0.5, 2.0, 5.0)
_RESTS_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""How long a server is left alone that does nothing of what is asked of it, time after time."""

_AHEAD: Final = 2
_IN_A_ROW: Final = 4
_random: Final = secrets.SystemRandom()

K = TypeVar("K")


class Job(Protocol):
    """One write: `Put`, `Delete`."""

    def attempt(self, connection: Connection, *, doubtful: bool) -> Done:
        """Do it; see `Put.attempt`."""


@dataclass(frozen=True, slots=True, eq=False)
class Write(Generic[K]):
    """A write to be made.

    Attributes:
        key: What it is for; comes back with what became of it.
        job: Makes the job; called again for one that has to be put off.
        deed: "written" or "deleted".
    """

    key: K
    job: Callable[[], Job]
    deed: str = "written"


class Tried(NamedTuple):
    """What came of a write, or why it was not done.

    Attributes:
        outcome: Either of them.
        strained: Whether the server wanted to be left alone on the way.
        doubtful: Whether an attempt may have been done that has no answer.
    """

    outcome: Done | Exception
    strained: bool = False
    doubtful: bool = False


class Writer:
    """Writes through some lanes, which nobody else may use meanwhile.

    Args:
        lanes: What makes the requests.
        effort: What their number goes by.
    """

    def __init__(self, lanes: Lanes, effort: Effort) -> None:
        """Write nothing yet."""
        self._lanes = lanes
        self._effort = effort
        self._idle = 0
        self._rests = iter(_RESTS_S)

    def perform(self, writes: Iterable[Write[K]]) -> Iterator[tuple[K, Done | ItemError]]:
        """Make writes, and yield what became of each one, in any order.

        What is refused for a reason that may pass is tried again after all others, alone.

        Raises:
            TemporaryError: The server is gone or full, or does nothing any more.
            CalendarError: Nothing may be written there.
            AccessError: The credentials are no longer accepted.
            ConnectorError: Nothing more can be done for another reason.
        """
        source = iter(writes)
        under_way: dict[Task[Tried], Write[K]] = {}
        later: list[tuple[Write[K], bool]] = []
        ending: Exception | None = None
        while under_way or ending is None:
            if ending is None and not self._fill(under_way, source):
                break
            task = self._lanes.first(under_way)
            write, (outcome, strained, doubtful) = under_way.pop(task), task.result()
            if strained:
                self._effort.refused()
            if isinstance(outcome, (Done, ItemError)):
                self._went_on(task)
                yield write.key, outcome
            elif isinstance(outcome, NotYetError):
                later.append((write, doubtful))
                ending = ending or self._put_off(outcome)
            else:
                # What is under way beside it is done all the same, and has to be told.
                ending = ending or outcome
        if ending is not None:
            raise ending
        for write, doubtful in later:
            yield write.key, self._at_last(write, doubtful=doubtful)

    def _fill(self, under_way: dict[Task[Tried], Write[K]], source: Iterator[Write[K]]) -> bool:
        """Begin as many writes as there may be; return whether any is under way."""
        while len(under_way) < self._effort.width * _AHEAD:
            write = next(source, None)
            if write is None:
                break
            under_way[self._lanes.submit(partial(_done, job=write.job()))] = write
        return bool(under_way)

    def _went_on(self, task: Task[Tried]) -> None:
        """Note that the server answers, be it that it refuses an item."""
        self._idle = 0
        self._rests = iter(_RESTS_S)
        self._effort.written(task.seconds, task.width)

    def _put_off(self, error: NotYetError) -> TemporaryError | None:
        """Note that something was not done; leave a server alone that does nothing at all.

        Returns:
            Why it is of no use to go on; None where it may be.
        """
        if not error.crowded and not error.busy:
            self._effort.refused()
        self._idle += 1
        if self._idle < _IN_A_ROW + self._effort.width:
            return None
        rest_s = next(self._rests, None)
        if rest_s is not None:
            pause(rest_s)
        elif error.busy:
            return TemporaryError(
                f"the server does nothing any more: {error.error.message}", mend="try again later"
            )
        return None

    def _at_last(self, write: Write[K], *, doubtful: bool) -> Done | ItemError:
        task = self._lanes.submit(partial(_done, job=write.job(), waits_s=_LAST_WAITS_S))
        outcome, _, doubtful_still = self._lanes.first((task,)).result()
        if isinstance(outcome, (Done, ItemError)):
            return outcome
        if isinstance(outcome, NotYetError):
            error = refusals.final(outcome.error, write.deed)
            if doubtful or doubtful_still:
                return UnsureError(error.message, mend=error.mend)
            return error
        raise outcome


def _done(connection: Connection, job: Job, waits_s: tuple[float, ...] | None = None) -> Tried:
    """Do one write, trying again for a while."""
    doubtful = strained = False
    attempts = 0
    while True:
        try:
            return Tried(job.attempt(connection, doubtful=doubtful), strained)
        except NotYetError as error:
            trouble = error
        except failures.TROUBLE as error:
            # No answer, or one to the question what is there that tells nothing.
            doubtful = True
            trouble = NotYetError(error, busy=isinstance(error, failures.InterruptedAnswerError))
        except failures.UnreachableError as error:
            trouble = NotYetError(error, busy=True)
        except CaldavRunError as error:
            return Tried(error, strained)
        strained = strained or trouble.busy
        waits = waits_s or (_CROWDED_WAITS_S if trouble.crowded else _WAITS_S)
        if waits_s and not trouble.crowded and not trouble.busy:
            # A fault that nobody else is to blame for is there to stay, as a rule.
            waits = waits_s[:1]
        if attempts == len(waits):
            return Tried(trouble, strained, doubtful)
        pause(waits[attempts] * _random.uniform(0.5, 1.5))
        attempts += 1
