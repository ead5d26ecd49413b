"""The events of a run as one JSON document."""

from dataclasses import asdict
from typing import Any

from caldav_run.engine.events import (
    Deviated,
    Event,
    Noted,
    Planned,
    RunFinished,
    RunStarted,
    Step,
    StepFinished,
)


class Document:
    """Gathers a run's events; `value` is what `--output json` prints."""

    def __init__(self) -> None:
        """Start an empty document."""
        self.value: dict[str, Any] = {
            "pipeline": "",
            "dry": False,
            "status": None,
            "steps": [],
            "changes": [],
            "deviations": [],
            "notes": [],
            "undo": None,
        }

    def take(self, event: Event) -> None:
        """Take one event into the document."""
        match event:
            case RunStarted():
                self.value |= {"pipeline": event.pipeline, "dry": event.dry}
            case StepFinished():
                self._append("steps", event.step, _ended(event))
            case Planned():
                change = {
                    "calendar": event.calendar,
                    "sign": event.sign,
                    "label": event.label,
                    "changes": list(event.changes),
                }
                self._append("changes", event.step, change)
            case Deviated():
                members = asdict(event)
                del members["step"]
                self._append("deviations", event.step, members)
            case Noted():
                self._append("notes", event.step, _note(event))
            case RunFinished():
                self.value["status"] = event.status
            case _:
                pass

    def _append(self, to: str, step: Step, members: dict[str, Any]) -> None:
        self.value[to].append({"step": {"kind": step.kind, "name": step.name}} | members)


def _ended(event: StepFinished) -> dict[str, Any]:
    members = {
        "state": event.state,
        "summary": event.summary,
        "counts": {**event.counts, **event.stood},
    }
    return members | ({"verified": dict(event.verified)} if event.verified else {})


def _note(event: Noted) -> dict[str, Any]:
    item = {} if event.item is None else {"item": event.item}
    return {"level": event.level, "text": event.text, **item}
