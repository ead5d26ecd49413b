"""A restore and an exact mirror into each server are undone, by the program as it is called."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.integration.servers.calendars import Made
from tests.integration.servers.capabilities import event
from tests.integration.servers.description import Running

from caldav_run.connectors.baseline import Nothing
from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.ical.version import version
from caldav_run.model import Changed
from caldav_run.testing.contracts.bodies import context


@dataclass(frozen=True, slots=True)
class Desk:
    """A person's folder, with a pipeline that backs one calendar up, and one that mirrors into it.

    Attributes:
        folder: The folder.
        running: The server.
        calendar: The calendar.
    """

    folder: Path
    running: Running
    calendar: Made

    def set_up(self) -> None:
        """Write the pipelines, and make a repository."""
        account = self.running.account
        place: dict[str, object] = {"type": "caldav", "url": account.url}
        if account.password:
            place |= {"username": account.username, "password": {"env": "PASSWORD"}}
        cloud = place | {"calendars": [self.calendar.name]}
        vault = {"type": "snapshot", "repository": "vault"}
        self._pipeline("nightly", {"cloud": cloud}, {"vault": vault})
        exact = place | {
            "mode": "exact",
            "on_conflict": "keep_source",
            "delete": {"max": 100, "max_ratio": 1},
        }
        (self.folder / "files").mkdir()
        self._pipeline("mirror", {"files": {"type": "ics", "path": "files"}}, {"cloud": exact})
        self.call("create", "nightly.json.yaml", "--yes")

    def _pipeline(self, name: str, sources: object, sinks: object) -> None:
        text = {"version": 1, "name": name, "sources": sources, "sinks": sinks}
        (self.folder / f"{name}.json.yaml").write_text(json.dumps(text))

    def call(self, *words: str, status: int = 0) -> str:
        """Call the program, which has to end with this status; return what it prints."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "caldav_run", *words],
            cwd=self.folder,
            env=os.environ
            | {
                "HOME": str(self.folder),
                "PASSWORD": self.running.account.password,
                "CALDAV_RUN_CONFIG_DIR": str(self.folder / "keys"),
                "CALDAV_RUN_STATE_DIR": str(self.folder / "state"),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == status, done.stdout
        return done.stdout

    def held(self) -> dict[str, bytes]:
        """Return what the calendar holds, as digests (L2) by UID."""
        options = {**self.running.account.options, "calendars": [self.calendar.name]}
        source = CaldavSource.from_options(options, context(self.folder / "look"))
        try:
            items = [each.item for each in source.read(Nothing()) if isinstance(each, Changed)]
        finally:
            source.close()
        seen = [version(each.body, each.href, each.etag) for each in items]
        assert len({each.uid for each in seen}) == len(seen)
        return {each.uid: each.digest for each in seen}


@pytest.fixture
def desk(running: Running, calendar: Made, tmp_path: Path) -> Desk:
    """A calendar with an event each that was there, that changes and that goes; backed up."""
    made = Desk(tmp_path, running, calendar)
    made.set_up()
    for name in ("stays", "changes", "goes"):
        calendar.put(f"{name}.ics", event(name))
    made.call("run", "nightly.json.yaml")
    return made


def work_on(calendar: Made) -> None:
    """Do what people do with a calendar."""
    calendar.remove("goes.ics")
    calendar.put("changes.ics", event("changes", "Dinner"))
    calendar.put("comes.ics", event("comes"))


RESTORE = ("restore", "nightly.json.yaml", "--to", "cloud", "--on-conflict", "keep_source")


@pytest.mark.timeout(900)
def test_a_restore_is_undone(desk: Desk) -> None:
    before = desk.held()
    work_on(desk.calendar)
    theirs = desk.held()
    desk.call(*RESTORE)
    assert desk.held() == before | {"comes": theirs["comes"]}
    assert "nothing written" in desk.call(*RESTORE)
    desk.call("undo", "latest")
    assert desk.held() == theirs


@pytest.fixture
def mirrored(desk: Desk) -> Callable[[], None]:
    """Have the calendar hold what a folder does, and nothing else."""
    folder = desk.folder / "files" / desk.calendar.name
    folder.mkdir()
    (folder / ".calendar.json").write_text(
        json.dumps({"version": 1, "id": desk.calendar.name, "components": [], "items": []})
    )
    (folder / "changes.ics").write_bytes(event("changes", "Supper"))
    (folder / "new.ics").write_bytes(event("new"))

    def run() -> None:
        desk.call("run", "mirror.json.yaml")
        assert set(desk.held()) == {"changes", "new"}

    return run


@pytest.mark.timeout(900)
def test_what_an_exact_mirror_deleted_comes_back(desk: Desk, mirrored: Callable[[], None]) -> None:
    before = desk.held()
    mirrored()
    desk.call("undo", "latest")
    assert desk.held() == before
    # Deleted and made again, twice: what has a trash bin has seen all of it before.
    mirrored()
    desk.call("undo", "latest")
    assert desk.held() == before
