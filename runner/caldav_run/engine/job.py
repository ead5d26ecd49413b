"""A pipeline that is ready to run."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Protocol

from caldav_run.connectors.protocol import Sink, Source
from caldav_run.engine.guard import Expectation
from caldav_run.engine.journal import Journal
from caldav_run.engine.judge import Link


@dataclass(frozen=True, slots=True)
class NamedSource:
    """A source and its name in the pipeline."""

    name: str
    source: Source


@dataclass(frozen=True, slots=True)
class NamedSink:
    """A sink, its name in the pipeline and its own filters, which come after the common ones."""

    name: str
    sink: Sink
    filters: tuple[Link, ...] = ()


class Safety(Protocol):
    """Keeps what a destination holds before anything of it is replaced or deleted."""

    def protect(self, sink: str) -> None:
        """Take a snapshot of the destination of the sink of that name; once in a run.

        Raises:
            ConnectorError: It cannot be taken; nothing may be replaced or deleted then.
        """

    def unsaved(self, sink: str, calendar: str, href: str | None) -> bool:
        """Return whether an item could not be read when the destination was saved.

        Args:
            sink: The name of the sink; `protect` was asked before.
            calendar: The id of the item's calendar.
            href: The item's name there; None for any of its items.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What one pipeline file asks for.

    Attributes:
        name: The pipeline's name.
        sources: The sources, in order.
        filters: The common filters, in order.
        sinks: The sinks, in order.
        expect: The guards.
        timezone: Where dates and floating times lie.
        now: The start of the run, in UTC.
        dry: Whether to write nothing.
        detail: Whether to tell every change, not only to count.
        diff: Whether to tell in what each item would change, too.
        left_out: Names of sources that the pipeline has and that are not read this time.
        state_dir: The folder for what is safe to lose; None to remember nothing.
        safety: What saves a destination before it is written over; None to save nothing.
        journal: Where writes are written down, for `undo`; None to write nothing down.
    """

    name: str
    sources: tuple[NamedSource, ...]
    filters: tuple[Link, ...]
    sinks: tuple[NamedSink, ...]
    expect: Expectation
    timezone: tzinfo
    now: datetime
    dry: bool = False
    detail: bool = False
    diff: bool = False
    left_out: tuple[str, ...] = ()
    state_dir: Path | None = None
    safety: Safety | None = None
    journal: Journal | None = None

    def links(self) -> tuple[Link, ...]:
        """Return every filter of the pipeline: the common ones, then each sink's own."""
        return (*self.filters, *(link for sink in self.sinks for link in sink.filters))
