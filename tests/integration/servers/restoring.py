"""Restores items out of a snapshot into a server, as a run of a pipeline does, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path

from tests.integration.servers.backup import ACCOUNT

from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sinks.caldav import CaldavSink
from caldav_run.connectors.sources.snapshot import SnapshotSource
from caldav_run.engine.events import Deviated, Event, Level, Noted, StepFinished
from caldav_run.engine.guard import Expectation
from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.run import run
from caldav_run.ical.version import version
from caldav_run.model import Calendar, Change, Item, Op, Provenance
from caldav_run.repository import keys
from caldav_run.testing.servers import Server
from caldav_run.testing.vault import Vault


@dataclass(frozen=True, slots=True)
class Told:
    """What a run said.

    Attributes:
        status: Its exit status.
        events: All of its events.
    """

    status: int
    events: tuple[Event, ...]

    def deviations(self) -> list[Deviated]:
        """Return each deviation."""
        return [each for each in self.events if isinstance(each, Deviated)]

    def failures(self) -> list[tuple[str, str]]:
        """Return the names of the items that something failed at, and what was told of each."""
        return [(each.item or "", each.text) for each in self._noted(Level.ERROR)]

    def doubts(self) -> list[str]:
        """Return what could not be decided, each in a line."""
        return [each.text for each in self._noted(Level.WARNING)]

    def counts(self) -> Mapping[str, int]:
        """Return how many items were written how."""
        (found,) = (
            each.counts
            for each in self.events
            if isinstance(each, StepFinished) and each.step.kind == "write"
        )
        return found

    def _noted(self, level: Level) -> list[Noted]:
        notes = (each for each in self.events if isinstance(each, Noted))
        return [each for each in notes if each.level is level]


class Snapshot:
    """A repository with one snapshot of one calendar."""

    def __init__(self, folder: Path, calendar: Calendar, items: Mapping[str, bytes]) -> None:
        """Make it.

        Args:
            folder: An empty folder.
            calendar: The calendar.
            items: What it holds, by name.
        """
        self._vault = Vault(folder)
        row = Change(op=Op.CALENDAR, calendar=calendar.id, properties=calendar)
        changes = (_added(calendar.id, name, body) for name, body in items.items())
        self._vault.run(row, *changes, account=ACCOUNT)

    def restore(self, server: Server, scheduling: str = "quiet") -> Told:
        """Restore it into an account and say what was told."""
        context = Context(
            name="vault",
            pipeline="restore",
            timezone=UTC,
            now=self._vault.clock.now,
            state_dir=self._vault.state,
            identities=(self._vault.keys / keys.IDENTITY,),
        )
        options = {"repository": str(self._vault.root), "account": ACCOUNT}
        source = SnapshotSource.from_options(options, context)
        sink = CaldavSink.from_options(
            {**server.options, "scheduling": scheduling}, replace(context, name="cloud")
        )
        job = Job(
            name="restore",
            sources=(NamedSource("vault", source),),
            filters=(),
            sinks=(NamedSink("cloud", sink, ()),),
            expect=Expectation(),
            timezone=UTC,
            now=context.now,
            state_dir=self._vault.state,
        )
        events: list[Event] = []
        return Told(run(job, events.append), tuple(events))


def _added(calendar: str, name: str, body: bytes) -> Change:
    item = Item(calendar, name, None, body, Provenance.REPORT)
    uid = version(body, name, None).uid
    return Change(op=Op.ADD, calendar=calendar, href=name, item=item, uid=uid)
