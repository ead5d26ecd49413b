"""The real program is killed while it writes into a bucket of a real S3 endpoint."""

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from caldav_run.testing.killing import Host
from caldav_run.testing.object_servers import ObjectServer

KILLS = int(os.environ.get("CALDAV_RUN_KILLS", "20")) // 4


@pytest.mark.timeout(900)
def test_a_program_killed_at_any_time_loses_nothing_that_was_acknowledged(
    memory_folder: Path,
    s3: ObjectServer,
    s3_place: str,
    record_property: Callable[[str, object], None],
) -> None:
    host = Host(memory_folder, s3_place, s3.environ, Random(2))  # noqa: S311
    host.run()
    while host.killed < KILLS:
        host.edit()
        host.killed_run()
        host.run()
    host.check()
    record_property("killed runs, S3", (host.killed, host.committed))
    assert host.killed == KILLS
