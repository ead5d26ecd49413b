"""Read one source once: judge each item, hand it to every sink, count what came."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from caldav_run import shelf
from caldav_run.engine.events import Emit, Level, Noted, Progress, Step
from caldav_run.engine.judge import Link, judge
from caldav_run.engine.left_out import LeftOut
from caldav_run.engine.outcome import ExitStatus
from caldav_run.engine.recipient import Recipient
from caldav_run.errors import CaldavRunError
from caldav_run.ical.view import ItemView
from caldav_run.model import (
    Calendar,
    CalendarDone,
    CalendarExcluded,
    CalendarStart,
    CalendarSynced,
    Changed,
    Failed,
    Gone,
    Item,
    Mark,
    Reading,
    Unchanged,
)

# Telling each item would cost more than reading it.
_PROGRESS_EVERY = 64


class AccountReading:
    """One pass over a source.

    Attributes:
        recipients: The sinks that are still being fed; one that fails is taken out.
        items: How many items were named, before filters.
        read: How many of them were read, not only named.
        calendars: How many calendars were named and selected.
        unselected: The titles of the calendars that were not selected.
        failed: How many items could not be read.
        failed_calendars: How many calendars could not be read as a whole.
    """

    def __init__(
        self,
        source: str,
        filters: Sequence[Link],
        recipients: Sequence[Recipient],
        now: datetime,
        tell: tuple[Step, Emit],
    ) -> None:
        """Take the source's name, the common filters, the sinks' ends and the step to tell of."""
        self.recipients = list(recipients)
        self.items = self.read = self.calendars = self.failed = self.failed_calendars = 0
        self.unselected: list[str] = []
        self._source = source
        self._filters = filters
        self._now = now
        self._step, self._emit = tell
        self._calendar = Calendar(id="")
        self._left_out = LeftOut()

    def consume(self, readings: Iterable[Reading]) -> CaldavRunError | None:
        """Take readings to their end, or until no sink is left.

        Returns:
            The error that ended the source early, or None.
        """
        try:
            for reading in readings:
                self._take(reading)
                if not self.recipients:
                    break
        except CaldavRunError as error:
            return error
        return None

    def before(self, *, complete: bool) -> int | None:
        """Return how many items the account had at its last snapshot; None when not known."""
        counts = [each.expected(complete=complete) for each in self.recipients]
        return max((count for count in counts if count is not None), default=None)

    @property
    def failures(self) -> list[int]:
        """The exit statuses of what could not be read."""
        return [ExitStatus.PARTIAL] if self.failed or self.failed_calendars else []

    def summary(self, as_of: datetime | None) -> str:
        """Return what was read, in words, with its age where it is not of now."""
        words = f"{_plural(self.items, 'item')} in {_plural(self.calendars, 'calendar')}"
        if self.read != self.items:
            words += f", {self.read} read anew"
        if self.failures:
            words += f", not readable: {_plural(self.failed, 'item')}"
            words += f" and {_plural(self.failed_calendars, 'calendar')}"
        if as_of is not None:
            words += f", as of {as_of:%Y-%m-%d %H:%M:%S} UTC"
        return words

    def counts(self) -> dict[str, int]:
        """Return what was read, as numbers."""
        return {
            "calendars": self.calendars,
            "items": self.items,
            "read": self.read,
            "failed": self.failed,
            "failed_calendars": self.failed_calendars,
        }

    def _take(self, reading: Reading) -> None:
        match reading:
            case Changed(item):
                self._changed(item)
            case Unchanged(held_in, held):
                self._one_more()
                self._each(lambda sink: sink.unchanged(held_in, held))
            case CalendarStart(calendar, note):
                self._start(calendar, note)
            case CalendarDone(done, mark, filtered):
                if filtered:
                    self._each(lambda sink: sink.withheld(done))
                self._each(lambda sink: sink.done(done, mark))
            case _:
                self._take_rarer(reading)

    def _take_rarer(self, reading: Gone | CalendarExcluded | CalendarSynced | Failed) -> None:
        match reading:
            case Gone(left, gone):
                self._each(lambda sink: sink.gone(left, gone))
            case CalendarExcluded(excluded):
                self.unselected.append(excluded.title)
                self._each(lambda sink: sink.exclude(excluded))
            case CalendarSynced(synced, reached):
                self._synced(synced, reached)
            case Failed():
                self._failed(reading.calendar, reading.href, reading.reason)

    def _start(self, calendar: Calendar, note: str | None) -> None:
        self.calendars += shelf.is_calendar(calendar.id)
        self._calendar = calendar
        if note is not None:
            place = f"{self._source}/{calendar.title}"
            self._emit(Noted(self._step, Level.WARNING, f"{place}: {note}"))
        self._each(lambda sink: sink.start(calendar))

    def _changed(self, item: Item) -> None:
        self._one_more()
        self.read += 1
        view = ItemView(item, self._calendar, self._source)
        if item.calendar == shelf.ID:
            self._each(lambda sink: sink.changed(view, self._left_out.verdict(sink, item)))
            return
        common = judge(self._filters, view, self._now)
        self._warn(item, common.problems)

        def hand_over(sink: Recipient) -> None:
            verdict = judge(sink.chain, view, self._now, common)
            self._warn(item, verdict.problems[len(common.problems) :])
            self._left_out.note(sink, item, verdict)
            sink.changed(view, verdict)

        self._each(hand_over)

    def _synced(self, calendar: str, mark: Mark) -> None:
        """Count what is there without being named, which any sink knows."""
        unnamed = [0]
        self._each(lambda sink: unnamed.append(sink.synced(calendar, mark)))
        self.items += max(unnamed)

    def _failed(self, calendar: str, href: str | None, reason: str) -> None:
        if href is None:
            self.failed_calendars += 1
        else:
            self.failed += 1
            self._one_more()
        title = self._calendar.title if self._calendar.id == calendar else calendar
        place = "/".join(part for part in (self._source, title, href) if part)
        self._emit(Noted(self._step, Level.ERROR, f"{place}: {reason}"))
        self._each(lambda sink: sink.failed(calendar, href, reason))

    def _warn(self, item: Item, problems: Iterable[str]) -> None:
        for problem in problems:
            place = f"{self._source}/{self._calendar.title}/{item.href}"
            self._emit(Noted(self._step, Level.WARNING, f"{place}: kept, though {problem}"))

    def _one_more(self) -> None:
        self.items += 1
        if self.items % _PROGRESS_EVERY == 0:
            self._emit(Progress(self._step, self.items))

    def _each(self, hand_over: Callable[[Recipient], None]) -> None:
        for sink in tuple(self.recipients):
            try:
                hand_over(sink)
            except CaldavRunError as error:
                self.recipients.remove(sink)
                sink.abandon()
                sink.tally.fail(error, sink.tally.step.name)


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
