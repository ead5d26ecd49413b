"""Exact mirrors on every server: hard items, twice; items changed, deleted and moved."""

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from tests.integration.servers.calendars import Made
from tests.integration.servers.capabilities import event
from tests.integration.servers.corpus import corpus
from tests.integration.servers.raw import Raw
from tests.integration.servers.workplace import Workplace, caldav

_UID: Final = re.compile(rb"(?<=\nUID:)")
_CHANGES: Final = ("calendars", "added", "changed", "deleted")


@dataclass(frozen=True)
class Desk:
    """A folder with two calendars, which a pipeline mirrors into two of the server's."""

    place: Workplace
    raw: Raw
    calendars: tuple[Made, Made]

    def file(self, calendar: int, name: str) -> Path:
        folder = self.place.folder / "calendars" / self.calendars[calendar].name
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.ics"

    def run(self, verb: str = "run") -> dict[str, int]:
        """Run the program and return what it changed."""
        password = self.raw.account.password
        told = self.place.run(
            verb, "mirror.yaml", "--output", "json", "-q", password=password, statuses={0, 3}
        )
        document = json.JSONDecoder().raw_decode(told[told.index("{") :])[0]
        (run,) = document["runs"]
        counts = run["steps"][-1]["counts"]
        return {name: counts[name] for name in _CHANGES if counts.get(name)}

    def there(self, calendar: int) -> int:
        return len(self.raw.members(self.calendars[calendar].path))


@pytest.fixture
def desk(raw: Raw, calendar: Made, tmp_path: Path) -> Iterator[Desk]:
    other = Made(raw, f"caldav-run-{secrets.token_hex(4)}")
    other.make("Another one of a test's")
    place = Workplace(tmp_path)
    sink = caldav(raw.account) | {
        "mode": "exact",
        "delete": {"max": 1000, "max_ratio": "100%"},
        "safety_snapshot": "off",
    }
    source = {"type": "ics", "path": "calendars"}
    place.pipeline("mirror", {"sources": {"here": source}, "sinks": {"there": sink}})
    made = Desk(place, raw, (calendar, other))
    for number in range(12):
        uid = f"{calendar.name}-{number}"
        made.file(0, f"plain-{number}").write_bytes(event(uid))
    made.file(1, "else").write_bytes(event(f"{calendar.name}-else"))
    yield made
    other.drop()


@pytest.mark.timeout(900)
def test_a_second_run_over_hard_items_changes_nothing(desk: Desk) -> None:
    prefix = desk.calendars[0].name.encode()
    for name, body in corpus():
        desk.file(0, name.removesuffix(".ics")).write_bytes(_UID.sub(prefix + b"-", body))
    assert desk.run()["added"] > 50
    # What the server refuses is tried again, and refused again.
    assert desk.run() == {}


@pytest.mark.timeout(900)
def test_what_is_deleted_changed_and_moved_is_so_there(desk: Desk) -> None:
    assert desk.run() == {"added": 13}
    uid = desk.calendars[0].name
    desk.file(0, "plain-0").unlink()
    desk.file(0, "plain-1").unlink()
    changed = event(f"{uid}-2", "Dinner").replace(
        b"BEGIN:VEVENT\r\n", b"BEGIN:VEVENT\r\nSEQUENCE:7\r\n"
    )
    desk.file(0, "plain-2").write_bytes(changed)
    desk.file(0, "plain-3").rename(desk.file(1, "plain-3"))
    done = {"added": 1, "changed": 1, "deleted": 3}
    assert desk.run("plan") == done
    assert desk.run() == done
    assert (desk.there(0), desk.there(1)) == (9, 2)
    assert desk.run() == {}
