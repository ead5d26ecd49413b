"""The scenes that crash and fault tests play."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from caldav_run.repository import account, keys, resume, segment
from caldav_run.testing.accidents import Scene, Stage


def first(stage: Stage) -> None:
    """Fill the server; nothing is backed up yet."""
    for uid in "abcdefg":
        stage.server.put("family", uid, 1)
    stage.server.put("work", "w", 1)


def second(stage: Stage) -> None:
    """Have a first backup behind."""
    first(stage)
    stage.back_up()


def change(stage: Stage) -> None:
    """Change one item, add one, and remove one."""
    stage.server.put("family", "a", 2)
    stage.server.put("family", "new", 1)
    stage.server.put("family", "b", 0)


def changed(stage: Stage) -> None:
    second(stage)
    change(stage)


def removed_calendar(stage: Stage) -> None:
    second(stage)
    stage.server.remove("work")


def unread(stage: Stage) -> None:
    changed(stage)
    stage.server.failing = frozenset({("family", "a"), ("family", "c")})
    stage.server.failing_calendars = frozenset({"work"})


def left_out(stage: Stage) -> None:
    changed(stage)
    stage.server.filtered = frozenset({("family", "c")})
    stage.server.unselected = frozenset({"work"})


def unread_afresh(stage: Stage) -> None:
    unread(stage)
    stage.vault.clock.forward(days=120)


def cumulative(stage: Stage) -> None:
    changed(stage)
    stage.back_up()
    stage.server.put("family", "c", 2)
    stage.back_up()
    stage.server.put("family", "c", 3)


def after_cumulative(stage: Stage) -> None:
    cumulative(stage)
    stage.back_up()
    stage.server.put("family", "c", 4)


def too_old(stage: Stage) -> None:
    changed(stage)
    stage.vault.clock.forward(days=120)


def other_recipients(stage: Stage) -> None:
    changed(stage)
    more = keys.create_keys(stage.vault.folder / "second")
    stage.vault.recipients = (*stage.vault.recipients, more.recipient)


def too_long(stage: Stage) -> None:
    after_cumulative(stage)
    for version in range(5, 8):
        stage.back_up()
        stage.server.put("family", "c", version)


def too_heavy(stage: Stage) -> None:
    changed(stage)
    for version in range(2, 5):
        stage.back_up()
        for uid in "abcdefghijkl":
            stage.server.put("family", uid, version)


def lost_object(stage: Stage) -> None:
    changed(stage)
    stage.give_up()
    (stage.vault.root / stage.vault.packs()[0]).unlink()


def cut_object(stage: Stage) -> None:
    cumulative(stage)
    stage.give_up()
    path = stage.vault.root / stage.vault.segments()[1].name
    path.write_bytes(path.read_bytes()[:-1])


def went_back(stage: Stage) -> None:
    changed(stage)
    stage.back_up()
    stage.give_up()
    (stage.vault.root / stage.vault.segments()[-1].name).unlink()


def all_gone(stage: Stage) -> None:
    changed(stage)
    gone = stage.vault.segments()[0].generation.folder
    stage.servers["phone"] = type(stage.server)()
    stage.servers["phone"].put("family", "a", 1)
    stage.back_up()
    stage.give_up()
    shutil.rmtree(stage.vault.root / gone)


def lost_cache(stage: Stage) -> None:
    after_cumulative(stage)
    stage.vault.forget()


def stale_cache(stage: Stage) -> None:
    second(stage)
    kept = stage.vault.folder / "kept"
    shutil.copytree(stage.vault.state, kept)
    for version in range(2, 5):
        stage.server.put("family", "a", version)
        stage.back_up()
    shutil.rmtree(stage.vault.state)
    kept.rename(stage.vault.state)
    change(stage)


def damaged_cache(stage: Stage) -> None:
    changed(stage)
    (path,) = (stage.vault.state / "repository").iterdir()
    path.write_bytes(b"noise" * 2000)


def foreign_cache(stage: Stage) -> None:
    changed(stage)
    (path,) = (stage.vault.state / "repository").iterdir()
    other = Stage(type(stage.vault)(stage.vault.folder / "other"))
    first(other)
    other.back_up()
    (theirs,) = (other.vault.state / "repository").iterdir()
    shutil.copy(theirs, path)


def _elsewhere(stage: Stage, version: int) -> None:
    """Do a run on a clone of the machine, which falls behind the original."""
    here = stage.vault.folder / "here"
    shutil.copytree(stage.vault.state, here)
    stage.server.put("family", "a", version)
    stage.back_up()
    shutil.rmtree(stage.vault.state)
    here.rename(stage.vault.state)


def cloned(stage: Stage) -> None:
    second(stage)
    _elsewhere(stage, 2)
    change(stage)


def forked(stage: Stage) -> None:
    second(stage)
    hidden = stage.vault.folder / "hidden"
    _elsewhere(stage, 2)
    name = stage.vault.segments()[-1].name
    (stage.vault.root / name).rename(hidden)
    stage.server.put("family", "a", 3)
    stage.back_up()
    hidden.rename(stage.vault.root / name)


def second_writer(stage: Stage) -> None:
    changed(stage)
    other = keys.create_keys(stage.vault.folder / "second")
    stage.vault.writer = keys.load_writer(other.folder / keys.WRITER)
    identity = stage.vault.keys / keys.IDENTITY
    fingerprint = stage.vault.writer.signer.fingerprint
    identity.write_text(f"{identity.read_text()}# trusted-signer: {fingerprint}\n")


def two_accounts(stage: Stage) -> None:
    changed(stage)
    stage.servers["phone"] = type(stage.server)()
    stage.servers["phone"].put("family", "a", 1)
    stage.back_up()
    stage.servers["phone"].put("family", "a", 2)
    stage.server.put("family", "c", 9)


def wrong_clock(stage: Stage) -> None:
    changed(stage)
    stage.vault.clock.forward(days=-3000)


SCENES: Mapping[str, Scene] = {
    "first backup": Scene(first),
    "nothing changed": Scene(second),
    "changes": Scene(changed),
    "a calendar is gone": Scene(removed_calendar),
    "unread": Scene(unread),
    "left out": Scene(left_out),
    "unread in a new generation": Scene(unread_afresh),
    "cumulative": Scene(cumulative),
    "after a cumulative one": Scene(after_cumulative),
    "too old": Scene(too_old),
    "other recipients": Scene(other_recipients),
    "too long": Scene(too_long),
    "too heavy": Scene(too_heavy),
    "a lost object": Scene(lost_object, alarming=True),
    "a cut object": Scene(cut_object, alarming=True),
    "back in time": Scene(went_back, alarming=True),
    "all gone": Scene(all_gone, alarming=True),
    "a lost cache": Scene(lost_cache),
    "a stale cache": Scene(stale_cache),
    "a damaged cache": Scene(damaged_cache),
    "a foreign cache": Scene(foreign_cache),
    "a clone ahead": Scene(cloned),
    "a fork": Scene(forked, alarming=True),
    "a second writer": Scene(second_writer),
    "two accounts": Scene(two_accounts),
    "a wrong clock": Scene(wrong_clock, alarming=True),
}


@pytest.fixture(params=SCENES, ids=lambda name: name.replace(" ", "-"))
def scene(request: pytest.FixtureRequest) -> Scene:
    return SCENES[request.param]


@pytest.fixture
def scenes() -> Mapping[str, Scene]:
    return SCENES


@pytest.fixture
def memory_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that costs no disk, where the machine has one: thousands of runs write into it."""
    memory = Path("/dev/shm")  # noqa: S108  # a folder of its own is made in it
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make packs, logs and generations small, and do not wait for the disk."""
    monkeypatch.setattr("caldav_run.repository.pack.MAX_BYTES", 150)
    monkeypatch.setattr(segment, "CUMULATIVE_EVERY", 3)
    monkeypatch.setattr(account, "CUMULATIVE_EVERY", 3)
    monkeypatch.setattr(resume, "MAX_SEGMENTS", 7)
    monkeypatch.setattr(resume, "_MIN_INCREMENTS", 8000)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    connect = sqlite3.connect

    def hasty(*args: Any, **more: Any) -> sqlite3.Connection:
        base: sqlite3.Connection = connect(*args, **more)
        sqlite3.Connection.execute(base, "PRAGMA synchronous = OFF")
        return base

    monkeypatch.setattr(sqlite3, "connect", hasty)
