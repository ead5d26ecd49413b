"""What changes on a server between two runs is in the second snapshot, and nothing else is."""

import pytest
from tests.integration.servers.backup import Backup
from tests.integration.servers.calendars import Made
from tests.integration.servers.capabilities import event
from tests.integration.servers.raw import Raw


@pytest.fixture
def begun(calendar: Made, backup: Backup) -> Backup:
    """A calendar with three items, backed up once."""
    for name in ("stays", "changes", "goes"):
        calendar.put(f"{name}.ics", event(f"{calendar.name}-{name}"))
    assert backup.run() == 0
    assert set(backup.held()) == {"stays.ics", "changes.ics", "goes.ics"}
    return backup


def test_nothing_new_makes_no_snapshot(begun: Backup) -> None:
    before = len(begun.vault.segments())
    assert begun.run() == 0
    assert len(begun.vault.segments()) == before


def test_a_new_a_changed_and_a_deleted_item_are_followed(begun: Backup, calendar: Made) -> None:
    calendar.put("comes.ics", event(f"{calendar.name}-comes"))
    calendar.put("changes.ics", event(f"{calendar.name}-changes", "Dinner"))
    calendar.remove("goes.ics")
    assert begun.run() == 0
    held = begun.held()
    assert set(held) == {"stays.ics", "changes.ics", "comes.ics"}
    assert b"SUMMARY:Dinner" in held["changes.ics"].body
    assert begun.holding() == begun.full()


def test_changes_one_after_the_other_are_followed(begun: Backup, calendar: Made) -> None:
    for number in range(3):
        calendar.put("changes.ics", event(f"{calendar.name}-changes", f"Number {number}"))
        assert begun.run() == 0
        assert f"Number {number}".encode() in begun.held()["changes.ics"].body


def test_an_item_that_came_and_went_is_not_held(begun: Backup, calendar: Made) -> None:
    calendar.put("short.ics", event(f"{calendar.name}-short"))
    calendar.remove("short.ics")
    assert begun.run() == 0
    assert begun.holding() == begun.full()


def test_a_deleted_calendar_is_gone(begun: Backup, calendar: Made) -> None:
    calendar.drop()
    assert begun.run() == 0
    assert begun.holding().calendars == {}


def test_a_calendar_deleted_and_made_again_is_read_anew(begun: Backup, calendar: Made) -> None:
    calendar.drop()
    calendar.make("Made again")
    calendar.put("stays.ics", event(f"{calendar.name}-other", "Another one"))
    assert begun.run() == 0
    assert begun.holding() == begun.full()
    assert b"Another one" in begun.held()["stays.ics"].body


def test_an_item_deleted_and_made_again_is_read_anew(begun: Backup, calendar: Made) -> None:
    calendar.remove("goes.ics")
    calendar.put("goes.ics", event(f"{calendar.name}-other", "Another one"))
    assert begun.run() == 0
    assert b"Another one" in begun.held()["goes.ics"].body


def test_a_renamed_calendar_keeps_its_items(begun: Backup, calendar: Made, raw: Raw) -> None:
    assert raw.rename(calendar.path, "Another name").good
    assert begun.run() == 0
    (found,) = begun.holding().calendars.values()
    assert found.display_name == "Another name"
    assert begun.holding() == begun.full()
