"""The events of a run as plain lines."""

from collections import Counter
from typing import Final

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

_MEANING: Final = {
    ExitStatus.DONE: "done",
    ExitStatus.FAILED: "failed",
    ExitStatus.PARTIAL: "done in part",
    ExitStatus.GUARDED: "held back by a guard, nothing was destroyed",
    ExitStatus.TEMPORARY: "failed for now, try again later",
    ExitStatus.ACCESS: "failed, access was refused",
    ExitStatus.SETUP: "failed, the set-up is not right",
    ExitStatus.INTERRUPTED: "interrupted",
}
_WRITTEN: Final = frozenset({State.CHANGED, State.WOULD_CHANGE})


def line(event: Event) -> str | None:
    """Return the event as one line, or None for an event that has none."""
    text = _text(event)
    # A server's words may hold line ends, and must not look like a line of ours.
    return None if text is None else " ".join(text.split())


def _text(event: Event) -> str | None:
    match event:
        case RunStarted(pipeline, dry):
            return f"{pipeline}: {'planning, nothing will be written' if dry else 'running'}"
        case StepFinished():
            return f"{event.step} [{event.state}]: {event.summary}"
        case Noted(_, level, text):
            return text if level is Level.INFO else f"{level}: {text}"
        case Planned():
            what = f": {event.label}" if event.label else ""
            words = f": {', '.join(event.changes)}" if event.changes else ""
            return f"{event.sign} {event.calendar}{what}{words}"
        case _:
            return None


class Recap:
    """Gathers what the last line of a run says."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._dry = False
        self._read = self._changes = 0
        self._states: set[State] = set()
        self._levels: Counter[Level] = Counter()

    @property
    def changed(self) -> bool:
        """Whether a step changed anything, or would."""
        return bool(self._states & _WRITTEN)

    def take(self, event: Event) -> None:
        """Take one event into account."""
        match event:
            case RunStarted():
                self._dry = event.dry
            case Noted(_, level):
                self._levels[level] += 1
            case StepFinished(step, state, _, counts):
                self._states.add(state)
                if step.kind == "read":
                    self._read += counts.get("items", 0)
                elif step.kind in {"write", "undo"}:
                    self._changes += sum(counts.values())
            case _:
                pass

    def line(self, finished: RunFinished) -> str:
        """Return the recap: how the run ended, what it read and wrote, what was noted."""
        status = ExitStatus(finished.status)
        meaning = _MEANING.get(status, "failed")
        if self._dry and status is ExitStatus.DONE:
            meaning = "planned"
        parts = [f"{_counted(self._read, 'item')} read", self._written()]
        noted = {level: self._levels[level] for level in (Level.WARNING, Level.ERROR)}
        parts += [_counted(count, level) for level, count in noted.items() if count]
        if status is not ExitStatus.DONE:
            parts.append(f"exit status {status}")
        return f"{finished.pipeline}: {meaning}: {', '.join(parts)}"

    def _written(self) -> str:
        if not self._changes:
            return "nothing to write" if self._dry else "nothing written"
        return f"{_counted(self._changes, 'change')} {'to write' if self._dry else 'written'}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
