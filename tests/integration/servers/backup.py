"""Backs up calendars of one account into a repository, as a run of a pipeline does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.engine.guard import Expectation
from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.run import run
from caldav_run.model import Item
from caldav_run.testing.holding import Holding, sink
from caldav_run.testing.servers import Server
from caldav_run.testing.vault import Vault

ACCOUNT = "cloud"


@dataclass
class Backup:
    """One repository for one account.

    Attributes:
        server: The account.
        folder: An empty folder for everything.
        calendars: The ids of the calendars that are backed up.
    """

    server: Server
    folder: Path
    calendars: Sequence[str]
    _count: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Make the repository."""
        self.vault = self._vault("repository")
        self.origin = ""

    def run(self) -> int:
        """Run once and return the exit status."""
        return self._run(self.vault)

    def held(self) -> Mapping[str, Item]:
        """Return the items of the newest snapshot, by href; all calendars in one."""
        found = self._bodies()
        return {each.href: each for each in found}

    def holding(self) -> Holding:
        """Return all that the newest snapshot holds, in a form that can be compared."""
        return Holding.of(self.vault, ACCOUNT, self.origin)

    def unread(self) -> Mapping[str, str]:
        """Return the items that could not be read, with the calendar they lie in."""
        with self.vault.opened(ACCOUNT, self.origin) as opened:
            return {
                href: calendar
                for calendar in self.calendars
                for href, entry in opened.ledger.entries(calendar).items()
                if entry.unread
            }

    def full(self) -> Holding:
        """Back up into one more, new repository, and return what that holds."""
        self._count += 1
        vault = self._vault(f"full-{self._count}")
        assert self._run(vault) == 0
        return Holding.of(vault, ACCOUNT, self.origin)

    def _bodies(self) -> list[Item]:
        reader = self.vault.reader()
        bodies = reader.bodies(reader.items(reader.resolve("latest", ACCOUNT)))
        return [each for each in bodies if isinstance(each, Item)]

    def _run(self, vault: Vault) -> int:
        vault.clock.forward(minutes=1)
        context = Context(
            name=ACCOUNT,
            pipeline="test",
            timezone=UTC,
            now=vault.clock.now,
            state_dir=vault.state,
        )
        source = CaldavSource.from_options(
            {**self.server.options, "calendars": list(self.calendars)}, context
        )
        job = Job(
            name="test",
            sources=(NamedSource(ACCOUNT, source),),
            filters=(),
            sinks=(NamedSink("vault", sink(vault), ()),),
            expect=Expectation(),
            timezone=UTC,
            now=vault.clock.now,
        )
        try:
            self.events: list[object] = []
            status = run(job, self.events.append)
            self.origin = source.origin()
        finally:
            source.close()
        return status

    def _vault(self, name: str) -> Vault:
        folder = self.folder / name
        folder.mkdir()
        return Vault(folder)
