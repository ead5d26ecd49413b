"""The real program is killed while it restores into a real server."""

import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from tests.integration.cli.conftest import TODAY, Desk, event

from caldav_run.connectors.baseline import Nothing
from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.model import Changed
from caldav_run.testing.sample import sample_account, upload
from caldav_run.testing.servers import Server

KILLS = int(os.environ.get("CALDAV_RUN_KILLS", "20")) // 10
MANY = 60
HOME = sample_account(TODAY)[0].calendar.id
RESTORE = (
    *("restore", "quickstart.yaml", "--to", "personal", "--as-of", "latest"),
    *("--on-conflict", "keep_source"),
)


def old(number: int) -> bytes:
    return event(f"uid-{number}", f"Meeting {number}")


def new(number: int) -> bytes:
    return event(f"uid-{number}", "Other", 12, 1)


@pytest.fixture
def desk(radicale: Server, tmp_path: Path) -> Desk:
    """A desk whose account was backed up."""
    upload(radicale, [replace(sample_account(TODAY)[0], items=())])
    desk = Desk(tmp_path, radicale)
    desk.create()
    for number in range(MANY):
        radicale.put(f"{HOME}/{number}.ics", old(number))
    desk.back_up()
    desk.measure_nothing()
    return desk


def damage(desk: Desk, chance: Random) -> None:
    """Delete half of the account and change the other half."""
    for number in range(MANY):
        if chance.random() < 0.5:
            desk.server.send("DELETE", f"{HOME}/{number}.ics")
        else:
            desk.server.put(f"{HOME}/{number}.ics", new(number))


def held(desk: Desk, context: Context) -> dict[str, str]:
    """Return what is there: the title of each item, which has to be whole, by its UID."""
    with closing(CaldavSource.from_options(desk.server.options, context)) as source:
        bodies = [each.item.body for each in source.read(Nothing()) if isinstance(each, Changed)]
    found = [dict(line.split(":", 1) for line in each.decode().splitlines()) for each in bodies]
    assert all(each["END"] == "VCALENDAR" for each in found)
    titles = {each["UID"]: each["SUMMARY"] for each in found}
    assert len(titles) == len(bodies)
    return titles


def killed(desk: Desk, chance: Random, lasts_s: float) -> bool:
    """Start a restore, and kill it at some moment; return whether that was before its end."""
    process = desk.start(*RESTORE)
    time.sleep(chance.uniform(0.0, lasts_s))
    process.kill()
    process.communicate()
    return process.returncode < 0


@pytest.mark.timeout(3600)
def test_a_killed_restore_leaves_whole_items_and_goes_on_where_it_was(
    desk: Desk, context: Context, record_property: Callable[[str, object], None]
) -> None:
    chance = Random(1)  # noqa: S311 -- when to kill
    kills, wrote, lasts_s = 0, 0, 4.0
    whole = {f"uid-{number}": f"Meeting {number}" for number in range(MANY)}
    while kills < KILLS:
        damage(desk, chance)
        before = held(desk, context)
        if killed(desk, chance, lasts_s):
            kills += 1
        after = held(desk, context)
        wrote += after not in (before, whole)
        assert all(after[uid] in {whole[uid], "Other"} for uid in after)
        began = time.monotonic()
        assert desk.run(*RESTORE).status == 0
        lasts_s = time.monotonic() - began
        assert held(desk, context) == whole
        again = desk.run(*RESTORE)
        assert (again.status, "nothing written" in again.out) == (0, True), again
    record_property("killed restores, and those that had written in part", (kills, wrote))


@pytest.mark.timeout(3600)
def test_killed_restores_are_undone_one_after_the_other(desk: Desk, context: Context) -> None:
    chance = Random(2)  # noqa: S311 -- when to kill
    damage(desk, chance)
    before = held(desk, context)
    for _ in range(max(2, KILLS // 2)):
        killed(desk, chance, 4.0)
    assert desk.run(*RESTORE).status == 0
    runs = desk.run("undo").out.splitlines()[1:]
    for line in reversed(runs):
        done = desk.run("undo", line.split()[0])
        assert done.status == 0, done
    assert held(desk, context) == before
