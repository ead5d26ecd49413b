"""Runs into a destination in memory, and back again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.engine.bench import NOW

from caldav_run.connectors.mirroring import Deletions, MirrorOptions
from caldav_run.engine.events import Event, Level, Noted, Planned, Step
from caldav_run.engine.guard import Expectation
from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.journal import Journal, Saved, journals
from caldav_run.engine.readback import Readback
from caldav_run.engine.recipient import Tally
from caldav_run.engine.recorded import RecordedMirror
from caldav_run.engine.run import run
from caldav_run.engine.safety import Missed
from caldav_run.engine.trail import trails
from caldav_run.engine.undoing import Undo, undo
from caldav_run.errors import CalendarError, ConnectorError
from caldav_run.model import Calendar, Failed
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.memory import MemorySource
from caldav_run.testing.memory_mirror import MemoryMirror

EXACT = MirrorOptions(
    mode="exact", on_conflict="keep_source", delete=Deletions(max=1000, max_ratio=1.0)
)
Bodies = dict[tuple[str, str], bytes]


class Killed(BaseException):
    """The process is killed: nothing catches it."""


@dataclass
class Desk:
    """A destination, its journal, and what was saved of it."""

    state: Path
    mirror: MemoryMirror = field(default_factory=lambda: MemoryMirror(options=EXACT))
    source: MemorySource = field(default_factory=MemorySource)
    saved: Bodies = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    said: str = ""
    unsafe: ConnectorError | None = None
    missed: Missed = field(default_factory=Missed)
    events: list[Event] = field(default_factory=list)
    journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> RecordedMirror:
        head = {"pipeline": "test", "file": "", "sets": {}}
        self.journal = Journal(self.state, NOW, head)
        self.events = []
        return RecordedMirror(self.mirror, "there", self.journal, self, {"to": "there"})

    def protect(self, sink: str) -> None:
        """Save the destination; see `engine.job.Safety`."""
        if self.unsafe is not None:
            raise self.unsafe
        if not self.saved:
            self.saved = dict(self.mirror.bodies)
            self.said = self.mirror.said or ""
            self.journal.saved(sink, Saved(sink=None, account="before", snapshot="ab"))

    def unsaved(self, sink: str, calendar: str, href: str | None) -> bool:
        """See `engine.job.Safety`."""
        del sink
        return self.missed.holds(calendar, href)

    def run(self) -> int:
        job = Job(
            name="test",
            sources=(NamedSource("here", self.source),),
            filters=(),
            sinks=(NamedSink("there", self.begin()),),
            expect=Expectation(),
            timezone=UTC,
            now=NOW,
            safety=self,
        )
        try:
            return run(job, self.events.append)
        except Killed:
            return -9
        finally:
            self.journal.close()

    def undo(self, *, dry: bool = False) -> int:
        last = journals(self.state)
        if not last:
            return 0
        (trail,) = trails(last[-1])
        self.events = []
        tally = Tally(Step("undo", "there"), self.events.append, dry=dry, detail=True)
        made = Undo(
            trail=trail,
            mirror=self.mirror,
            kept=Kept(self.saved, self.damaged, self.said) if trail.saved else None,
            tally=tally,
            readback=Readback(tally),
        )
        return undo("undo", [made], self.events.append, dry=dry)

    def errors(self) -> list[str]:
        return [e.text for e in self.events if isinstance(e, Noted) and e.level is Level.ERROR]

    def planned(self) -> list[str]:
        return [f"{e.sign} {e.label}" for e in self.events if isinstance(e, Planned)]


@dataclass
class Kept:
    """What was saved; see `engine.undoing.Kept`."""

    saved: Bodies
    damaged: set[str] = field(default_factory=set)
    said: str = ""

    def hrefs(self, calendar: str) -> Sequence[str]:
        return [href for place, href in self.saved if place == calendar]

    def bodies(self, calendar: str, hrefs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        for href in hrefs:
            if (calendar, href) in self.saved and href not in self.damaged:
                yield href, self.saved[calendar, href]

    def available(self) -> str:
        return self.said

    def file(self, managed_id: str) -> bytes | None:
        del managed_id
        return None


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A destination with "old" and "gone", where the source has "old" otherwise and "new"."""
    made = Desk(tmp_path)
    made.mirror.places["work"] = Calendar(id="work")
    for name in ("old", "gone"):
        made.mirror.bodies["work", f"{name}.ics"] = event(name)
    made.source.put("work", "old.ics", event("old", "Later", 1))
    made.source.put("work", "new.ics", event("new"))
    return made


def test_what_was_added_replaced_and_deleted_is_as_before(desk: Desk) -> None:
    before = dict(desk.mirror.bodies)
    assert desk.run() == 0
    assert desk.mirror.bodies != before
    assert desk.undo(dry=True) == 0
    planned = desk.planned()
    assert desk.undo() == 0
    assert desk.planned() == planned == [f"{sign} {LABEL}" for sign in "~-+"]
    assert desk.mirror.bodies == before


LABEL = "Lunch (Mon 4 May 2026, 11:00 UTC)"


def test_what_the_destination_rewrote_is_known_as_the_runs(desk: Desk) -> None:
    desk.mirror.rewrite = lambda body: body.replace(b"PRODID:", b"PRODID:-//server//")
    before = dict(desk.mirror.bodies)
    assert desk.run() == 0
    desk.mirror.rewrite = bytes
    assert desk.undo() == 0
    assert desk.mirror.bodies == before


def test_what_was_not_saved_is_told(desk: Desk) -> None:
    assert desk.run() == 0
    desk.saved.clear()
    assert desk.undo() == 3
    assert ["its old version was not saved" in each for each in desk.errors()] == [True, True]


def test_what_was_saved_in_another_version_is_told(desk: Desk) -> None:
    assert desk.run() == 0
    desk.saved["work", "old.ics"] = event("old", "Another")
    assert desk.undo() == 3
    (error,) = desk.errors()
    assert "it was saved in another version than was replaced" in error


def test_what_the_destination_will_not_take_back_is_told(desk: Desk) -> None:
    assert desk.run() == 0
    desk.mirror.objects["gone"] = "somebody would be mailed"
    desk.mirror.refuses["old"] = "507 Insufficient Storage"
    assert desk.undo() == 3
    told = "\n".join(desk.errors())
    assert "somebody would be mailed" in told
    assert "507 Insufficient Storage" in told


def test_what_the_destination_makes_otherwise_is_told(desk: Desk) -> None:
    assert desk.run() == 0
    desk.mirror.notes = ("its organizer and attendees were taken out",)
    assert desk.undo() == 0
    told = [e.text for e in desk.events if isinstance(e, Noted) and e.level is Level.WARNING]
    assert told == [f"work: {LABEL}: its organizer and attendees were taken out"] * 2


def test_where_nothing_can_be_saved_nothing_is_lost(desk: Desk) -> None:
    before = dict(desk.mirror.bodies)
    desk.unsafe = ConnectorError("the disk is full")
    assert desk.run() == 3
    assert desk.mirror.bodies == before | {("work", "new.ics"): event("new")}


def test_what_could_not_be_read_when_the_rest_was_saved_is_not_lost(desk: Desk) -> None:
    before = dict(desk.mirror.bodies)
    desk.missed.add(Failed("work", "old.ics", "500"))
    assert desk.run() == 3
    assert desk.mirror.bodies == {
        ("work", "old.ics"): before["work", "old.ics"],
        ("work", "new.ics"): event("new"),
    }
    (error,) = desk.errors()
    assert "what is there could not be read when the destination was saved" in error


def test_nothing_of_a_calendar_that_could_not_be_saved_is_lost(desk: Desk) -> None:
    before = dict(desk.mirror.bodies)
    desk.missed.add(Failed("work", None, "500"))
    assert desk.run() == 3
    assert desk.mirror.bodies == before | {("work", "new.ics"): event("new")}
    assert len(desk.errors()) == 2


def test_a_calendar_is_not_deleted_of_which_an_item_could_not_be_saved(desk: Desk) -> None:
    desk.missed.add(Failed("work", "old.ics", "500"))
    with pytest.raises(CalendarError, match="could not be read when"):
        desk.begin().remove(desk.mirror.places["work"])
    desk.journal.close()


def test_a_calendar_that_was_made_goes_and_its_items_with_it(desk: Desk) -> None:
    desk.source.put("home", "x.ics", event("x"))
    assert desk.run() == 0
    assert "home" in desk.mirror.places
    assert desk.undo() == 0
    assert set(desk.mirror.places) == {"work"}


def test_a_calendar_that_was_made_stays_with_what_is_still_in_it(desk: Desk) -> None:
    desk.source.put("home", "x.ics", event("x"))
    assert desk.run() == 0
    desk.mirror.objects["x"] = "somebody would be mailed"
    assert desk.undo() == 3
    assert desk.mirror.bodies["home", "x.ics"] == event("x")


def test_a_calendar_that_got_another_id_than_it_was_to_have_is_found_again(desk: Desk) -> None:
    desk.source.put("home", "x.ics", event("x"))
    assert desk.run() == 0
    desk.mirror.names = {"home": "chosen-by-the-server"}
    del desk.mirror.places["home"]
    desk.mirror.places["chosen-by-the-server"] = Calendar(id="chosen-by-the-server")
    desk.mirror.bodies["chosen-by-the-server", "x.ics"] = desk.mirror.bodies.pop(("home", "x.ics"))
    assert desk.undo() == 0
    assert {place for place, _ in desk.mirror.bodies} == {"work"}


def test_a_calendar_that_was_made_and_is_gone_needs_nothing(desk: Desk) -> None:
    desk.source.put("home", "x.ics", event("x"))
    assert desk.run() == 0
    desk.mirror.remove(desk.mirror.places["home"])
    assert desk.undo() == 0


def test_a_calendar_that_somebody_deleted_is_told(desk: Desk) -> None:
    assert desk.run() == 0
    desk.mirror.remove(desk.mirror.places["work"])
    assert desk.undo() == 3
    assert "the calendar is not there any more" in desk.errors()[0]


def test_a_calendar_that_the_run_deleted_comes_back_whole(desk: Desk) -> None:
    before = dict(desk.mirror.bodies)
    around = desk.begin()
    around.remove(desk.mirror.places["work"])
    desk.journal.close()
    assert desk.mirror.places == {}
    assert desk.undo() == 0
    assert (desk.mirror.bodies, set(desk.mirror.places)) == (before, {"work"})
    assert desk.undo() == 0
    assert desk.planned() == []


def test_what_the_snapshot_cannot_give_of_a_deleted_calendar_is_told(desk: Desk) -> None:
    desk.begin().remove(desk.mirror.places["work"])
    desk.journal.close()
    desk.damaged.add("gone.ics")
    assert desk.undo() == 3
    assert set(desk.mirror.bodies) == {("work", "old.ics")}
    assert desk.errors() == [
        "work: gone.ics: left as it is: its old version was not saved before the run"
    ]


def test_an_empty_calendar_that_the_run_deleted_comes_back(desk: Desk) -> None:
    desk.mirror.bodies.clear()
    desk.begin().remove(desk.mirror.places["work"])
    desk.journal.close()
    assert desk.undo(dry=True) == 0
    assert set(desk.mirror.places) == set()
    assert desk.undo() == 0
    assert set(desk.mirror.places) == {"work"}


def test_an_event_that_the_run_moved_is_back_where_a_uid_has_one_place(desk: Desk) -> None:
    desk.mirror.only_once = desk.mirror.one_place = True
    desk.mirror.places["home"] = Calendar(id="home")
    desk.source.put("home", "gone.ics", event("gone"))
    before = dict(desk.mirror.bodies)
    assert desk.run() == 0
    assert ("home", "gone.ics") in desk.mirror.bodies
    assert desk.undo(dry=True) == 0
    planned = desk.planned()
    assert desk.undo() == 0, desk.errors()
    assert desk.planned() == planned
    assert desk.mirror.bodies == before


def test_a_calendar_is_not_deleted_where_it_cannot_be_saved(desk: Desk) -> None:
    desk.unsafe = ConnectorError("the disk is full")
    around = desk.begin()
    with pytest.raises(CalendarError, match="is not deleted: the disk is full"):
        around.remove(desk.mirror.places["work"])
    desk.journal.close()
    assert "work" in desk.mirror.places


_ITEMS = st.dictionaries(
    st.tuples(st.sampled_from(["work", "home"]), st.sampled_from("abcdef")),
    st.integers(min_value=0, max_value=3),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(_ITEMS, _ITEMS, st.integers(min_value=0, max_value=12))
def test_whatever_a_run_did_until_it_was_killed_is_undone(
    there: dict[tuple[str, str], int], wanted: dict[tuple[str, str], int], lives: int
) -> None:
    with TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        for (calendar, name), number in there.items():
            desk.mirror.places[calendar] = Calendar(id=calendar)
            desk.mirror.bodies[calendar, f"{name}.ics"] = event(name, f"Old {number}")
        for (calendar, name), number in wanted.items():
            desk.source.put(calendar, f"{name}.ics", event(name, f"New {number}"))
        before, places = dict(desk.mirror.bodies), set(desk.mirror.places)
        left = iter(range(lives))

        def meanwhile() -> None:
            if next(left, None) is None:
                raise Killed

        desk.mirror.meanwhile = meanwhile
        desk.run()
        desk.mirror.meanwhile = lambda: None
        assert desk.undo() == 0, desk.errors()
        assert desk.mirror.bodies == before
        assert set(desk.mirror.places) == places
