"""What every server gave is restored into every server, and every difference is told.

`CALDAV_RUN_MATRIX` says how much: a few items of each, the union of all that was given (`make
test-servers`), or all of it, pair by pair (`make test-matrix`).
"""

import os
from urllib.parse import unquote

import pytest
from tests.integration.servers import known, reads
from tests.integration.servers.backup import Backup
from tests.integration.servers.calendars import Made
from tests.integration.servers.description import Running
from tests.integration.servers.matrix import State
from tests.integration.servers.pairs import Restored, stem

pytestmark = pytest.mark.timeout(known.START_LIMIT_S)


def test_no_difference_is_unexplained(restored: Restored) -> None:
    assert [each for part in restored.parts.values() for each in part.unexplained] == []


def test_no_item_is_left_out(restored: Restored) -> None:
    states = sum(len(part.states) for part in restored.parts.values())
    assert states >= len(restored.seen) > 0


def test_most_items_are_kept(restored: Restored) -> None:
    """What guards the others against a server that refuses everything."""
    states = [state for part in restored.parts.values() for state in part.states.values()]
    kept = [state for state in states if state in {State.EQUAL, State.DEVIATING}]
    assert len(kept) > 0.8 * len(states)


def test_a_second_restore_changes_nothing(restored: Restored) -> None:
    assert restored.again is not None
    assert restored.again.counts() == {}
    assert restored.again.doubts() == []


def test_the_server_loses_only_what_is_known(running: Running, restored: Restored) -> None:
    if running.description is known.OWN:
        pytest.skip("nothing is known of this server beforehand")
    losses = {
        (stem(name), (loss.before or loss.after or "").partition(":")[0].partition(";")[0])
        for part in restored.parts.values()
        for name, found in part.losses.items()
        for loss in found
    }
    losing = running.description.losing
    unknown = {(name, prop) for name, prop in losses if name not in losing and prop not in losing}
    assert unknown == set()


def test_the_server_gives_what_was_recorded(restored: Restored) -> None:
    assert restored.drift == []


@pytest.mark.skipif("CALDAV_RUN_RECORD" not in os.environ, reason="CALDAV_RUN_RECORD asks for it")
def test_what_the_server_gives_is_recorded(
    running: Running, calendar: Made, backup: Backup
) -> None:
    for name, body in reads.made().items():
        # A connection of its own: servers answer some of these twice.
        calendar.raw.close()
        calendar.raw.put(calendar.path + name, body)
    backup.run()
    given = {unquote(href): item.body for href, item in backup.held().items()}
    kept = {name: given[unquote(name)] for name in reads.made() if unquote(name) in given}
    reads.record(running.description.name, kept)
    assert len(kept) > 0.9 * len(reads.made())
