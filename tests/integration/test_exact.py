"""Whole pipelines into a real server and a real folder: exact, interrupted, and two at once."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from caldav_run.connectors.baseline import Nothing
from caldav_run.connectors.protocol import Context, Source
from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.connectors.sources.ics import IcsSource
from caldav_run.ical.canonical import digest
from caldav_run.model import Changed
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.servers import Server

PIPELINE = """\
version: 1
name: mirror
sources:
  here: {type: ics, path: calendars}
filters: FILTERS
sinks:
  there: SINK
"""
ANY = {"max": 1000, "max_ratio": "100%"}


@dataclass
class Desk:
    """A folder of calendars, and a pipeline that mirrors it."""

    folder: Path
    sink: dict[str, Any]
    server: Server | None

    def put(self, name: str, body: bytes, calendar: str = "work") -> None:
        place = self.folder / "calendars" / calendar
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.ics").write_bytes(body)

    def drop(self, name: str) -> None:
        (self.folder / "calendars" / "work" / f"{name}.ics").unlink()

    def options(self, *filters: dict[str, str], **options: object) -> None:
        sink = json.dumps({**self.sink, "mode": "exact", "delete": ANY, **options})
        text = PIPELINE.replace("FILTERS", json.dumps(filters)).replace("SINK", sink)
        (self.folder / "mirror.yaml").write_text(text)

    def start(self, verb: str = "run") -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "caldav_run", verb, str(self.folder / "mirror.yaml")]
        command += ["--state-dir", str(self.folder / "state"), "--output", "json"]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)

    def run(self, verb: str = "run") -> tuple[int, dict[str, Any]]:
        """Run the program; return its status and what the sink's step came to."""
        with self.start(verb) as process:
            out, err = process.communicate()
        assert "Traceback" not in err
        (run,) = json.loads(out)["runs"]
        return process.returncode, run["steps"][-1]["counts"]

    def undo(self, run: str) -> int:
        """Bring back what a run replaced and deleted, and return how that ended."""
        command = [sys.executable, "-m", "caldav_run", "undo", run, "--yes"]
        command += ["--state-dir", str(self.folder / "state")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode

    def there(self) -> dict[str, bytes]:
        """Return what the destination has, by UID, each item whole."""
        context = Context(
            name="x", pipeline="x", timezone=UTC, now=datetime.now(UTC), state_dir=self.folder
        )
        source: Source
        if self.server is None:
            place = self.folder / "out" / "here"
            if not place.exists():
                return {}
            source = IcsSource.from_options({"path": str(place)}, context)
        else:
            source = CaldavSource.from_options(self.server.options, context)
        items = [each.item for each in source.read(Nothing()) if isinstance(each, Changed)]
        source.close()
        assert len({each.href for each in items}) == len(items)
        return {each.href.removesuffix(".ics"): digest(each.body) for each in items}


@pytest.fixture(params=["radicale", "folder"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    """Three events, mirrored."""
    if request.param == "folder":
        made = Desk(tmp_path, {"type": "ics", "path": "out"}, None)
    else:
        server: Server = request.getfixturevalue("radicale")
        (tmp_path / "password").write_text(server.password)
        (tmp_path / "password").chmod(0o600)
        login = {"username": server.username, "password": {"file": "password"}}
        made = Desk(tmp_path, {"type": "caldav", "url": server.url, **login}, server)
    for name in "abc":
        made.put(name, event(name))
    made.options()
    status, counts = made.run()
    assert (status, counts) == (0, {"calendars": 1, "added": 3})
    return made


def expected(**bodies: bytes) -> dict[str, bytes]:
    return {name: digest(body) for name, body in bodies.items()}


def test_a_second_run_changes_nothing(desk: Desk) -> None:
    assert desk.run() == (0, {"unchanged": 3})


def test_what_the_source_has_no_more_is_deleted_as_the_plan_says(desk: Desk) -> None:
    desk.drop("a")
    desk.put("b", event("b", "Later", 1))
    desk.put("d", event("d"))
    said = {"added": 1, "changed": 1, "deleted": 1, "unchanged": 1}
    assert desk.run("plan") == (0, said)
    assert set(desk.there()) == {"a", "b", "c"}
    assert desk.run() == (0, said)
    assert desk.there() == expected(b=event("b", "Later", 1), c=event("c"), d=event("d"))
    assert desk.run() == (0, {"unchanged": 3})


def test_a_shrunken_source_destroys_nothing(desk: Desk) -> None:
    desk.options(delete={"max": 2, "max_ratio": "50%"})
    for name in "abc":
        desk.drop(name)
    desk.put("d", event("d"))
    status, counts = desk.run()
    assert (status, counts) == (4, {"added": 1})
    assert set(desk.there()) == {"a", "b", "c", "d"}


def test_an_empty_source_destroys_nothing(desk: Desk) -> None:
    desk.options(delete={"max": 25})
    (desk.folder / "calendars/work/displayname").write_text("Work")
    for name in "abc":
        desk.drop(name)
    assert desk.run() == (4, {})
    assert set(desk.there()) == {"a", "b", "c"}


def test_a_source_that_is_not_there_destroys_nothing(desk: Desk) -> None:
    (desk.folder / "calendars").rename(desk.folder / "elsewhere")
    status, _ = desk.run()
    assert status not in {0, 10}
    assert set(desk.there()) == {"a", "b", "c"}


def test_what_the_filters_leave_out_stays(desk: Desk) -> None:
    desk.put("old", event("old", "Dinner"))
    desk.run()
    desk.options({"type": "where", "keep": 'summary == "Lunch"'})
    desk.drop("old")
    desk.drop("a")
    assert desk.run() == (0, {"deleted": 1, "unchanged": 2})
    assert set(desk.there()) == {"b", "c", "old"}


def test_ctrl_c_leaves_whole_items_and_a_second_run_completes(desk: Desk) -> None:
    bodies = {f"x{number}": event(f"x{number}", "Long" * 100) for number in range(150)}
    for name, body in bodies.items():
        desk.put(name, body)
    with desk.start() as process:
        while len(desk.there()) < 10 and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode in {0, 130}
    whole = expected(**bodies, a=event("a"), b=event("b"), c=event("c"))
    assert desk.there().items() <= whole.items()
    status, counts = desk.run()
    assert status == 0
    assert counts["unchanged"] + counts.get("added", 0) == 153
    assert desk.there() == whole
    assert desk.run() == (0, {"unchanged": 153})


def test_two_runs_at_once_end_without_damage(desk: Desk) -> None:
    bodies = {f"x{number}": event(f"x{number}") for number in range(60)}
    for name, body in bodies.items():
        desk.put(name, body)
    desk.put("b", event("b", "Later", 1))
    desk.drop("a")
    with desk.start() as first, desk.start() as second:
        ended = [each.communicate() for each in (first, second)]
    assert all("Traceback" not in err for _, err in ended)
    assert desk.there() == expected(**bodies, b=event("b", "Later", 1), c=event("c"))
    assert desk.run() == (0, {"unchanged": 62})


def test_what_an_exact_run_did_is_undone(desk: Desk) -> None:
    before = desk.there()
    desk.drop("a")
    desk.put("b", event("b", "Later", 1))
    desk.put("d", event("d"))
    with desk.start() as process:
        _, err = process.communicate()
    assert process.returncode == 0
    assert set(desk.there()) == {"b", "c", "d"}
    (run,) = re.findall("caldav-run undo ([^ \n]+)", err)
    assert desk.undo(run) == 0
    assert desk.there() == before


def test_an_item_whose_name_the_server_escapes_is_undone(desk: Desk) -> None:
    before = desk.there()
    desk.put("d@example.com", event("d@example.com"))
    with desk.start() as process:
        _, err = process.communicate()
    assert process.returncode == 0
    assert len(desk.there()) == 4
    (run,) = re.findall("caldav-run undo ([^ \n]+)", err)
    assert desk.undo(run) == 0
    assert desk.there() == before


def test_a_calendar_that_was_deleted_as_a_whole_comes_back(desk: Desk) -> None:
    if desk.server is None:
        pytest.skip("a folder's calendars are not deleted as a whole")
    desk.put("x", event("x"), "old")
    desk.run()
    before = desk.there()
    shutil.rmtree(desk.folder / "calendars" / "old")
    desk.options(delete={**ANY, "calendars": True})
    with desk.start() as process:
        _, err = process.communicate()
    assert process.returncode == 0
    assert set(desk.there()) == {"a", "b", "c"}
    (run,) = re.findall("caldav-run undo ([^ \n]+)", err)
    assert desk.undo(run) == 0
    assert desk.there() == before
