"""Writes what was measured on a server, for docs/servers.md, where CALDAV_RUN_MEASURED says so."""

import json
import os
from pathlib import Path

from tests.integration.servers.capabilities import capabilities
from tests.integration.servers.corpus import Filled, Outcome
from tests.integration.servers.description import Description


def write(description: Description, filled: Filled) -> None:
    """Write one server's file, if that is asked for."""
    folder = os.environ.get("CALDAV_RUN_MEASURED")
    if not folder:
        return
    content = {
        "title": description.title,
        "items": {each.name: _item(filled, each) for each in filled.outcomes},
        "capabilities": capabilities(filled.calendar.raw),
        "deviations": [
            {"reason": each.reason, "items": sorted(each.items)} for each in description.deviations
        ],
        "faults": dict(description.faults),
    }
    path = Path(folder) / f"{description.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _item(filled: Filled, outcome: Outcome) -> dict[str, str]:
    stored = outcome.change() if outcome.stored else f"refused {outcome.status}"
    if not outcome.stored and outcome.status < 300:
        stored = f"answered {outcome.status} and not listed"
    return {"stored": stored, "read": _reading(filled, outcome)}


def _reading(filled: Filled, outcome: Outcome) -> str:
    item = filled.item(outcome)
    if item is not None:
        return item.provenance.value
    return "" if not outcome.stored else "unread"
