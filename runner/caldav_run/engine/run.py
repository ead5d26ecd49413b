"""Execute one pipeline: read each source once, let filters judge, feed every sink."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from caldav_run.connectors.mirroring import Mirror
from caldav_run.connectors.protocol import Archive
from caldav_run.engine.account import AccountReading
from caldav_run.engine.archive import ArchiveRecipient
from caldav_run.engine.events import (
    Emit,
    Level,
    Noted,
    RunFinished,
    RunStarted,
    State,
    Step,
    StepFinished,
    StepStarted,
)
from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.ledger import SharedBaseline, fingerprint
from caldav_run.engine.outcome import ExitStatus, combine
from caldav_run.engine.recipient import Recipient, Tally
from caldav_run.errors import CaldavRunError

if TYPE_CHECKING:
    from caldav_run.engine.mirroring import MirrorRun

_MOST_TITLES: Final = 10


def run(job: Job, emit: Emit) -> int:
    """Run the job to its end and return its exit status.

    One bad item, calendar, source or sink never stops the rest; all of them are told through
    `emit`. `KeyboardInterrupt` ends the run with 130: what was not committed is let go.
    """
    try:
        status = _Run(job, emit).execute()
    except KeyboardInterrupt:
        status = ExitStatus.INTERRUPTED
    emit(RunFinished(job.name, status))
    return status


class _Run:
    """One execution: what its steps have come to so far."""

    def __init__(self, job: Job, emit: Emit) -> None:
        self._job = job
        self._emit = emit
        self._failures: list[int] = []
        self._results: dict[str, str] = {}
        self._mirrors: dict[str, MirrorRun] = {}
        self._tallies = {
            each.name: Tally(Step("write", each.name), emit, dry=job.dry, detail=job.detail)
            for each in job.sinks
        }

    def execute(self) -> int:
        job = self._job
        reads = [Step("read", each.name) for each in job.sources]
        judges = [Step("filter", link.name) for link in job.links()]
        writes = [tally.step for tally in self._tallies.values()]
        self._emit(RunStarted(job.name, job.dry, (*reads, *judges, *writes)))
        try:
            for each, step in zip(job.sources, reads, strict=True):
                self._emit(StepStarted(step))
                self._read(each, step)
            self._finish_filters()
            self._mirror()
        finally:
            self._close()
        self._finish_sinks()
        return combine(self._failures)

    def _read(self, named: NamedSource, step: Step) -> None:
        """Read one source into every sink that can take it."""
        source = named.source
        try:
            origin = source.origin()
        except CaldavRunError as error:
            self._source_failed(named, step, error)
            return
        recipients = self._open(named, origin)
        if not recipients:
            self._results[source.account] = "skipped"
            self._emit(StepFinished(step, State.SKIPPED, "no sink can take it"))
            return
        baseline = SharedBaseline([each.held for each in recipients], self._job.now.timestamp())
        reading = AccountReading(
            named.name, self._job.filters, recipients, self._job.now, (step, self._emit)
        )
        try:
            broken = reading.consume(source.read(baseline))
            self._settle(named, step, reading, broken)
        except BaseException:
            for recipient in recipients:
                recipient.abandon()
            raise

    def _settle(
        self, named: NamedSource, step: Step, reading: AccountReading, error: CaldavRunError | None
    ) -> None:
        """Ask the guard, let every sink write what is left, and tell how the reading went."""
        self._failures.extend(reading.failures)
        if error is None and not reading.recipients:
            # Reading stopped there, so that counts say nothing of the source.
            self._results[named.source.account] = "skipped"
            self._emit(StepFinished(step, State.SKIPPED, "no sink could take it to its end"))
            return
        complete = error is None
        objection = None
        if complete:
            before = reading.before(complete=complete)
            objection = self._job.expect.objection(reading.items, before)
        for recipient in reading.recipients:
            self._finish(recipient, complete=complete, guarded=objection is not None)
        if error is not None:
            self._source_failed(named, step, error)
            return
        state = State.FAILED if reading.failed_calendars else State.OK
        result = "partial" if reading.failures else "ok"
        if objection is not None:
            self._failures.append(ExitStatus.GUARDED)
            self._emit(Noted(step, Level.ERROR, f"{named.name}: {objection}"))
            state, result = State.GUARDED, "guarded"
        elif not reading.calendars and reading.unselected:
            self._emit(Noted(step, Level.WARNING, _none_selected(named.name, reading.unselected)))
        self._results[named.source.account] = result
        self._emit(StepFinished(step, state, reading.summary(named.source.as_of), reading.counts()))

    def _finish(self, recipient: Recipient, *, complete: bool, guarded: bool) -> None:
        """Let one sink write what is left; when it fails that is told, and the others go on."""
        recipient.tally.guarded |= guarded
        try:
            recipient.finish(complete=complete, guarded=guarded)
        except CaldavRunError as error:
            recipient.abandon()
            recipient.tally.fail(error, recipient.tally.step.name)

    def _source_failed(self, named: NamedSource, step: Step, error: CaldavRunError) -> None:
        self._failures.append(error.exit_status)
        self._results[named.source.account] = f"failed: {error.message}"
        self._emit(Noted(step, Level.ERROR, f"{named.name}: {error}"))
        self._emit(StepFinished(step, State.FAILED, "not read to its end"))

    def _open(self, named: NamedSource, origin: str) -> list[Recipient]:
        """Open every sink for one source; one that refuses is told and left out."""
        recipients: list[Recipient] = []
        for sink in self._job.sinks:
            try:
                recipients.append(self._recipient(sink, named, origin))
                self._tallies[sink.name].fed = True
            except CaldavRunError as error:
                self._tallies[sink.name].fail(error, sink.name)
        return recipients

    def _recipient(self, named: NamedSink, origin_of: NamedSource, origin: str) -> Recipient:
        sink, source, tally = named.sink, origin_of.source, self._tallies[named.name]
        if isinstance(sink, Archive):
            chain = [link.filter for link in (*self._job.filters, *named.filters)]
            made_by = fingerprint(origin_of.name, source.selection, chain, self._job.timezone)
            account = sink.open_account(source.account, origin)
            return ArchiveRecipient(account, named.filters, made_by, tally)
        return self._mirror_run(named, sink, tally).recipient(origin_of)

    def _mirror_run(self, named: NamedSink, mirror: Mirror, tally: Tally) -> "MirrorRun":
        # Brings the parser of items with it, which a backup does without.
        from caldav_run.engine.mirroring import MirrorRun

        if named.name not in self._mirrors:
            self._mirrors[named.name] = MirrorRun(mirror, named, self._job, tally)
        return self._mirrors[named.name]

    def _mirror(self) -> None:
        """Write what every source gave to the sinks that have a present state."""
        for name, each in self._mirrors.items():
            try:
                each.execute()
            except CaldavRunError as error:
                self._tallies[name].fail(error, name)

    def _finish_filters(self) -> None:
        for link in self._job.links():
            counts = {"kept": link.kept, "dropped": link.dropped}
            summary = f"{link.kept:,} kept, {link.dropped:,} left out"
            if not link.kept + link.dropped:
                summary = "nothing new to judge"
            self._emit(StepFinished(Step("filter", link.name), State.OK, summary, counts))

    def _finish_sinks(self) -> None:
        for tally in self._tallies.values():
            self._failures.extend(tally.failures)
            ended = StepFinished(
                tally.step,
                tally.state(),
                tally.summary(),
                tally.counts,
                tally.verified,
                tally.stood,
            )
            self._emit(ended)

    def _close(self) -> None:
        """Let go of everything; a repository's run record is written here, also for a failure."""
        for each in self._job.sources:
            each.source.close()
        for named in self._job.sinks:
            try:
                if isinstance(named.sink, Archive):
                    named.sink.close({} if self._job.dry else self._results)
                else:
                    named.sink.close()
            except CaldavRunError as error:
                self._tallies[named.name].fail(error, named.name)


def _none_selected(source: str, titles: Sequence[str]) -> str:
    """Say that a choice of calendars chooses none, as a misspelt one does."""
    shown = ", ".join(sorted(titles)[:_MOST_TITLES])
    more = ", ..." if len(titles) > _MOST_TITLES else ""
    return f"{source}: `calendars` selects none of those that are there: {shown}{more}"
