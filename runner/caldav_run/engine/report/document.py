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
                ended: dict[str, Any] = {"state": event.state, "summary": event.summary}
                ended["counts"] = {**event.counts, **event.stood}
                if event.verified:
                    ended["verified"] = dict(event.verified)
                self._append("steps", event.step, ended)
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
                self._append("notes", event.step, {"level": event.level, "text": event.text})
            case RunFinished():
                self.value["status"] = event.status
            case _:
                pass

    def _append(self, to: str, step: Step, members: dict[str, Any]) -> None:
        self.value[to].append({"step": {"kind": step.kind, "name": step.name}} | members)
