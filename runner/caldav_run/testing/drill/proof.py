"""Level 4 of checks: restore a snapshot onto a scratch server, read it back, and prove it."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from caldav_run import __version__
from caldav_run.connectors.protocol import Context
from caldav_run.connectors.selection import Selection
from caldav_run.connectors.sinks.caldav import CaldavSink
from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.engine.events import Emit
from caldav_run.engine.guard import Expectation
from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.outcome import ExitStatus
from caldav_run.engine.run import run
from caldav_run.engine.spool import Spool
from caldav_run.repository.reader import Reader
from caldav_run.repository.snapshots import SnapshotInfo
from caldav_run.testing.drill.compare import Comparison
from caldav_run.testing.drill.given import Given
from caldav_run.testing.drill.scratch import Scratch
from caldav_run.testing.servers import embedded_radicale


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a drill has shown.

    Attributes:
        repository: The repository's id.
        account: Whose snapshot.
        snapshot: Its id.
        taken: When it was taken.
        signer: The fingerprint of who signed it.
        calendars: How many calendars came back.
        items: How many items the snapshot gave.
        size: Their bytes.
        stale: How many of them were last read before the snapshot.
        instances: How many masters and overrides came back.
        levels: How many items came back equal at each level of fidelity.
        deviations: What L3 tolerated, by rule.
        refused: What the server did not take, with its words.
        unread: What the repository could not give.
        differences: What came back otherwise.
        problems: What is damaged in the repository.
        server: The scratch server and its version.
        program: This program and its version.
        time: When the drill began.
        seconds: How long it took.
    """

    repository: str
    account: str
    snapshot: str
    taken: datetime
    signer: str | None
    calendars: int
    items: int
    size: int
    stale: int
    instances: int
    levels: Mapping[str, int]
    deviations: Mapping[str, int]
    refused: Mapping[str, str]
    unread: Mapping[str, str]
    differences: tuple[str, ...]
    problems: tuple[str, ...]
    server: str
    program: str
    time: datetime
    seconds: float

    @property
    def status(self) -> ExitStatus:
        """Done, partial where something was refused or unread, failed where anything differs."""
        if self.differences or self.problems:
            return ExitStatus.FAILED
        return ExitStatus.PARTIAL if self.refused or self.unread else ExitStatus.DONE

    @property
    def document(self) -> dict[str, Any]:
        """The proof as JSON takes it."""
        told = asdict(self)
        times = {key: told[key].isoformat() for key in ("taken", "time")}
        return {**told, **times, "status": int(self.status)}


def drill(
    reader: Reader, snapshot: SnapshotInfo, selection: Selection, folder: Path, emit: Emit
) -> Proof:
    """Restore a snapshot onto a server of its own, read it back, and compare.

    Args:
        reader: The repository.
        snapshot: What to restore.
        selection: Which calendars of it.
        folder: An empty folder, for the server.
        emit: Told how the restore goes.

    Raises:
        SetupError: Radicale is not installed.
        DamageError: The snapshot cannot be read.
        KeyboardInterrupt: Somebody stopped it; the server has gone.
    """
    began, started = datetime.now(UTC), time.monotonic()
    # What cannot be read at all needs no server.
    reader.calendars(snapshot)
    with ExitStack() as stack:
        server = stack.enter_context(embedded_radicale(folder / "server"))
        given = Given(reader, snapshot, selection, stack.enter_context(Spool()))
        context = Context(
            name=snapshot.account, pipeline="drill", timezone=UTC, now=began, state_dir=folder
        )
        # The scratch server mails nobody.
        options = {**server.options, "scheduling": "allow"}
        scratch = Scratch(CaldavSink.from_options(options, context))
        _restore(given, scratch, context, emit)
        back = CaldavSource.from_options(server.options, context)
        comparison = Comparison()
        try:
            comparison.read_back(back, given, scratch)
        finally:
            back.close()
    refused = _refused(given, scratch)
    return Proof(
        repository=reader.repository,
        account=snapshot.account,
        snapshot=snapshot.id,
        taken=snapshot.time,
        signer=reader.signer(snapshot),
        calendars=comparison.calendars,
        items=len(given.items),
        size=given.size,
        stale=given.stale,
        instances=comparison.instances,
        levels=dict(comparison.levels),
        deviations=dict(comparison.deviations),
        refused=refused,
        unread={each.place: each.reason for each in given.unread},
        differences=tuple(comparison.differences),
        problems=tuple(str(each) for each in reader.problems),
        server=f"Radicale {version('radicale')}",
        program=f"caldav-run {__version__}",
        time=began,
        seconds=round(time.monotonic() - started, 2),
    )


def _restore(given: Given, scratch: Scratch, context: Context, emit: Emit) -> None:
    job = Job(
        name="drill",
        sources=(NamedSource(given.account, given),),
        filters=(),
        sinks=(NamedSink("scratch server", scratch),),
        expect=Expectation(),
        timezone=context.timezone,
        now=context.now,
    )
    if run(job, emit) == ExitStatus.INTERRUPTED:
        raise KeyboardInterrupt


def _refused(given: Given, scratch: Scratch) -> dict[str, str]:
    """Return what the server did not take, with its words; empty calendars too."""
    taken = {key for keys in scratch.taken.values() for key in keys}
    refused = {f"{calendar}/": words for calendar, words in scratch.refused_calendars.items()}
    for key in given.items:
        if key not in taken:
            whole = scratch.refused_calendars.get(key[0], "it was not written")
            refused["/".join(key)] = scratch.refused.get(key, whole)
    return refused
