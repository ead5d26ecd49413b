"""Runs into a sink with a present state: a real folder."""

from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import pytest
from tests.unit.engine.bench import NOW, Bench

from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sinks.ics import IcsSink
from caldav_run.engine.events import Event, Level, State, StepFinished
from caldav_run.engine.guard import Expectation
from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.run import run
from caldav_run.errors import AccessError, TemporaryError
from caldav_run.model import Calendar
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.memory import MemorySource


@pytest.fixture
def bench(tmp_path: Path, context: Callable[[str], Context]) -> Bench:
    folder = tmp_path / "out"
    options = {"path": str(folder), "on_conflict": "newest"}
    made = Bench(folder, lambda: IcsSink.from_options(options, context("there")))
    made.source.put("work", "a.ics", event("a"))
    made.source.put("work", "b.ics", event("b"))
    return made


def test_a_run_writes_what_the_source_has(bench: Bench) -> None:
    assert bench.run() == 0
    assert bench.files() == ["here/work/a.ics", "here/work/b.ics"]
    assert bench.states() == {"read here": State.OK, "write there": State.CHANGED}


def test_the_bytes_are_the_source_s(bench: Bench) -> None:
    bench.run()
    assert (bench.folder / "here/work/a.ics").read_bytes() == event("a")


def test_a_second_run_changes_nothing(bench: Bench) -> None:
    bench.run()
    assert bench.run() == 0
    assert bench.states()["write there"] is State.OK
    assert bench.planned() == []


def test_a_plan_tells_what_the_run_then_does_and_writes_nothing(bench: Bench) -> None:
    assert bench.run(dry=True) == 0
    planned = bench.planned()
    assert not bench.folder.exists()
    assert bench.states()["write there"] is State.WOULD_CHANGE
    bench.run()
    assert bench.planned() == planned


def test_a_merge_never_deletes(bench: Bench) -> None:
    bench.run()
    del bench.source.bodies["work", "a.ics"]
    bench.run()
    assert bench.files() == ["here/work/a.ics", "here/work/b.ics"]


def test_a_bad_item_is_named_and_the_rest_goes_on(bench: Bench) -> None:
    bench.source.unreadable.add(("work", "a.ics"))
    assert bench.run() == 3
    assert bench.files() == ["here/work/b.ics"]
    assert bench.notes(Level.ERROR) == ["here/work/a.ics: the item cannot be read"]


def test_a_bad_calendar_is_named_and_the_rest_goes_on(bench: Bench) -> None:
    bench.source.put("family", "c.ics", event("c"))
    bench.source.unreadable.add(("work", None))
    assert bench.run() == 3
    assert bench.files() == ["here/family/c.ics"]
    assert bench.states()["read here"] is State.FAILED


def test_a_source_that_breaks_off_leaves_what_it_gave(bench: Bench) -> None:
    bench.source.put("family", "c.ics", event("c"))
    bench.source.broken = TemporaryError("the connection was lost")
    assert bench.run() == 75
    assert bench.files() == ["here/family/c.ics"]


def test_a_source_that_cannot_be_reached_does_not_stop_the_others(bench: Bench) -> None:
    other = MemorySource("other")
    other.put("home", "c.ics", event("c"))
    bench.source.lost = AccessError("the password is wrong")
    bench.more = (NamedSource("other", other),)
    assert bench.run() == 77
    assert bench.files() == ["other/home/c.ics"]
    assert bench.notes(Level.ERROR) == ["here: the password is wrong"]


def test_failures_of_two_kinds_are_just_failures(bench: Bench) -> None:
    bench.source.lost = AccessError("the password is wrong")
    bench.more = (NamedSource("other", MemorySource(lost=TemporaryError("timeout"))),)
    assert bench.run() == 1


def test_a_tripped_guard_writes_nothing_to_a_destination(bench: Bench) -> None:
    bench.expect = Expectation(min_items=3)
    assert bench.run() == 4
    assert bench.files() == []
    assert bench.states() == {"read here": State.GUARDED, "write there": State.GUARDED}


def test_calendars_that_would_meet_unasked_are_refused(
    bench: Bench, context: Callable[[str], Context]
) -> None:
    rename(bench, context, {"work": "family"})
    bench.source.put("family", "c.ics", event("c"))
    assert bench.run() == 3
    assert bench.files() == ["here/family/c.ics"]
    (note,) = bench.notes(Level.ERROR)
    assert '"here/family" and "here/work" would meet' in note


def test_calendars_of_one_name_do_not_pass_for_one(
    bench: Bench, context: Callable[[str], Context]
) -> None:
    rename(bench, context, {"home": "work"})
    bench.source.calendars["work"] = Calendar(id="work", display_name="Mine")
    bench.source.put("home", "c.ics", event("c"))
    bench.source.calendars["home"] = Calendar(id="home", display_name="Mine")
    assert bench.run() == 3


def test_calendars_that_are_both_mapped_may_meet(
    bench: Bench, context: Callable[[str], Context]
) -> None:
    rename(bench, context, {"work": "all", "family": "all"})
    bench.source.put("family", "c.ics", event("c"))
    assert bench.run() == 0
    assert bench.files() == ["here/all/a.ics", "here/all/b.ics", "here/all/c.ics"]


def rename(bench: Bench, context: Callable[[str], Context], names: dict[str, str]) -> None:
    options = {"path": str(bench.folder), "on_conflict": "newest", "rename": names}
    bench.sink = lambda: IcsSink.from_options(options, context("there"))


def test_an_interrupted_run_ends_with_130(bench: Bench) -> None:
    def interrupted(event: Event) -> None:
        bench.events.append(event)
        if isinstance(event, StepFinished):
            raise KeyboardInterrupt

    job = Job(
        name="test",
        sources=(NamedSource("here", bench.source),),
        filters=(),
        sinks=(NamedSink("there", bench.sink()),),
        expect=Expectation(),
        timezone=UTC,
        now=NOW,
    )
    assert run(job, interrupted) == 130
