"""When the user is available goes with the account, and never over what somebody else said."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.engine.bench import Bench
from tests.unit.engine.test_undoing import Desk

from caldav_run import shelf
from caldav_run.connectors.mirroring import MirrorOptions
from caldav_run.connectors.selection import Selection
from caldav_run.engine.events import Level
from caldav_run.engine.job import NamedSource
from caldav_run.errors import ConnectorError
from caldav_run.model import Calendar
from caldav_run.testing.memory import MemorySource
from caldav_run.testing.memory_mirror import MemoryMirror


def when(uid: str) -> str:
    return (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//caldav-run//tests//EN\nBEGIN:VAVAILABILITY\n"
        f"UID:{uid}\nDTSTAMP:20250101T000000Z\nEND:VAVAILABILITY\nEND:VCALENDAR\n"
    )


MINE, THEIRS = when("mine"), when("theirs")
ACCOUNT = Calendar(id=shelf.ACCOUNT, display_name="Account", availability=MINE)
ADDED, CHANGED = (f"{sign} Account: when the user is available" for sign in "+~")


@pytest.fixture
def mirror() -> MemoryMirror:
    return MemoryMirror(said="")


@pytest.fixture
def bench(tmp_path: Path, mirror: MemoryMirror) -> Bench:
    made = Bench(tmp_path / "out", lambda: mirror)
    made.source.calendars[shelf.ACCOUNT] = ACCOUNT
    return made


def test_it_is_said_where_nothing_was_and_once(bench: Bench, mirror: MemoryMirror) -> None:
    assert bench.run(dry=True) == 0
    assert (bench.planned(), mirror.said) == ([ADDED], "")
    assert bench.run() == 0
    assert (bench.planned(), mirror.said) == ([ADDED], MINE)
    assert bench.run() == 0
    assert bench.planned() == []


def test_another_spelling_of_it_is_the_same(bench: Bench, mirror: MemoryMirror) -> None:
    mirror.said = MINE.replace("\n", "\r\n")
    assert bench.run() == 0
    assert (bench.planned(), bench.counts()) == ([], {})


@pytest.mark.parametrize(
    ("rule", "status", "level"),
    [
        ("newest", 0, Level.WARNING),
        ("keep_destination", 0, Level.INFO),
        ("fail", 3, Level.ERROR),
    ],
)
def test_what_is_said_already_stays_and_that_is_told(
    bench: Bench, mirror: MemoryMirror, rule: str, status: int, level: Level
) -> None:
    mirror.said, mirror.options = THEIRS, MirrorOptions(on_conflict=rule)
    assert bench.run() == status
    assert (bench.planned(), mirror.said) == ([], THEIRS)
    (note,) = bench.notes(level)
    assert "Account: when the user is available" in note
    assert "the destination has another one" in note


def test_the_source_s_replaces_it_where_the_user_says_so(
    bench: Bench, mirror: MemoryMirror
) -> None:
    mirror.said, mirror.options = THEIRS, MirrorOptions(on_conflict="keep_source")
    assert bench.run(dry=True) == 0
    assert (bench.planned(), mirror.said) == ([CHANGED], THEIRS)
    assert bench.run() == 0
    assert (bench.planned(), mirror.said) == ([CHANGED], MINE)


def test_a_source_that_says_nothing_removes_nothing(bench: Bench, mirror: MemoryMirror) -> None:
    bench.source.calendars[shelf.ACCOUNT] = replace(ACCOUNT, availability=None)
    mirror.said, mirror.options = THEIRS, MirrorOptions(mode="exact", on_conflict="keep_source")
    assert bench.run() == 0
    assert mirror.said == THEIRS


def test_attachments_that_come_after_it_do_not_hide_it(bench: Bench, mirror: MemoryMirror) -> None:
    bench.source.calendars[shelf.ID] = shelf.CALENDAR
    assert bench.run() == 0
    assert mirror.said == MINE


def test_some_calendars_are_not_the_account(bench: Bench, mirror: MemoryMirror) -> None:
    bench.source.selection = Selection(include=("*",)).text
    assert bench.run() == 0
    assert (bench.planned(), mirror.said) == ([], "")
    assert "only some calendars were chosen" in bench.notes(Level.INFO)[0]


def test_two_sources_that_say_different_things_are_not_decided_between(
    bench: Bench, mirror: MemoryMirror
) -> None:
    other = MemorySource("other")
    other.calendars[shelf.ACCOUNT] = replace(ACCOUNT, availability=THEIRS)
    bench.more = (NamedSource("other", other),)
    assert bench.run() == 0
    assert mirror.said == ""
    assert "the sources have several" in bench.notes(Level.WARNING)[0]


def test_a_refusal_is_told_in_the_destination_s_words(bench: Bench, mirror: MemoryMirror) -> None:
    mirror.refuses["availability"] = "403 Forbidden: no"
    assert bench.run() == 0
    assert bench.planned() == []
    assert "not written: 403 Forbidden: no" in bench.notes(Level.WARNING)[0]


@pytest.mark.parametrize("before", ["", THEIRS])
@pytest.mark.parametrize("left", ["", THEIRS])
def test_what_is_not_kept_is_told(
    bench: Bench, mirror: MemoryMirror, before: str, left: str
) -> None:
    mirror.said, mirror.options = before, MirrorOptions(on_conflict="keep_source")
    mirror.rewrite = lambda _: before.encode() and left.encode()
    assert bench.run() == 0
    assert bench.planned() == []
    assert "not written: the destination did not keep it" in bench.notes(Level.WARNING)[0]


@pytest.mark.parametrize("rule", ["newest", "keep_source"])
def test_what_the_destination_makes_of_it_is_told_once(
    bench: Bench, mirror: MemoryMirror, rule: str
) -> None:
    mirror.options = MirrorOptions(on_conflict=rule)
    mirror.rewrite = lambda _: THEIRS.encode()
    assert bench.run() == 0
    assert bench.planned() == [ADDED]
    assert "made something else of it" in bench.notes(Level.WARNING)[0]
    assert bench.run() == 0
    assert (bench.planned(), bench.notes(Level.WARNING)) == ([], [])


def test_a_destination_without_such_a_thing_is_told(bench: Bench, mirror: MemoryMirror) -> None:
    mirror.said = None
    assert bench.run() == 0
    assert "the destination has no place for that" in bench.notes(Level.INFO)[0]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.mirror.said = ""
    made.source.calendars[shelf.ACCOUNT] = ACCOUNT
    return made


def test_what_was_said_first_is_unsaid_again(desk: Desk) -> None:
    assert desk.run() == 0
    assert desk.undo(dry=True) == 0
    assert (desk.planned(), desk.mirror.said) == (["- when the user is available"], MINE)
    assert desk.undo() == 0
    assert desk.mirror.said == ""
    assert desk.undo() == 0
    assert desk.planned() == []


def test_what_was_said_before_is_saved_and_said_again(desk: Desk) -> None:
    desk.mirror.said = THEIRS
    assert desk.run() == 0
    assert (desk.mirror.said, desk.said) == (MINE, THEIRS)
    assert desk.undo() == 0
    assert (desk.planned(), desk.mirror.said) == (["~ when the user is available"], THEIRS)


def test_what_the_destination_made_of_it_is_known_as_the_run_s(desk: Desk) -> None:
    desk.mirror.rewrite = lambda body: body.replace(b"UID:mine", b"UID:yours")
    assert desk.run() == 0
    desk.mirror.rewrite = bytes
    assert desk.undo() == 0
    assert desk.mirror.said == ""


def test_what_somebody_said_since_stays(desk: Desk) -> None:
    assert desk.run() == 0
    desk.mirror.said = THEIRS
    assert desk.undo() == 3
    assert desk.mirror.said == THEIRS
    assert "it was changed after the run" in desk.errors()[0]


def test_what_was_not_saved_is_not_said_again(desk: Desk) -> None:
    desk.mirror.said = THEIRS
    assert desk.run() == 0
    desk.said = ""
    assert desk.undo() == 3
    assert desk.mirror.said == MINE
    assert "its old version was not saved" in desk.errors()[0]


def test_where_it_cannot_be_saved_it_is_not_replaced(desk: Desk) -> None:
    desk.mirror.said = THEIRS
    desk.unsafe = ConnectorError("the disk is full")
    assert desk.run() == 3
    assert desk.mirror.said == THEIRS
    assert "not written: the disk is full" in desk.errors()[0]
