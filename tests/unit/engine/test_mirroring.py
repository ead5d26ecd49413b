"""Runs into a destination in memory: others write meanwhile, and it refuses and rewrites."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.engine.bench import NOW, keeping

from caldav_run.connectors.mirroring import Deletions, MirrorOptions, Order, Outcome, Target
from caldav_run.connectors.selection import Selection
from caldav_run.engine.events import Event, Level, Noted, Planned, StepFinished
from caldav_run.engine.guard import Expectation
from caldav_run.engine.job import Job, NamedSink, NamedSource, Safety
from caldav_run.engine.run import run
from caldav_run.errors import CalendarError, ConnectorError, ItemError, TemporaryError
from caldav_run.model import Calendar
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.memory import MemorySource
from caldav_run.testing.memory_mirror import MemoryMirror

if TYPE_CHECKING:
    from caldav_run.engine.judge import Link

ANY = Deletions(max=1000, max_ratio=1.0)
EXACT = MirrorOptions(mode="exact", delete=ANY)


class Bench:
    """A source and a mirror in memory, and what the last run told."""

    def __init__(self, state: Path) -> None:
        self.source = MemorySource()
        self.mirror = MemoryMirror()
        self.events: list[Event] = []
        self.other: MemoryMirror | None = None
        self.filters: tuple[Link, ...] = ()
        self.safety: Safety | None = None
        self._state = state

    def run(self, *, dry: bool = False, diff: bool = False) -> int:
        sinks = [NamedSink("there", self.mirror)]
        if self.other is not None:
            sinks.insert(0, NamedSink("other", self.other))
        job = Job(
            name="test",
            sources=(NamedSource("here", self.source),),
            filters=self.filters,
            sinks=tuple(sinks),
            expect=Expectation(),
            timezone=UTC,
            now=NOW,
            dry=dry,
            detail=True,
            diff=diff,
            state_dir=self._state,
            safety=self.safety,
        )
        self.events = []
        self.mirror.done = []
        return run(job, self.events.append)

    def notes(self, level: Level) -> list[str]:
        return [e.text for e in self.events if isinstance(e, Noted) and e.level is level]

    def counts(self) -> dict[str, int]:
        ended = self.events[-2]
        assert isinstance(ended, StepFinished)
        return {**ended.counts, **ended.stood}

    def once(self, act: Callable[[], None], times: int = 1) -> None:
        """Have somebody else act before so many orders."""
        left = [times]

        def meanwhile() -> None:
            if left[0]:
                left[0] -= 1
                act()

        self.mirror.meanwhile = meanwhile


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Two items that both sides have."""
    made = Bench(tmp_path)
    for name in "ab":
        made.source.put("work", f"{name}.ics", event(name))
    assert made.run() == 0
    return made


def test_what_a_destination_does_not_keep_of_a_new_calendar_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.mirror.loses = ("colour", "order")
    bench.source.put("work", "a.ics", event("a"))
    assert bench.run() == 0
    assert bench.notes(Level.WARNING) == [
        "work: the destination did not keep the calendar's colour",
        "work: the destination did not keep the calendar's order",
    ]


# ------------------------------------------------------------------ changed meanwhile


def test_an_item_that_changed_meanwhile_is_decided_anew(bench: Bench) -> None:
    bench.source.put("work", "a.ics", event("a", "Later", 3))
    bench.once(lambda: bench.mirror.bodies.update({("work", "a.ics"): event("a", "Theirs", 1)}))
    assert bench.run() == 0
    assert bench.mirror.bodies["work", "a.ics"] == event("a", "Later", 3)
    assert bench.counts() == {"changed": 1, "unchanged": 1}
    (note,) = bench.notes(Level.WARNING)
    assert note.endswith("it changed meanwhile, and is replaced")


def test_a_newer_version_that_appeared_meanwhile_is_not_replaced_in_silence(bench: Bench) -> None:
    bench.mirror.options = MirrorOptions(on_conflict="keep_source")
    bench.source.put("work", "a.ics", event("a", "Later", 3))
    bench.once(lambda: bench.mirror.bodies.update({("work", "a.ics"): event("a", "Theirs", 9)}))
    assert bench.run() == 0
    assert bench.mirror.bodies["work", "a.ics"] == event("a", "Later", 3)
    (note,) = bench.notes(Level.WARNING)
    assert "is replaced, the destination's version is newer" in note


def test_a_newer_version_that_appeared_meanwhile_stays(bench: Bench) -> None:
    bench.source.put("work", "a.ics", event("a", "Later", 3))
    bench.once(lambda: bench.mirror.bodies.update({("work", "a.ics"): event("a", "Theirs", 9)}))
    assert bench.run() == 0
    assert bench.mirror.bodies["work", "a.ics"] == event("a", "Theirs", 9)
    (note,) = bench.notes(Level.INFO)
    assert "the destination's version is newer" in note
    assert bench.counts() == {"unchanged": 1, "kept": 1}


def test_an_item_that_somebody_else_has_written_meanwhile_is_not_written_again(
    bench: Bench,
) -> None:
    bench.source.put("work", "c.ics", event("c"))
    bench.once(lambda: bench.mirror.bodies.update({("work", "c.ics"): event("c")}))
    assert bench.run() == 0
    assert bench.mirror.done == []
    assert bench.counts() == {"unchanged": 3}


@dataclass(slots=True)
class Renaming(MemoryMirror):
    """One that has "c" under a name of its own by the time that it answers."""

    def apply(self, target: Target, orders: Iterable[Order]) -> Iterator[Outcome]:
        for order in orders:
            self.bodies[target.calendar.id, "c-1.ics"] = order.body()
            yield Outcome(order, "c-1.ics", error=ItemError("it is there"), moved=True)


def test_an_item_is_looked_for_under_the_name_that_was_tried(bench: Bench) -> None:
    bench.mirror = Renaming(places=bench.mirror.places, bodies=bench.mirror.bodies)
    bench.source.put("work", "c.ics", event("c"))
    assert bench.run() == 0
    assert bench.counts() == {"unchanged": 3}
    assert sorted(href for _, href in bench.mirror.bodies) == ["a.ics", "b.ics", "c-1.ics"]


def test_an_item_that_was_deleted_meanwhile_is_written_as_a_new_one(bench: Bench) -> None:
    bench.source.put("work", "a.ics", event("a", "Later", 3))
    bench.once(lambda: bench.mirror.drop("work", "a.ics"))
    assert bench.run() == 0
    assert bench.mirror.done == ["+ work/a.ics"]


def test_an_item_that_keeps_changing_is_given_up_by_name(bench: Bench) -> None:
    bench.source.put("work", "a.ics", event("a", "Later", 99))
    numbers = iter(range(99))

    def theirs() -> None:
        bench.mirror.bodies["work", "a.ics"] = event("a", "Theirs", next(numbers))

    bench.once(theirs, times=99)
    assert bench.run() == 3
    assert next(numbers) == 4
    assert "it changed meanwhile" in bench.notes(Level.ERROR)[0]
    assert bench.counts() == {"unchanged": 1, "refused": 1}


def test_what_changed_meanwhile_is_not_deleted(bench: Bench) -> None:
    bench.mirror.options = EXACT
    del bench.source.bodies["work", "a.ics"]
    bench.once(lambda: bench.mirror.bodies.update({("work", "a.ics"): event("a", "Theirs", 1)}))
    assert bench.run() == 3
    assert bench.mirror.bodies["work", "a.ics"] == event("a", "Theirs", 1)
    assert "not deleted, it changed meanwhile" in bench.notes(Level.ERROR)[0]


def test_what_was_deleted_meanwhile_needs_no_deletion(bench: Bench) -> None:
    bench.mirror.options = EXACT
    del bench.source.bodies["work", "a.ics"]
    bench.once(lambda: bench.mirror.drop("work", "a.ics"))
    assert bench.run() == 0
    assert bench.counts() == {"unchanged": 1}


def test_writing_over_a_newer_version_is_told_in_the_plan_and_in_the_run(bench: Bench) -> None:
    bench.mirror.options = MirrorOptions(on_conflict="keep_source")
    bench.mirror.bodies["work", "a.ics"] = event("a", "Theirs", 9)
    for dry in (True, False):
        assert bench.run(dry=dry) == 0
        (note,) = bench.notes(Level.INFO)
        assert note.endswith("the destination's version is newer, the source's replaces it")


def halved(body: bytes) -> bytes:
    return body.partition(b"SUMMARY")[0]


@pytest.mark.parametrize("on_conflict", ["newest", "keep_source"])
def test_a_broken_item_never_replaces_a_whole_one(bench: Bench, on_conflict: str) -> None:
    bench.mirror.options = MirrorOptions(on_conflict=on_conflict)
    bench.source.put("work", "a.ics", halved(event("a", "Later", 3)))
    assert bench.run() == 3
    assert bench.mirror.bodies["work", "a.ics"] == event("a")
    (note,) = bench.notes(Level.ERROR)
    assert note == (
        "work: a: not written: it is broken at the source, and whole at the destination"
    )


def test_a_broken_item_is_written_where_no_whole_one_is(bench: Bench) -> None:
    bench.mirror.options = MirrorOptions(on_conflict="keep_source")
    bench.mirror.bodies["work", "a.ics"] = halved(event("a", "Theirs"))[:-20]
    bench.source.put("work", "a.ics", halved(event("a")))
    bench.source.put("work", "c.ics", halved(event("c")))
    bench.run()
    assert sorted(bench.mirror.done) == ["+ work/c.ics", "~ work/a.ics"]


def test_what_is_to_be_identical_is_also_where_it_is_broken(bench: Bench) -> None:
    bench.mirror.options = MirrorOptions(on_conflict="identical")
    bench.source.put("work", "a.ics", halved(event("a")))
    assert bench.run() == 0
    assert bench.mirror.bodies["work", "a.ics"] == halved(event("a"))


# ------------------------------------------------------------------ two destinations


def test_a_destination_that_is_lost_does_not_stop_the_other_one(bench: Bench) -> None:
    bench.mirror.options = EXACT
    del bench.source.bodies["work", "a.ics"]
    bench.source.put("work", "c.ics", event("c"))
    bench.other = MemoryMirror(EXACT, broken=TemporaryError("the connection was lost"))
    assert bench.run() == 75
    assert bench.mirror.done == ["+ work/c.ics", "- work/a.ics"]
    assert bench.other.done == ["create work", "+ work/b.ics", "+ work/c.ics"]


# ------------------------------------------------------------------ refused


def test_what_is_refused_is_named_and_the_rest_goes_on(bench: Bench) -> None:
    bench.mirror.refuses["c"] = "the server says 403 Forbidden"
    for name in "cd":
        bench.source.put("work", f"{name}.ics", event(name))
    assert bench.run() == 3
    assert bench.mirror.done == ["+ work/d.ics"]
    assert "403 Forbidden" in bench.notes(Level.ERROR)[0]
    assert bench.counts() == {"added": 1, "unchanged": 2, "refused": 1}


def test_what_is_objected_to_is_refused_in_the_plan_as_in_the_run(bench: Bench) -> None:
    bench.mirror.objects["c"] = "it is too large"
    bench.source.put("work", "c.ics", event("c"))
    for dry in (True, False):
        assert bench.run(dry=dry) == 3
        assert bench.mirror.done == []
        assert "not written: it is too large" in bench.notes(Level.ERROR)[0]


def test_a_deletion_that_is_objected_to_is_refused(bench: Bench) -> None:
    bench.mirror.options = EXACT
    bench.mirror.objects["a"] = "somebody would be mailed"
    del bench.source.bodies["work", "a.ics"]
    assert bench.run() == 3
    assert bench.mirror.done == []
    assert "not deleted: somebody would be mailed" in bench.notes(Level.ERROR)[0]


def test_an_event_that_moved_to_another_calendar_is_there_once_in_the_end(bench: Bench) -> None:
    bench.mirror.options, bench.mirror.one_place = EXACT, True
    bench.source.put("home", "a.ics", bench.source.bodies.pop(("work", "a.ics")))
    assert bench.run() == 0
    assert bench.mirror.done == ["create home", "- work/a.ics", "+ home/a.ics"]
    assert bench.counts() == {"calendars": 1, "deleted": 1, "added": 1, "unchanged": 1}


def test_what_is_objected_to_for_what_is_deleted_goes_in_afterwards(bench: Bench) -> None:
    bench.mirror.options = EXACT
    bench.mirror.only_once = True
    bench.source.put("home", "a.ics", bench.source.bodies.pop(("work", "a.ics")))
    assert bench.run(dry=True) == 0
    counts = bench.counts()
    assert bench.run() == 0
    assert bench.mirror.done == ["create home", "- work/a.ics", "+ home/a.ics"]
    assert bench.counts() == counts


def test_what_is_objected_to_is_refused_when_the_deletion_is_held_back(bench: Bench) -> None:
    bench.mirror.options = MirrorOptions(mode="exact", delete=Deletions(max=0))
    bench.mirror.only_once = True
    bench.source.put("home", "a.ics", bench.source.bodies.pop(("work", "a.ics")))
    assert bench.run() == 4
    assert bench.mirror.done == ["create home"]
    assert any("it lies in another calendar" in each for each in bench.notes(Level.ERROR))


def moved(bench: Bench) -> None:
    """Let the source have "a" in another calendar."""
    bench.mirror.options = EXACT
    bench.source.put("home", "a.ics", bench.source.bodies.pop(("work", "a.ics")))


@pytest.mark.parametrize("dry", [False, True])
def test_an_event_is_not_deleted_whose_new_place_objects_to_it(bench: Bench, *, dry: bool) -> None:
    moved(bench)
    bench.mirror.objects["a"] = "it is too large"
    assert bench.run(dry=dry) == 3
    assert ("work", "a.ics") in bench.mirror.bodies
    assert "deleted" not in bench.counts()
    assert "could not be written where the source has it" in bench.notes(Level.WARNING)[0]


def test_an_event_is_put_back_whose_new_place_refuses_it(bench: Bench) -> None:
    moved(bench)
    bench.mirror.closed.add("home")
    assert bench.run() == 3
    assert bench.mirror.bodies["work", "a.ics"] == event("a")
    assert bench.notes(Level.WARNING)[0].endswith("put back where it was")


@dataclass(slots=True)
class Leaving(MemoryMirror):
    """One whose calendar "home" goes when it is written to for the second time."""

    one_place: bool = True
    error: CalendarError | ConnectorError = field(default_factory=lambda: CalendarError("gone"))
    written: int = 0

    def apply(self, target: Target, orders: Iterable[Order]) -> Iterator[Outcome]:
        self.written += target.calendar.id == "home"
        if target.calendar.id == "home" and self.written > 1:
            raise self.error
        yield from MemoryMirror.apply(self, target, orders)


@pytest.mark.parametrize("error", [CalendarError("gone"), TemporaryError("there is no room")])
def test_an_event_is_put_back_whose_new_calendar_breaks_off(
    bench: Bench, error: CalendarError | ConnectorError
) -> None:
    bench.mirror = Leaving(places=bench.mirror.places, bodies=bench.mirror.bodies, error=error)
    moved(bench)
    assert bench.run() == error.exit_status
    assert bench.mirror.bodies["work", "a.ics"] == event("a")


@dataclass(slots=True)
class Swallowing(MemoryMirror):
    """One that takes what is written to "home", and does not have it then.

    Attributes:
        readable: Whether one can see that.
    """

    readable: bool = True

    def finish(self, target: Target) -> None:
        if target.calendar.id == "home":
            self.bodies.pop(("home", "a.ics"), None)
            self.unreadable |= set() if self.readable else {"home"}


@pytest.mark.parametrize("readable", [True, False])
def test_an_event_is_not_deleted_whose_new_place_swallowed_it(
    bench: Bench, *, readable: bool
) -> None:
    bench.mirror = Swallowing(
        places=bench.mirror.places, bodies=bench.mirror.bodies, readable=readable
    )
    moved(bench)
    assert bench.run() == 3
    assert bench.mirror.bodies["work", "a.ics"] == event("a")


@pytest.mark.parametrize("only_once", [False, True])
def test_an_event_is_not_deleted_whose_new_calendar_cannot_be_made(
    bench: Bench, *, only_once: bool
) -> None:
    moved(bench)
    bench.mirror.only_once = only_once
    bench.mirror.refuses["home"] = "the server says 507"
    assert bench.run() == 3
    assert bench.mirror.done == []
    assert ("work", "a.ics") in bench.mirror.bodies


def test_an_event_that_waits_for_a_deletion_is_named_when_its_calendar_cannot_be_made(
    bench: Bench,
) -> None:
    moved(bench)
    bench.mirror.only_once = True
    bench.mirror.refuses["home"] = "the server says 507"
    assert bench.run() == 3
    assert bench.counts() == {"unchanged": 1, "refused": 1}
    assert any("not written: the server says 507" in each for each in bench.notes(Level.ERROR))


def test_an_event_is_not_deleted_whose_new_calendar_cannot_be_read(bench: Bench) -> None:
    bench.source.put("home", "z.ics", event("z"))
    bench.run()
    moved(bench)
    bench.mirror.unreadable.add("home")
    assert bench.run() == 3
    assert bench.mirror.done == []


# ------------------------------------------------------------------ whole calendars

CALENDARS = Deletions(max=1000, max_ratio=1.0, calendars=True)


@pytest.fixture
def old(bench: Bench) -> Bench:
    """A calendar with an item that the source has no more."""
    bench.mirror.options = MirrorOptions(mode="exact", delete=CALENDARS)
    bench.mirror.places["old"] = Calendar(id="old", display_name="Old")
    bench.mirror.bodies["old", "x.ics"] = event("x")
    return bench


@pytest.mark.parametrize("dry", [False, True])
def test_a_calendar_that_no_source_has_is_deleted_where_asked(old: Bench, *, dry: bool) -> None:
    assert old.run(dry=dry) == 0
    assert old.mirror.done == ["remove old"] * (not dry)
    assert [(e.sign, e.calendar, e.label) for e in old.events if isinstance(e, Planned)] == [
        ("-", "Old", "calendar with 1 item")
    ]


def test_a_calendar_that_no_source_has_stays_by_default(old: Bench) -> None:
    old.mirror.options = EXACT
    assert old.run() == 0
    assert old.mirror.done == []


@pytest.mark.parametrize(
    "why",
    [
        "excluded",
        "not selected",
        "read-only",
        "shared",
        "filtered",
        "objected",
        "guarded",
        "doubted",
    ],
)
def test_a_calendar_stays_that_has_to(old: Bench, why: str) -> None:
    if why == "excluded":
        old.source.calendars["old"] = Calendar(id="old")
        old.source.excluded.add("old")
    elif why == "not selected":
        old.source.selection = Selection(exclude=("O*",)).text
    elif why == "read-only":
        old.mirror.places["old"] = Calendar(id="old", read_only=True)
    elif why == "shared":
        old.mirror.foreign.add("old")
    elif why == "filtered":
        old.filters = keeping(lambda view: view.item.href != "x.ics")
    elif why == "objected":
        old.mirror.objects["x"] = "somebody would be mailed"
    elif why == "guarded":
        old.mirror.options = MirrorOptions(mode="exact", delete=replace(CALENDARS, max=0))
    else:
        old.source.unreadable.add(("work", "a.ics"))
        old.source.broken = TemporaryError("the connection was lost")
        old.source.put("zoo", "z.ics", event("z"))
    old.run()
    assert "old" in old.mirror.places
    assert old.mirror.bodies["old", "x.ics"] == event("x")


def test_that_somebody_elses_calendar_stays_is_told(old: Bench) -> None:
    old.mirror.foreign.add("old")
    assert old.run() == 0
    assert old.notes(Level.INFO) == ["Old: the calendar stays, since it is somebody else's"]


def test_a_source_without_any_calendar_deletes_none(old: Bench) -> None:
    old.source.calendars.clear()
    old.source.bodies.clear()
    before = dict(old.mirror.bodies)
    assert old.run() == 4
    assert (old.mirror.bodies, set(old.mirror.places)) == (before, {"work", "old"})
    assert old.notes(Level.ERROR) == ["there: here has no calendar at all: nothing is deleted"]


def test_an_empty_calendar_counts_as_a_deletion(old: Bench) -> None:
    old.mirror.options = MirrorOptions(mode="exact", delete=replace(CALENDARS, max=0))
    old.mirror.bodies.clear()
    assert old.run() == 4
    assert "old" in old.mirror.places


def test_a_calendar_that_is_not_deleted_is_named(old: Bench) -> None:
    old.mirror.refuses["old"] = "the server says 403 Forbidden"
    assert old.run() == 3
    assert old.notes(Level.ERROR) == ["Old: the server says 403 Forbidden"]


def test_a_calendar_is_not_deleted_that_somebody_writes_to_meanwhile(old: Bench) -> None:
    old.source.put("work", "c.ics", event("c"))
    old.once(lambda: old.mirror.bodies.update({("old", "y.ics"): event("y")}))
    assert old.run() == 3
    assert {("old", "x.ics"), ("old", "y.ics")} <= old.mirror.bodies.keys()
    assert "was written meanwhile" in old.notes(Level.ERROR)[0]


def test_a_calendar_that_cannot_be_read_is_not_deleted(old: Bench) -> None:
    old.mirror.unreadable.add("old")
    assert old.run() == 3
    assert old.mirror.done == []


def test_a_calendar_that_could_not_be_saved_is_not_deleted(old: Bench) -> None:
    old.safety = Broken()
    assert old.run() == 3
    assert old.mirror.done == []
    assert "not deleted, since what is there could not be saved" in old.notes(Level.ERROR)[0]


class Broken:
    """Saves nothing."""

    def protect(self, sink: str) -> None:
        raise ConnectorError(f"{sink} cannot be saved")

    def unsaved(self, sink: str, calendar: str, href: str | None) -> bool:
        del sink, calendar, href
        return False


# ------------------------------------------------------------------ lost midway


def test_a_calendar_that_cannot_be_read_is_not_written(bench: Bench) -> None:
    bench.mirror.options = EXACT
    bench.mirror.unreadable.add("work")
    bench.source.put("home", "c.ics", event("c"))
    del bench.source.bodies["work", "a.ics"]
    assert bench.run() == 3
    assert bench.mirror.done == ["create home", "+ home/c.ics"]


def test_a_calendar_that_breaks_off_loses_nothing(bench: Bench) -> None:
    bench.mirror.options = EXACT
    del bench.source.bodies["work", "a.ics"]
    bench.source.put("work", "c.ics", event("c"))
    bench.mirror.broken = CalendarError("somebody deleted it")
    assert bench.run() == 3
    assert bench.mirror.done == ["+ work/c.ics"]


def test_a_destination_that_is_lost_midway_loses_nothing(bench: Bench) -> None:
    bench.mirror.options = EXACT
    del bench.source.bodies["work", "a.ics"]
    bench.source.put("work", "c.ics", event("c"))
    bench.mirror.broken = TemporaryError("the connection was lost")
    assert bench.run() == 75
    assert bench.mirror.done == ["+ work/c.ics"]
    bench.mirror.broken = None
    assert bench.run() == 0
    assert bench.mirror.done == ["- work/a.ics"]


# ------------------------------------------------------------------ kept though refused


@pytest.fixture
def rejected(bench: Bench, tmp_path: Path) -> Path:
    """The folder where the bench keeps what is refused."""
    folder = tmp_path / "rejected"
    bench.mirror.options = MirrorOptions(rejected=folder)
    return folder / "there"


def names(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*.*"))


@pytest.mark.parametrize("beforehand", [True, False])
def test_what_is_refused_is_kept_with_the_words(
    bench: Bench, rejected: Path, *, beforehand: bool
) -> None:
    (bench.mirror.objects if beforehand else bench.mirror.refuses)["c"] = "403 Forbidden"
    bench.source.put("work", "c.ics", event("c"))
    assert bench.run() == 3
    assert names(rejected) == ["work/c.ics", "work/c.txt"]
    assert (rejected / "work/c.ics").read_bytes() == event("c")
    words = (rejected / "work/c.txt").read_text()
    assert words == "Lunch (Mon 4 May 2026, 11:00 UTC)\nUID c\n403 Forbidden\n"


def test_what_is_taken_in_the_end_is_kept_no_more(bench: Bench, rejected: Path) -> None:
    bench.mirror.refuses["c"] = "403 Forbidden"
    bench.source.put("work", "c.ics", event("c"))
    assert bench.run() == 3
    (rejected / "work/mine.ics").write_text("mine")
    bench.mirror.refuses.clear()
    assert bench.run() == 0
    assert names(rejected) == ["work/mine.ics"]


def test_a_plan_keeps_nothing(bench: Bench, rejected: Path) -> None:
    bench.mirror.objects["c"] = "403 Forbidden"
    bench.source.put("work", "c.ics", event("c"))
    assert bench.run(dry=True) == 3
    assert not rejected.exists()


def test_what_is_in_a_calendar_that_is_refused_is_kept(
    bench: Bench, rejected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise CalendarError("too many calendars")

    monkeypatch.setattr(MemoryMirror, "create", refuse)
    bench.source.put("home", "c.ics", event("c"))
    assert bench.run() == 3
    assert names(rejected) == ["home/c.ics", "home/c.txt"]
    assert "too many calendars" in (rejected / "home/c.txt").read_text()


def test_a_folder_that_cannot_be_used_is_told_once(bench: Bench, rejected: Path) -> None:
    rejected.parent.write_text("in the way")
    for name in "cd":
        bench.mirror.refuses[name] = "403 Forbidden"
        bench.source.put("work", f"{name}.ics", event(name))
    assert bench.run() == 3
    (warning,) = bench.notes(Level.WARNING)
    assert f"what is refused cannot be kept in {rejected.parent}" in warning


# ------------------------------------------------------------------ rewritten


def shout(body: bytes) -> bytes:
    return body.replace(b"Lunch", b"LUNCH")


def louder(body: bytes) -> bytes:
    return body.replace(b"PRODID:", b"PRODID:-//server//")


@pytest.mark.parametrize("on_conflict", ["newest", "keep_source", "fail"])
def test_what_the_destination_rewrites_is_not_written_again(bench: Bench, on_conflict: str) -> None:
    bench.mirror.options = MirrorOptions(on_conflict=on_conflict)
    bench.mirror.rewrite = louder
    bench.source.put("work", "c.ics", event("c"))
    assert bench.run() == 0
    assert bench.mirror.done == ["+ work/c.ics"]
    assert bench.run() == 0
    assert bench.mirror.done == []
    assert bench.counts() == {"unchanged": 3}


def test_what_is_lost_on_the_way_is_an_error_once(bench: Bench) -> None:
    bench.mirror.rewrite = shout
    bench.source.put("work", "c.ics", event("c"))
    assert bench.run() == 3
    assert "did not come back as written" in bench.notes(Level.ERROR)[0]
    assert bench.run() == 0
    assert bench.counts() == {"unchanged": 3}


def test_a_change_by_hand_of_what_was_rewritten_is_seen(bench: Bench) -> None:
    bench.mirror.options = MirrorOptions(on_conflict="keep_source")
    bench.mirror.rewrite = louder
    bench.source.put("work", "c.ics", event("c"))
    bench.run()
    bench.mirror.bodies["work", "c.ics"] = event("c", "By hand")
    bench.run()
    assert bench.mirror.done == ["~ work/c.ics"]


@pytest.mark.parametrize("on_conflict", ["newest", "fail"])
def test_what_is_only_spelled_otherwise_is_no_other_version_without_a_memory_either(
    bench: Bench, tmp_path: Path, on_conflict: str
) -> None:
    bench.mirror.options = MirrorOptions(on_conflict=on_conflict)
    bench.mirror.rewrite = louder
    bench.source.put("work", "c.ics", event("c"))
    bench.run()
    shutil.rmtree(tmp_path / "mirrors")
    for dry in (True, False):
        assert bench.run(dry=dry) == 0
        assert bench.counts() == {"unchanged": 3}
        assert bench.notes(Level.WARNING) == []


def test_what_neither_side_decides_is_told(bench: Bench) -> None:
    bench.mirror.bodies["work", "a.ics"] = event("a", "Theirs")
    assert bench.run() == 0
    (note,) = bench.notes(Level.WARNING)
    assert note.endswith("neither version is newer, the destination's is kept")
    assert bench.counts() == {"unchanged": 1, "kept": 1}


def escaped(body: bytes) -> bytes:
    return body.replace(b"UID:c", b"UID:c\\;")


def test_an_item_whose_uid_is_rewritten_is_still_the_one_that_was_written(bench: Bench) -> None:
    bench.mirror.options = EXACT
    bench.mirror.rewrite = escaped
    bench.source.put("work", "c.ics", event("c"))
    bench.run()
    assert bench.mirror.done == ["+ work/c.ics"]
    bench.run()
    assert bench.mirror.done == []
    del bench.source.bodies["work", "c.ics"]
    bench.run()
    assert bench.mirror.done == ["- work/c.ics"]


def test_where_nothing_is_read_back_items_are_compared_anew(bench: Bench) -> None:
    bench.mirror.options = MirrorOptions(on_conflict="keep_source", verify="none")
    bench.mirror.rewrite = louder
    bench.source.put("work", "c.ics", event("c"))
    bench.run()
    assert bench.run() == 0
    assert bench.mirror.done == []
    assert bench.counts() == {"unchanged": 3}


def test_a_version_that_is_not_newer_is_written_where_it_says_something_else(bench: Bench) -> None:
    bench.mirror.options = MirrorOptions(on_conflict="keep_source")
    bench.mirror.bodies["work", "a.ics"] = event("a", "Theirs")
    assert bench.run() == 0
    assert bench.mirror.done == ["~ work/a.ics"]
    (note,) = bench.notes(Level.INFO)
    assert note.endswith("neither version is newer, the source's replaces it")


# ------------------------------------------------------------------ the plan and the run


def test_the_run_does_what_the_plan_showed(bench: Bench) -> None:
    bench.mirror.options = EXACT
    del bench.source.bodies["work", "a.ics"]
    bench.source.put("work", "b.ics", event("b", "Later", 1))
    bench.source.put("home", "c.ics", event("c"))
    assert bench.run(dry=True) == 0
    planned, counts = [e for e in bench.events if isinstance(e, Planned)], bench.counts()
    assert bench.mirror.done == []
    assert bench.run() == 0
    assert [e for e in bench.events if isinstance(e, Planned)] == planned
    assert (
        bench.counts()
        == counts
        == {
            "calendars": 1,
            "added": 1,
            "changed": 1,
            "deleted": 1,
        }
    )


def test_a_plan_says_how_many_people_may_be_mailed(bench: Bench) -> None:
    bench.mirror.options = EXACT
    del bench.source.bodies["work", "a.ics"]
    for name, guest in (("d", "bob"), ("e", "BOB"), ("f", "carol")):
        body = event(name).replace(
            b"END:VEVENT", f"ATTENDEE:mailto:{guest}@example.org\r\nEND:VEVENT".encode()
        )
        bench.source.put("work", f"{name}.ics", body)
    assert bench.run(dry=True) == 0
    ended = bench.events[-2]
    assert isinstance(ended, StepFinished)
    assert ended.summary.endswith("up to 2 people may be mailed")
    assert bench.run() == 0
    assert not any("mailed" in e.summary for e in bench.events if isinstance(e, StepFinished))


def test_a_plan_says_in_words_what_changes_in_each_item(bench: Bench) -> None:
    bench.mirror.options = EXACT
    del bench.source.bodies["work", "a.ics"]
    bench.source.put("work", "b.ics", event("b", "Later", 1))
    bench.source.put("home", "c.ics", event("c").replace(b"SEQ", b"LOCATION:Canteen\r\nSEQ"))
    assert bench.run(dry=True, diff=True) == 0
    planned = {e.sign: e for e in bench.events if isinstance(e, Planned) if e.label[0] != "c"}
    assert planned["~"].changes == ('renamed "Lunch" to "Later"',)
    assert planned["+"].changes == ("at Canteen",)
    assert planned["-"].changes == ()
    counts = bench.counts()
    assert bench.run() == 0
    assert bench.counts() == counts


def test_a_plan_tells_what_changes_while_it_is_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.source.put("work", "b.ics", event("b", "Later", 1))
    monkeypatch.setattr(MemoryMirror, "reread", lambda *_: iter(()))
    assert bench.run(dry=True, diff=True) == 0
    (planned,) = (e for e in bench.events if isinstance(e, Planned))
    assert planned.changes == ("it changes while it is looked at",)
