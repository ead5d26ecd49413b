from datetime import UTC
from pathlib import Path

import pytest
from tests.unit.engine.bench import NOW

from caldav_run.connectors.protocol import Context
from caldav_run.connectors.vdir_names import folder_name
from caldav_run.engine.journal import Journal
from caldav_run.engine.safety import Missed, Safeties, Safety
from caldav_run.model import Failed
from caldav_run.pipeline.local_vault import local_vault
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.memory import MemorySource


@pytest.fixture
def source() -> MemorySource:
    """What reads the destination: two calendars with two events each."""
    made = MemorySource()
    for calendar in ("work", "home"):
        for name in "ab":
            made.put(calendar, f"{name}.ics", event(name))
    return made


@pytest.fixture
def safeties(source: MemorySource, tmp_path: Path) -> Safeties:
    def reading(account: str) -> MemorySource:
        source.account = account
        return source

    context = Context(name="local", pipeline="test", timezone=UTC, now=NOW, state_dir=tmp_path)
    safety = Safety(
        name="there",
        origin=source.origin,
        sink=None,
        source=reading,
        vault=lambda: local_vault(context),
        timezone=UTC,
        now=NOW,
    )
    journal = Journal(tmp_path, NOW, {"pipeline": "test", "file": "", "sets": {}})
    return Safeties(known={"there": safety}, journal=journal)


def test_what_was_read_is_saved(safeties: Safeties) -> None:
    safeties.protect("there")
    assert not safeties.unsaved("there", "work", "a.ics")
    assert not safeties.unsaved("there", "work", None)
    safeties.journal.close()


def test_an_item_that_could_not_be_read_is_not_saved_and_the_rest_is(
    safeties: Safeties, source: MemorySource
) -> None:
    source.unreadable.add(("work", "a.ics"))
    safeties.protect("there")
    assert safeties.unsaved("there", "work", "a.ics")
    assert safeties.unsaved("there", "work", None)
    assert not safeties.unsaved("there", "work", "b.ics")
    assert not safeties.unsaved("there", "home", None)
    safeties.journal.close()


def test_nothing_of_a_calendar_that_could_not_be_read_is_saved(
    safeties: Safeties, source: MemorySource
) -> None:
    source.unreadable.add(("work", None))
    safeties.protect("there")
    assert safeties.unsaved("there", "work", "a.ics")
    assert not safeties.unsaved("there", "home", "a.ics")
    safeties.journal.close()


def test_what_is_not_to_be_saved_is_not_missed(safeties: Safeties) -> None:
    safeties.protect("elsewhere")
    assert not safeties.unsaved("elsewhere", "work", "a.ics")


def test_a_folders_calendar_and_an_escaped_name_are_known_again() -> None:
    missed = Missed()
    missed.add(Failed("here/Work: mine", "a%40b.ics", "damaged"))
    assert missed.holds(f"here/{folder_name('Work: mine')}", "a@b.ics")
