"""A store lies; nothing that was acknowledged is lost, and no wrong byte is given back."""

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from caldav_run.errors import CaldavRunError
from caldav_run.repository import keys
from caldav_run.repository.reader import Reader
from caldav_run.testing.accidents import Stage
from caldav_run.testing.lying import LyingStore
from caldav_run.testing.vault import Vault, body_of
from caldav_run.testing.world import picture

NIGHTS = 5_000 if os.environ.get("CALDAV_RUN_CHANCE") == "long" else 60
SEEDS = range(8)
VERSIONS = 9
UIDS = "abcdefgh"


@pytest.fixture
def stage(memory_folder: Path, small: None) -> Stage:
    del small
    stage = Stage(Vault(memory_folder))
    for uid in UIDS:
        stage.server.put("family", uid, 1)
    stage.back_up()
    return stage


def through_lies(stage: Stage, lying: LyingStore, chance: Random) -> None:
    """Do a run and look at the repository through the lies."""
    stage.server.put("family", chance.choice(UIDS), chance.randrange(VERSIONS))
    if chance.random() < 0.2:
        stage.vault.forget()
    stage.vault.wrap = lambda _: lying
    with suppress(CaldavRunError):
        stage.back_up()
    keyring = keys.load_keyring([stage.vault.keys / keys.IDENTITY])
    with suppress(CaldavRunError):
        reader = Reader(lying, keyring)
        for info in reader.snapshots():
            with suppress(CaldavRunError):
                look(stage, info.id, reader)
    stage.vault.wrap = lambda _: stage.store


def look(stage: Stage, identity: str, reader: Reader) -> None:
    """Compare what comes through the lies: it may be missing, it must not be wrong."""
    (info,) = (each for each in reader.snapshots() if each.id == identity)
    found = picture(reader, info)["family"]
    if identity in stage.memory.shots:
        expected = stage.memory.picture(identity)["family"]
        assert found.keys() == expected.keys()
    for href, (body, _) in found.items():
        uid = href.removesuffix(".ics")
        assert body in {None, *(body_of(uid, version) for version in range(VERSIONS))}


@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("seed", SEEDS)
def test_lies_of_a_store_lose_nothing_and_give_back_nothing_wrong(
    stage: Stage, seed: int, record_property: Callable[[str, object], None]
) -> None:
    chance = Random(seed)  # noqa: S311  # no secret
    lying = LyingStore(stage.store, chance)
    for night in range(NIGHTS):
        through_lies(stage, lying, chance)
        # What was acknowledged is there as soon as the store says the truth again.
        stage.adopt()
        if night % 10 == 0:
            stage.check()
    stage.back_up()
    stage.check()
    stage.check_newest()
    record_property("lies", lying.lies)
    assert sum(lying.lies.values()) > NIGHTS


def test_a_lagging_list_makes_no_alarm_once_it_has_caught_up(stage: Stage) -> None:
    hidden: set[str] = set()
    stage.server.put("family", "a", 2)
    stage.back_up()
    hidden |= {stage.vault.segments()[-1].name}

    class Lagging(LyingStore):
        def list(self, prefix: str = "", after: str = ""):  # type: ignore[no-untyped-def] # noqa: ANN202
            return (each for each in stage.store.list(prefix, after) if each.name not in hidden)

    stage.vault.wrap = lambda _: Lagging(stage.store, Random(0), 0)  # noqa: S311
    stage.server.put("family", "a", 3)
    stage.back_up()
    stage.vault.wrap = lambda _: stage.store
    stage.vault.clock.forward(minutes=int(timedelta(hours=1).total_seconds() // 60))
    stage.back_up()
    stage.check()
    stage.check_newest()
