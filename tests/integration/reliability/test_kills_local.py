"""The real program is killed while it writes into a local folder."""

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from caldav_run.testing.killing import Host

KILLS = int(os.environ.get("CALDAV_RUN_KILLS", "20")) // 2
# What a run does to files is some fifty steps; every n-th is enough for a test of each day.
STRIDE = 1 if KILLS > 10 else 6


@pytest.fixture
def host(memory_folder: Path) -> Host:
    host = Host(memory_folder, str(memory_folder / "vault"), {}, Random(1))  # noqa: S311
    host.run()
    return host


@pytest.mark.timeout(900)
def test_a_program_killed_at_any_time_loses_nothing_that_was_acknowledged(
    host: Host, record_property: Callable[[str, object], None]
) -> None:
    while host.killed < KILLS:
        host.edit()
        host.killed_run()
        host.run()
    host.check()
    record_property("killed runs, local folder", (host.killed, host.committed))


@pytest.mark.timeout(900)
def test_a_program_killed_at_any_deed_loses_nothing_that_was_acknowledged(
    host: Host, record_property: Callable[[str, object], None]
) -> None:
    deed = 1
    while True:
        host.edit()
        if not host.killed_at(deed):
            break
        host.run()
        deed += STRIDE
    host.check()
    record_property("runs that killed themselves, local folder", (host.killed, host.committed))
    assert host.killed > 5
    assert 0 < host.committed < host.killed
