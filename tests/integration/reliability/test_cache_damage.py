"""A cache that lost a bit anywhere is as it was, or is given up; nothing between the two."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caldav_run.errors import SetupError
from caldav_run.repository.cache import Cache
from caldav_run.testing.accidents import Stage, Warnings
from caldav_run.testing.vault import Vault

FLIPS = 2_000
# The file's header and the schema, where a bit changes how all that follows is read.
HEADER_BYTES = 112


def content(path: Path) -> tuple[Any, ...]:
    cache = Cache(path)
    try:
        items = [row for each in cache.calendars() for row in cache.items(each.calendar)]
        return cache.head, cache.log(), items, [*cache.calendars()], [*cache.lines()]
    finally:
        cache.close()


@pytest.fixture
def stage(memory_folder: Path, small: None) -> Stage:
    del small
    stage = Stage(Vault(memory_folder))
    for version in range(1, 4):
        for number in range(20):
            stage.server.put("family", f"event-{number}", version)
        stage.back_up()
    return stage


def cache_of(stage: Stage) -> Path:
    (path,) = (stage.vault.state / "repository").iterdir()
    return path


def flips(size: int, count: int) -> list[int]:
    chosen = random.Random(7)  # noqa: S311  # no secret
    whole = [8 * place + chosen.randrange(8) for place in range(HEADER_BYTES)]
    return whole + [chosen.randrange(8 * size) for _ in range(count)]


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def renewed(path: Path, data: bytes) -> None:
    for each in path.parent.iterdir():
        each.unlink()
    path.write_bytes(data)


def test_a_flipped_bit_changes_nothing_or_gives_the_cache_up(
    stage: Stage, record_property: Callable[[str, object], None]
) -> None:
    path = cache_of(stage)
    whole, data = content(path), path.read_bytes()
    found = {"as it was": 0, "given up": 0, "refused": 0}
    for bit in flips(len(data), FLIPS):
        renewed(path, flipped(data, bit))
        try:
            now = content(path)
        except SetupError as error:
            # A bit of the header says that the file may not be written.
            found["refused"] += "the file itself may be deleted" in str(error)
            continue
        assert now in (whole, (None, (), [], [], [])), bit
        found["as it was" if now == whole else "given up"] += 1
    record_property("flipped bits", found)
    assert min(found["as it was"], found["given up"]) > 100
    assert sum(found.values()) == FLIPS + HEADER_BYTES
    assert found["refused"] < 5


def test_a_run_with_a_damaged_cache_makes_the_snapshot_that_a_whole_one_makes(
    stage: Stage,
) -> None:
    path = cache_of(stage)
    chosen = random.Random(7)  # noqa: S311  # no secret
    with Warnings() as warnings:
        for version in range(4, 44):
            data = path.read_bytes()
            # Behind the header: a bit in it can make the file unwritable.
            renewed(path, flipped(data, chosen.randrange(8 * HEADER_BYTES, 8 * len(data))))
            stage.server.put("family", "event-3", version)
            stage.back_up()
            stage.check_newest()
    stage.check()
    assert not warnings.texts
