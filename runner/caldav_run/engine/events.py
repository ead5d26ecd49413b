"""The one stream of events that feeds every report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """How a step ended."""

    OK = "ok"
    CHANGED = "changed"
    SKIPPED = "skipped"
    WOULD_CHANGE = "would-change"
    FAILED = "failed"
    GUARDED = "guarded"


class Level(StrEnum):
    """How much a note matters: an error has its part in the exit status."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a run: read a source, apply a filter, write a sink."""

    kind: str
    name: str

    def __str__(self) -> str:
        """Return the words that a person sees."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run begins; with `dry` nothing will be written."""

    pipeline: str
    dry: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class StepStarted:
    """The step begins."""

    step: Step


@dataclass(frozen=True, slots=True)
class Progress:
    """The step has dealt with `items` items up to now."""

    step: Step
    items: int


@dataclass(frozen=True, slots=True)
class Planned:
    """One change that a sink makes, or with `dry` would make.

    `sign` is `+` new, `~` changed, `-` gone, `x` left out by a filter, `!` not readable or refused;
    `changes` says in what it changes, a phrase each, where that was asked for.
    """

    step: Step
    calendar: str
    sign: str
    label: str
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deviated:
    """One way in which what a destination holds is not what was written there.

    `href` is the item's name there; `rule` names what level L3 of fidelity tolerates, None is a
    loss; `place` is the component, and `before` and `after` are the property as it was written and
    as it came back, None for nothing.
    """

    step: Step
    calendar: str
    href: str
    label: str
    rule: str | None
    place: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that a person should know of; the run goes on.

    `item` is the name, in its calendar, of the one item that it is about.
    """

    step: Step
    level: Level
    text: str
    item: str | None = None


@dataclass(frozen=True, slots=True)
class StepFinished:
    """The step ended.

    `verified` counts what was read back after writing, `stood` what was left as it was.
    """

    step: Step
    state: State
    summary: str
    counts: Mapping[str, int] = field(default_factory=dict)
    verified: Mapping[str, int] = field(default_factory=dict)
    stood: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run ended with this exit status."""

    pipeline: str
    status: int


Event = (
    RunStarted | StepStarted | Progress | Planned | Deviated | Noted | StepFinished | RunFinished
)
Emit = Callable[[Event], None]
