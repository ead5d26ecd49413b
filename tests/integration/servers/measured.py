"""Writes what was measured on a server, for docs/servers.md, where CALDAV_RUN_MEASURED says so."""

import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.integration.servers.capabilities import capabilities
from tests.integration.servers.corpus import Filled, Outcome
from tests.integration.servers.description import Description
from tests.integration.servers.pairs import Restored, stem, whole

from caldav_run.ical.canonical import digest
from caldav_run.ical.deviations import Deviation

_WORDS: Final = re.compile(r"^.*?: (?=not written)")


def write(description: Description, filled: Filled) -> None:
    """Write what a server did with what is hard to carry, if that is asked for."""
    if not _folder():
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
    _add(description, content)


def write_restored(description: Description, restored: Restored) -> None:
    """Write what a server did with what was restored into it, if that is asked for."""
    if not _folder():
        return
    parts = restored.parts.values()
    losses = {
        stem(name): [
            f"{each.place.rpartition(' > ')[2].partition(' ')[0]}: {each}" for each in found
        ]
        for part in parts
        for name, found in part.losses.items()
    }
    # Without the calendar and the label, which are of this one run.
    refusals = {
        stem(name): _WORDS.sub("", why) for part in parts for name, why in part.refusals.items()
    }
    rules: Counter[str] = sum((part.rules for part in parts), Counter())
    content = {
        "pairs": {source: dict(counts) for source, counts in _pairs(restored).items()},
        "rules": dict(rules.most_common()),
        "losses": dict(sorted(losses.items())),
        "refusals": dict(sorted(refusals.items())),
        "losing": dict(description.losing),
    }
    _add(description, {"restored": content})


def _loss(loss: Deviation) -> str:
    """Return what is lost, and in which component."""
    return f"{loss.place.rpartition(' > ')[2].partition(' ')[0]}: {loss}"


def _pairs(restored: Restored) -> dict[str, Counter[str]]:
    """Return what became of all that each server gave, by that server."""
    return {
        source: Counter(
            restored.parts[restored.seen[name, digest(body)]].states[name].value
            for name, body in items.items()
        )
        for source, items in whole().items()
    }


def _folder() -> str:
    return os.environ.get("CALDAV_RUN_MEASURED", "")


def _add(description: Description, content: Mapping[str, object]) -> None:
    """Put something into a server's file; what else is in it stays."""
    path = Path(_folder()) / f"{description.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    text = json.dumps({**before, **content}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


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
