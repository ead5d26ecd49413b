"""What every sink does with the readings of one source, and the counts that it keeps."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from caldav_run.engine.events import Emit, Level, Noted, Planned, State, Step
from caldav_run.engine.judge import Link, Verdict
from caldav_run.engine.ledger import Held
from caldav_run.engine.outcome import ExitStatus
from caldav_run.errors import CaldavRunError
from caldav_run.ical.view import ItemView
from caldav_run.model import Calendar, Mark

# A step with a few failed items, or held back by a guard, did not fail as a whole.
_HARMLESS = (ExitStatus.PARTIAL, ExitStatus.GUARDED)


@dataclass(slots=True)
class Tally:
    """What one sink's step adds up to over all sources.

    Attributes:
        step: The step.
        emit: Where its events go.
        dry: Whether nothing is written.
        detail: Whether every change is told, not only counted.
        counts: How many items by what was changed of them.
        stood: How many items by why they stand as they did.
        failures: The exit statuses of what failed.
        guarded: Whether a guard held the step back.
        stored: How many bytes were stored.
        remarks: What else its summary says.
        fed: Whether the sink was opened for a source at all.
        verified: How many written items were found how when they were read back.
    """

    step: Step
    emit: Emit
    dry: bool
    detail: bool
    counts: Counter[str] = field(default_factory=Counter)
    stood: Counter[str] = field(default_factory=Counter)
    failures: list[int] = field(default_factory=list)
    guarded: bool = False
    stored: int = 0
    remarks: list[str] = field(default_factory=list)
    fed: bool = False
    verified: Mapping[str, int] = field(default_factory=dict)

    def count(
        self, what: str, sign: str, calendar: str, label: str, words: Sequence[str] = ()
    ) -> None:
        """Count one change, and tell it where details are wanted."""
        self.counts[what] += 1
        self.tell(sign, calendar, label, words)

    def tell(self, sign: str, calendar: str, label: str, words: Sequence[str] = ()) -> None:
        """Tell one change where details are wanted, with what changes in words."""
        if self.detail:
            self.emit(Planned(self.step, calendar, sign, label, tuple(words)))

    def note(self, level: Level, text: str, item: str | None = None) -> None:
        """Tell something that a person should know of, perhaps of one item of this name."""
        self.emit(Noted(self.step, level, text, item))

    def fail(self, error: CaldavRunError, place: str, item: str | None = None) -> None:
        """Take a failure, perhaps of one item of this name, into the exit status and tell it."""
        self.failures.append(error.exit_status)
        self.note(Level.ERROR, f"{place}: {error}", item)

    def state(self) -> State:
        """Return how the step ended, seen from its counts."""
        if any(status not in _HARMLESS for status in self.failures):
            return State.FAILED
        if self.guarded:
            return State.GUARDED
        if not self.counts:
            return State.OK if self.fed else State.SKIPPED
        return State.WOULD_CHANGE if self.dry else State.CHANGED

    def summary(self) -> str:
        """Return what the step did, in words."""
        words = ", ".join(_counted(count, what) for what, count in self.counts.items())
        stored = (f"{self.stored:,} bytes stored",) if self.stored else ()
        nothing = "nothing to change" if self.fed else "nothing was read"
        if self.failures:
            nothing = "nothing was written"
        stood = (_counted(count, what) for what, count in self.stood.items())
        return ", ".join((words or nothing, *stood, *self.remarks, *stored))


def _counted(count: int, what: str) -> str:
    return "1 calendar" if (count, what) == (1, "calendars") else f"{count:,} {what}"


class Recipient(Protocol):
    """One sink's end of one source's stream."""

    tally: Tally
    chain: Sequence[Link]

    @property
    def held(self) -> Held | None:
        """What the sink holds of the account; None for a sink without memory."""

    def start(self, calendar: Calendar) -> None:
        """Take notice that this calendar's items follow."""

    def exclude(self, calendar: Calendar) -> None:
        """Take notice that this calendar is not selected."""

    def changed(self, view: ItemView, verdict: Verdict) -> None:
        """Take an item that was read."""

    def unchanged(self, calendar: str, href: str) -> None:
        """Take notice that an item is as the ledger holds it."""

    def failed(self, calendar: str, href: str | None, reason: str) -> None:
        """Take notice that an item, or the rest of a calendar, could not be read."""

    def gone(self, calendar: str, href: str) -> None:
        """Take notice that an item is no longer there."""

    def synced(self, calendar: str, mark: Mark) -> int:
        """Take notice that all else is as it was; return how many held items were not named."""

    def done(self, calendar: str, mark: Mark | None) -> None:
        """Take notice that every item of this calendar was named."""

    def withheld(self, calendar: str) -> None:
        """Take notice that a filter had left out members of this calendar before it was read."""

    def expected(self, *, complete: bool) -> int | None:
        """Return how many items the selected calendars had before; None when not known."""

    def finish(self, *, complete: bool, guarded: bool) -> None:
        """Write what is left to write; `complete` when the source was read to its end."""

    def abandon(self) -> None:
        """Let go without writing any more."""
