"""A job over memory sources and one real folder."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from caldav_run.connectors.protocol import Judgement, Sink
from caldav_run.engine.events import Event, Level, Noted, Planned, State, StepFinished
from caldav_run.engine.guard import Expectation
from caldav_run.engine.job import Job, NamedSink, NamedSource, Safety
from caldav_run.engine.judge import Link
from caldav_run.engine.run import run
from caldav_run.ical.view import ItemView
from caldav_run.testing.memory import MemorySource

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@dataclass
class Bench:
    """A job over memory sources and one folder, and the events of its last run."""

    folder: Path
    sink: Callable[[], Sink]
    source: MemorySource = field(default_factory=MemorySource)
    more: tuple[NamedSource, ...] = ()
    filters: tuple[Link, ...] = ()
    own_filters: tuple[Link, ...] = ()
    left_out: tuple[str, ...] = ()
    safety: Safety | None = None
    expect: Expectation = field(default_factory=Expectation)
    events: list[Event] = field(default_factory=list)

    def run(self, *, dry: bool = False) -> int:
        job = Job(
            name="test",
            sources=(NamedSource("here", self.source), *self.more),
            filters=self.filters,
            sinks=(NamedSink("there", self.sink(), self.own_filters),),
            expect=self.expect,
            timezone=UTC,
            now=NOW,
            dry=dry,
            detail=True,
            left_out=self.left_out,
            state_dir=self.folder.parent / "state",
            safety=self.safety,
        )
        self.events = []
        return run(job, self.events.append)

    def states(self) -> dict[str, State]:
        return {
            str(each.step): each.state for each in self.events if isinstance(each, StepFinished)
        }

    def notes(self, level: Level) -> list[str]:
        return [
            each.text for each in self.events if isinstance(each, Noted) and each.level is level
        ]

    def counts(self) -> dict[str, int]:
        (ended,) = (
            each
            for each in self.events
            if isinstance(each, StepFinished) and each.step.kind == "write"
        )
        return {**ended.counts, **ended.stood}

    def planned(self) -> list[str]:
        return [
            f"{each.sign} {each.calendar}: {each.label}"
            for each in self.events
            if isinstance(each, Planned)
        ]

    def files(self) -> list[str]:
        return sorted(str(each.relative_to(self.folder)) for each in self.folder.rglob("*.ics"))


class Keeps:
    """A filter that keeps what a test says, and fails where a test says."""

    fingerprint = "keeps"

    def __init__(self, keeps: Callable[[ItemView], bool], problem: str | None = None) -> None:
        self._keeps = keeps
        self._problem = problem

    def judge(self, view: ItemView, now: datetime) -> Judgement:
        del now
        return Judgement(self._keeps(view), problem=self._problem)


def keeping(keeps: Callable[[ItemView], bool], problem: str | None = None) -> tuple[Link, ...]:
    return (Link("1 keeps", Keeps(keeps, problem)),)
