"""A snapshot of a destination, taken before a run replaces or deletes anything there."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Final, NamedTuple, Protocol

from caldav_run.connectors.protocol import Archive, Baseline, Source
from caldav_run.engine.events import Event, Level, Noted
from caldav_run.engine.guard import Expectation
from caldav_run.engine.identity import saved_as
from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.journal import Journal, Saved
from caldav_run.engine.outcome import ExitStatus
from caldav_run.engine.run import run
from caldav_run.engine.trail import spelled_out
from caldav_run.errors import CaldavRunError, ConnectorError
from caldav_run.model import Failed, Reading
from caldav_run.repository.references import SAFETY

# An item that cannot be read is no reason to change nothing at all: it alone stays as it is.
_SAVED: Final = (ExitStatus.DONE, ExitStatus.PARTIAL)
_MEND: Final = "nothing is replaced or deleted without one; `safety_snapshot` says where it goes"


class Vault(Archive, Protocol):
    """A repository that tells what it holds after a commit."""

    def head(self, account: str) -> str | None:
        """Return the id of the account's newest snapshot."""


class Missed:
    """What could not be read of a destination when it was saved."""

    def __init__(self) -> None:
        """Know of nothing yet."""
        self._names: dict[str, set[str | None]] = {}

    def add(self, failed: Failed) -> None:
        """Remember an item, or the rest of a calendar."""
        name = None if failed.href is None else spelled_out(failed.href)
        self._names.setdefault(failed.calendar, set()).add(name)

    def holds(self, calendar: str, href: str | None) -> bool:
        """Return whether an item is among it; with `href` None, anything of the calendar."""
        names = self._names.get(saved_as(calendar, self._names), set())
        if href is None:
            return bool(names)
        return None in names or spelled_out(href) in names


class Watched:
    """A source as it is, and what of it could not be read; see `connectors.protocol.Source`."""

    def __init__(self, source: Source) -> None:
        """Take the source."""
        self.account = source.account
        self.selection = source.selection
        self.as_of = source.as_of
        self.origin = source.origin
        self.close = source.close
        self.missed = Missed()
        self._source = source

    def read(self, baseline: Baseline) -> Iterator[Reading]:
        """Yield what the source does."""
        for each in self._source.read(baseline):
            if isinstance(each, Failed):
                self.missed.add(each)
            yield each


class Taken(NamedTuple):
    """A safety snapshot: where it is, and what is not in it as it was then."""

    saved: Saved
    missed: Missed


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """How one destination is saved.

    Attributes:
        name: The destination's name.
        origin: Tells what it is.
        sink: The snapshot sink of the pipeline; None for the repository in the state folder.
        source: Makes what reads the destination, given the account's name.
        vault: Makes what it is written into.
        timezone: The pipeline's time zone.
        now: The start of the run, in UTC.
    """

    name: str
    origin: Callable[[], str]
    sink: str | None
    source: Callable[[str], Source]
    vault: Callable[[], Vault]
    timezone: tzinfo
    now: datetime

    def take(self) -> Taken:
        """Take the snapshot; only what is new since the last one is stored.

        Raises:
            ConnectorError: It could not be taken.
        """
        # Another account under the same name is another history.
        origin = hashlib.sha256(self.origin().encode()).hexdigest()[:8]
        account = f"{SAFETY}{self.name}-{origin}"
        try:
            vault = self.vault()
            source = Watched(self.source(account))
        except CaldavRunError as error:
            raise ConnectorError(
                f"no safety snapshot can be taken: {error.message}", mend=error.mend or _MEND
            ) from error
        told: list[str] = []

        def hear(event: Event) -> None:
            if isinstance(event, Noted) and event.level is Level.ERROR:
                told.append(event.text)

        job = Job(
            name=f"safety of {self.name}",
            sources=(NamedSource(account, source),),
            filters=(),
            sinks=(NamedSink(self.sink or "local", vault),),
            expect=Expectation(),
            timezone=self.timezone,
            now=self.now,
        )
        status = run(job, hear)
        if status == ExitStatus.INTERRUPTED:
            raise KeyboardInterrupt
        snapshot = vault.head(account)
        if status not in _SAVED or snapshot is None:
            why = "; ".join(told) or f"exit status {status}"
            raise ConnectorError(f"no safety snapshot was taken: {why}", mend=_MEND)
        saved = Saved(sink=self.sink, account=account, snapshot=snapshot)
        return Taken(saved, source.missed)


@dataclass(slots=True, kw_only=True)
class Safeties:
    """How each destination of a run is saved, and which are; see `engine.job.Safety`.

    Attributes:
        known: How, by the destinations' names; what is not in it is not saved.
        journal: Where it is written down.
    """

    known: dict[str, Safety]
    journal: Journal
    _done: dict[str, ConnectorError | None] = field(default_factory=dict)
    _missed: dict[str, Missed] = field(default_factory=dict)

    def protect(self, sink: str) -> None:
        """Save a destination, once.

        Raises:
            ConnectorError: It could not be saved, now or when it was tried first.
        """
        if sink in self.known and sink not in self._done:
            try:
                taken = self.known[sink].take()
                self.journal.saved(sink, taken.saved)
                self._missed[sink] = taken.missed
                self._done[sink] = None
            except ConnectorError as error:
                self._done[sink] = error
        problem = self._done.get(sink)
        if problem is not None:
            raise problem

    def unsaved(self, sink: str, calendar: str, href: str | None) -> bool:
        """Return whether an item could not be read when its destination was saved."""
        return sink in self._missed and self._missed[sink].holds(calendar, href)
