import json

from caldav_run.engine.events import (
    Deviated,
    Level,
    Noted,
    Planned,
    Progress,
    RunFinished,
    RunStarted,
    State,
    Step,
    StepFinished,
    StepStarted,
)
from caldav_run.engine.report.document import Document

READ, WRITE = Step("read", "cloud"), Step("write", "vault")


def test_a_run_becomes_one_document() -> None:
    document = Document()
    for event in (
        RunStarted("nightly", dry=True, steps=(READ, WRITE)),
        StepStarted(READ),
        Progress(READ, 64),
        Noted(READ, Level.WARNING, "odd"),
        Noted(WRITE, Level.ERROR, "not written", "a.ics"),
        Planned(WRITE, "Work", "+", "Lunch"),
        StepFinished(READ, State.OK, "65 items", {"items": 65}),
        Deviated(WRITE, "Work", "a.ics", "Lunch", "PRODID", "VCALENDAR", "PRODID:a", None),
        StepFinished(WRITE, State.WOULD_CHANGE, "1 added", {"added": 1}, {"equal": 1}),
        RunFinished("nightly", 3),
    ):
        document.take(event)
    assert json.loads(json.dumps(document.value)) == {
        "pipeline": "nightly",
        "dry": True,
        "status": 3,
        "steps": [
            {
                "step": {"kind": "read", "name": "cloud"},
                "state": "ok",
                "summary": "65 items",
                "counts": {"items": 65},
            },
            {
                "step": {"kind": "write", "name": "vault"},
                "state": "would-change",
                "summary": "1 added",
                "counts": {"added": 1},
                "verified": {"equal": 1},
            },
        ],
        "changes": [
            {
                "step": {"kind": "write", "name": "vault"},
                "calendar": "Work",
                "sign": "+",
                "label": "Lunch",
                "changes": [],
            }
        ],
        "deviations": [
            {
                "step": {"kind": "write", "name": "vault"},
                "calendar": "Work",
                "href": "a.ics",
                "label": "Lunch",
                "rule": "PRODID",
                "place": "VCALENDAR",
                "before": "PRODID:a",
                "after": None,
            }
        ],
        "notes": [
            {"step": {"kind": "read", "name": "cloud"}, "level": "warning", "text": "odd"},
            {
                "step": {"kind": "write", "name": "vault"},
                "level": "error",
                "text": "not written",
                "item": "a.ics",
            },
        ],
        "undo": None,
    }


def test_a_run_that_has_not_ended_has_no_status() -> None:
    assert Document().value["status"] is None
