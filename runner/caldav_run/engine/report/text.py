"""The events of a run as plain lines."""

from collections import Counter

from caldav_run.engine.events import (
    Event,
    Level,
    Noted,
    Planned,
    RunFinished,
    RunStarted,
    State,
    StepFinished,
)
from caldav_run.engine.outcome import ExitStatus

_MEANING = {
    ExitStatus.DONE: "done",
    ExitStatus.FAILED: "failed",
    ExitStatus.PARTIAL: "done in part",
    ExitStatus.GUARDED: "held back by a guard, nothing destroyed",
    ExitStatus.TEMPORARY: "failed for now, try again",
    ExitStatus.ACCESS: "failed, access refused",
    ExitStatus.SETUP: "failed, the set-up is not right",
    ExitStatus.INTERRUPTED: "interrupted",
}


def line(event: Event) -> str | None:
    """Return the event as one line, or None for an event that has none."""
    match event:
        case RunStarted(pipeline, True, _):
            return f"{pipeline}: planning, nothing will be written"
        case RunStarted(pipeline, _, _):
            return f"{pipeline}: running"
        case StepFinished():
            return f"{event.step}: {event.state}: {event.summary}"
        case Noted():
            level = "" if event.level is Level.INFO else f"{event.level}: "
            return f"{level}{event.text}"
        case Planned():
            return f"{event.sign} {event.calendar}: {event.label}".rstrip(": ")
        case _:
            return None


class Recap:
    """Gathers what the last line of a run says."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._states: Counter[State] = Counter()
        self._levels: Counter[Level] = Counter()

    @property
    def changed(self) -> bool:
        """Whether a step changed anything, or would."""
        return bool(self._states[State.CHANGED] or self._states[State.WOULD_CHANGE])

    def take(self, event: Event) -> None:
        """Take one event into account."""
        if isinstance(event, StepFinished):
            self._states[event.state] += 1
        elif isinstance(event, Noted):
            self._levels[event.level] += 1

    def line(self, finished: RunFinished) -> str:
        """Return the recap: how the run ended, its steps by state, what was noted."""
        meaning = _MEANING.get(ExitStatus(finished.status), "done")
        parts = [f"{count} {state}" for state, count in self._states.items() if count]
        for level, noun in ((Level.WARNING, "warning"), (Level.ERROR, "error")):
            if count := self._levels[level]:
                parts.append(f"{count} {noun}" if count == 1 else f"{count} {noun}s")
        steps = f" ({', '.join(parts)})" if parts else ""
        status = f", exit status {finished.status}" if finished.status else ""
        return f"{finished.pipeline}: {meaning}{steps}{status}"
