"""Runs with `mode: exact`: what is deleted, and above all what is not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.engine.bench import Bench, keeping

from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sinks.ics import IcsSink
from caldav_run.engine.events import Level, State
from caldav_run.engine.guard import Expectation
from caldav_run.engine.job import NamedSource
from caldav_run.errors import AccessError, ConnectorError, TemporaryError
from caldav_run.model import Calendar
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.memory import MemorySource

ANY = {"max": 1000, "max_ratio": 1}


class Setting:
    """A bench whose folder is an exact mirror of "work" with "a", "b" and "c"."""

    def __init__(self, bench: Bench, context: Callable[[str], Context]) -> None:
        self.bench = bench
        self.source = bench.source
        self._context = context
        for name in "abc":
            self.source.put("work", f"{name}.ics", event(name))
        self.options(delete=ANY)

    def options(self, **options: object) -> None:
        chosen = {"path": str(self.bench.folder), "mode": "exact", "delete": ANY, **options}
        self.bench.sink = lambda: IcsSink.from_options(chosen, self._context("there"))

    def drop(self, name: str, calendar: str = "work") -> None:
        del self.source.bodies[calendar, f"{name}.ics"]

    def files(self) -> list[str]:
        return [each.removeprefix("here/work/") for each in self.bench.files()]


@pytest.fixture
def setting(tmp_path: Path, context: Callable[[str], Context]) -> Setting:
    """The folder as a first run leaves it."""
    made = Setting(Bench(tmp_path / "out", _no_sink), context)
    assert made.bench.run() == 0
    return made


def _no_sink() -> IcsSink:
    raise NotImplementedError


# ------------------------------------------------------------------ what is deleted


def test_what_the_source_has_no_more_is_deleted(setting: Setting) -> None:
    setting.drop("a")
    assert setting.bench.run() == 0
    assert setting.files() == ["b.ics", "c.ics"]
    assert setting.bench.counts() == {"deleted": 1, "unchanged": 2}
    assert [each[:12] for each in setting.bench.planned()] == ["- here/work:"]


def test_a_plan_shows_the_deletions_and_deletes_nothing(setting: Setting) -> None:
    setting.drop("a")
    assert setting.bench.run(dry=True) == 0
    planned, counts = setting.bench.planned(), setting.bench.counts()
    assert setting.files() == ["a.ics", "b.ics", "c.ics"]
    assert [each[0] for each in planned] == ["-"]
    assert setting.bench.states()["write there"] is State.WOULD_CHANGE
    setting.bench.run()
    assert (setting.bench.planned(), setting.bench.counts()) == (planned, counts)


def test_a_second_run_changes_nothing(setting: Setting) -> None:
    setting.drop("a")
    setting.bench.run()
    assert setting.bench.run() == 0
    assert setting.bench.planned() == []
    assert setting.bench.counts() == {"unchanged": 2}


def test_deletions_come_after_everything_else(setting: Setting) -> None:
    setting.drop("a")
    setting.source.put("home", "d.ics", event("d"))
    setting.source.put("zoo", "e.ics", event("e"))
    setting.bench.run()
    assert [each[0] for each in setting.bench.planned()] == ["+", "+", "+", "+", "-"]


def test_a_calendar_that_the_source_has_no_more_stays(setting: Setting) -> None:
    setting.source.put("home", "d.ics", event("d"))
    for name in "abc":
        setting.drop(name)
    del setting.source.calendars["work"]
    assert setting.bench.run() == 0
    assert setting.bench.files() == [
        "here/home/d.ics",
        *(f"here/work/{name}.ics" for name in "abc"),
    ]


# ------------------------------------------------------------------ unread is never deleted


def test_nothing_goes_from_a_calendar_with_an_unread_item(setting: Setting) -> None:
    setting.drop("a")
    setting.source.unreadable.add(("work", "b.ics"))
    assert setting.bench.run() == 3
    assert setting.files() == ["a.ics", "b.ics", "c.ics"]
    assert "work: nothing is deleted there" in " ".join(setting.bench.notes(Level.WARNING))


@pytest.mark.parametrize("dry", [False, True])
def test_nothing_goes_from_a_calendar_that_a_backup_had_filtered(
    setting: Setting, *, dry: bool
) -> None:
    setting.drop("a")
    setting.source.filtered.add("work")
    assert setting.bench.run(dry=dry) == 0
    assert setting.files() == ["a.ics", "b.ics", "c.ics"]
    why = "work: nothing is deleted there: the filters of the backup had left out items of it"
    assert why in " ".join(setting.bench.notes(Level.WARNING))


def test_nothing_goes_from_an_unread_calendar(setting: Setting) -> None:
    setting.source.unreadable.add(("work", None))
    assert setting.bench.run() == 3
    assert setting.files() == ["a.ics", "b.ics", "c.ics"]


def test_another_calendar_that_was_read_is_made_exact_all_the_same(setting: Setting) -> None:
    setting.source.put("home", "d.ics", event("d"))
    setting.source.put("home", "e.ics", event("e"))
    setting.bench.run()
    setting.drop("e", "home")
    setting.source.unreadable.add(("work", "b.ics"))
    assert setting.bench.run() == 3
    assert setting.bench.files()[0] == "here/home/d.ics"
    assert len(setting.files()) == 4


def test_nothing_goes_when_a_source_breaks_off(setting: Setting) -> None:
    setting.source.put("zoo", "e.ics", event("e"))
    setting.source.broken = TemporaryError("the connection was lost")
    setting.drop("a")
    assert setting.bench.run() == 75
    assert setting.files() == ["a.ics", "b.ics", "c.ics"]


@pytest.mark.parametrize("what", ["lost", "broken", "guarded", "left out"])
def test_nothing_goes_when_another_source_was_not_read(setting: Setting, what: str) -> None:
    other = MemorySource("other")
    setting.bench.more = (NamedSource("other", other),)
    setting.drop("a")
    if what == "lost":
        other.lost = AccessError("the password is wrong")
    elif what == "broken":
        other.put("x", "x.ics", event("x"))
        other.broken = TemporaryError("the connection was lost")
    elif what == "guarded":
        setting.bench.expect = Expectation(min_items=1)
    else:
        setting.bench.more, setting.bench.left_out = (), ("other",)
    setting.bench.run()
    assert setting.files() == ["a.ics", "b.ics", "c.ics"]
    assert "nothing is deleted: other" in " ".join(setting.bench.notes(Level.WARNING))


def test_an_empty_source_destroys_nothing(setting: Setting) -> None:
    for name in "abc":
        setting.drop(name)
    setting.bench.expect = Expectation(min_items=1)
    assert setting.bench.run() == 4
    assert setting.files() == ["a.ics", "b.ics", "c.ics"]


def test_nothing_goes_where_an_item_is_older_than_the_reading(setting: Setting) -> None:
    # What a snapshot carries forward was not read: what else was not is not known.
    setting.source.stale.add(("work", "b.ics"))
    setting.drop("a")
    setting.bench.run()
    assert setting.files() == ["a.ics", "b.ics", "c.ics"]


@pytest.mark.parametrize("left", [b"", event("b").partition(b"b\r\n")[0]], ids=["empty", "cut"])
@pytest.mark.parametrize("kept", [True, False], ids=["kept", "left out"])
def test_nothing_goes_from_a_calendar_with_a_broken_item(
    setting: Setting, left: bytes, *, kept: bool
) -> None:
    # A file that somebody is writing no longer says which event it is.
    setting.bench.filters = keeping(lambda view: kept or view.item.body != left)
    setting.source.put("work", "b.ics", left)
    setting.drop("a")
    setting.bench.run()
    assert {"a.ics", "b.ics", "c.ics"} <= set(setting.files())
    assert (setting.bench.folder / "here/work/b.ics").read_bytes() == event("b")
    assert "here/work: nothing is deleted there: b.ics is broken at the source" in (
        setting.bench.notes(Level.WARNING)
    )
    setting.source.put("work", "b.ics", event("b"))
    setting.bench.run()
    assert (len(setting.files()), setting.bench.notes(Level.WARNING)) == (2, [])


# ------------------------------------------------------------------ what a filter leaves out


@pytest.mark.parametrize("own", [False, True])
def test_what_a_filter_leaves_out_stays(setting: Setting, *, own: bool) -> None:
    filters = keeping(lambda view: view.item.href != "a.ics")
    if own:
        setting.bench.own_filters = filters
    else:
        setting.bench.filters = filters
    setting.drop("a")
    setting.drop("b")
    assert setting.bench.run() == 0
    assert setting.files() == ["a.ics", "c.ics"]
    assert (filters[0].kept, filters[0].dropped) == (1, 0)


def test_what_a_filter_leaves_out_of_the_source_stays_too(setting: Setting) -> None:
    setting.bench.filters = keeping(lambda view: view.item.href != "a.ics")
    assert setting.bench.run() == 0
    assert setting.files() == ["a.ics", "b.ics", "c.ics"]


def test_what_a_filter_cannot_tell_stays(setting: Setting) -> None:
    setting.bench.filters = keeping(lambda _: True, "it cannot tell")
    setting.drop("a")
    assert setting.bench.run() == 0
    assert setting.files() == ["a.ics", "b.ics", "c.ics"]
    assert "not deleted, since 1 keeps: it cannot tell" in " ".join(
        setting.bench.notes(Level.WARNING)
    )


def test_a_filter_sees_the_calendar_and_the_source_that_it_would_come_from(
    setting: Setting,
) -> None:
    setting.bench.filters = keeping(
        lambda view: (view.calendar.id, view.source) == ("work", "here")
    )
    setting.drop("a")
    setting.bench.run()
    assert setting.files() == ["b.ics", "c.ics"]


# ------------------------------------------------------------------ guards


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"max": 1, "max_ratio": 1}, "2 of 3 items would be deleted, but delete.max is 1"),
        ({"max": 9, "max_ratio": "10%"}, "but delete.max_ratio is 10%"),
    ],
)
@pytest.mark.parametrize("dry", [False, True])
def test_too_much_is_not_deleted_and_the_rest_is_done(
    setting: Setting, limits: dict[str, object], words: str, *, dry: bool
) -> None:
    setting.options(delete=limits)
    setting.drop("a")
    setting.drop("b")
    setting.source.put("work", "d.ics", event("d"))
    assert setting.bench.run(dry=dry) == 4
    assert setting.files() == ["a.ics", "b.ics", "c.ics", *["d.ics"] * (not dry)]
    assert words in setting.bench.notes(Level.ERROR)[0]
    assert sorted(each[0] for each in setting.bench.planned()) == ["!", "!", "+"]
    assert setting.bench.states()["write there"] is State.GUARDED


def test_by_default_a_tenth_may_go(setting: Setting) -> None:
    setting.options(delete=None)
    for number in range(20):
        setting.source.put("work", f"{number}.ics", event(f"{number}"))
    setting.bench.run()
    setting.drop("1")
    setting.drop("2")
    assert setting.bench.run() == 0
    for name in ("3", "4", "5"):
        setting.drop(name)
    assert setting.bench.run() == 4
    assert len(setting.files()) == 21


def test_at_most_a_few_may_go_by_default(setting: Setting) -> None:
    setting.options(delete=None)
    for number in range(300):
        setting.source.put("work", f"{number}.ics", event(f"{number}"))
    setting.bench.run()
    for number in range(26):
        setting.drop(f"{number}")
    assert setting.bench.run() == 4
    assert len(setting.files()) == 303


# ------------------------------------------------------------------ other programs, other sources


def test_what_another_program_put_there_stays_and_is_named(setting: Setting) -> None:
    (setting.bench.folder / "here/work/theirs.ics").write_bytes(event("theirs"))
    assert setting.bench.run() == 3
    assert "theirs.ics" in setting.files()
    assert "another program put it there" in setting.bench.notes(Level.ERROR)[0]


def test_calendars_that_meet_do_not_delete_each_others_items(setting: Setting) -> None:
    setting.options(rename={"work": "all", "home": "all"})
    setting.source.put("home", "d.ics", event("d"))
    setting.source.put("home", "e.ics", event("e"))
    setting.bench.run()
    setting.drop("e", "home")
    assert setting.bench.run() == 0
    met = [each for each in setting.bench.files() if each.startswith("here/all/")]
    assert met == [f"here/all/{name}.ics" for name in "abcd"]


@pytest.mark.parametrize("mode", ["exact", "merge"])
def test_items_of_one_name_in_calendars_that_meet_both_stay(setting: Setting, mode: str) -> None:
    setting.options(mode=mode, rename={"work": "all", "home": "all"})
    setting.source.put("home", "a.ics", event("x"))
    assert setting.bench.run() == 0
    for _ in range(2):
        assert setting.bench.run() == 0
        assert setting.bench.planned() == []
    bodies = [each.read_bytes() for each in (setting.bench.folder / "here/all").glob("*.ics")]
    assert sorted(bodies) == sorted(map(event, "abcx"))


def test_a_calendar_that_may_not_meet_another_one_keeps_all_from_being_deleted(
    setting: Setting,
) -> None:
    setting.options(rename={"zoo": "work"})
    setting.source.put("zoo", "e.ics", event("e"))
    setting.drop("a")
    assert setting.bench.run() == 3
    assert setting.files() == ["a.ics", "b.ics", "c.ics"]


def test_one_event_in_two_calendars_that_meet_is_written_once(setting: Setting) -> None:
    setting.options(rename={"work": "all", "home": "all"})
    setting.source.put("home", "other.ics", event("a", "Later", 7))
    assert setting.bench.run() == 0
    assert len([each for each in setting.bench.files() if each.startswith("here/all/")]) == 3
    bodies = [each.read_bytes() for each in (setting.bench.folder / "here/all").glob("*.ics")]
    assert event("a", "Later", 7) in bodies
    assert setting.bench.run() == 0
    assert setting.bench.planned() == []
    assert any("another calendar's version" in each for each in setting.bench.notes(Level.INFO))


# ------------------------------------------------------------------ saved before


class Safe:
    """Remembers what it was asked to save, and what was there then."""

    def __init__(self, bench: Bench, error: ConnectorError | None = None) -> None:
        self.asked: list[tuple[str, int]] = []
        self._bench = bench
        self._error = error

    def protect(self, sink: str) -> None:
        self.asked.append((sink, len(self._bench.files())))
        if self._error is not None:
            raise self._error

    def unsaved(self, sink: str, calendar: str, href: str | None) -> bool:
        del sink, calendar, href
        return False


def test_a_destination_is_saved_once_before_anything_is_written(setting: Setting) -> None:
    setting.bench.safety = safe = Safe(setting.bench)
    setting.drop("a")
    setting.source.put("work", "b.ics", event("b", "Later", 1))
    setting.source.put("home", "d.ics", event("d"))
    assert setting.bench.run() == 0
    assert safe.asked == [("there", 3)]


def test_a_destination_is_not_saved_when_nothing_of_it_is_lost(setting: Setting) -> None:
    setting.bench.safety = safe = Safe(setting.bench)
    setting.source.put("home", "d.ics", event("d"))
    assert setting.bench.run() == 0
    assert safe.asked == []


def test_a_plan_saves_nothing(setting: Setting) -> None:
    setting.bench.safety = safe = Safe(setting.bench)
    setting.drop("a")
    setting.bench.run(dry=True)
    assert safe.asked == []


def test_what_could_not_be_saved_is_neither_replaced_nor_deleted(setting: Setting) -> None:
    setting.bench.safety = Safe(setting.bench, ConnectorError("the disk is full"))
    setting.drop("a")
    setting.source.put("work", "b.ics", event("b", "Later", 1))
    setting.source.put("work", "d.ics", event("d"))
    assert setting.bench.run() == 3
    assert setting.files() == ["a.ics", "b.ics", "c.ics", "d.ics"]
    assert (setting.bench.folder / "here/work/b.ics").read_bytes() == event("b")
    first, second = setting.bench.notes(Level.ERROR)
    assert "not written, since what is there could not be saved before: the disk is full" in first
    assert "not deleted, since" in second


def test_a_renamed_calendar_is_planned_as_one(setting: Setting) -> None:
    setting.source.calendars["work"] = replace(Calendar(id="work"), display_name="Work")
    assert setting.bench.run() == 0
    assert setting.bench.planned() == []
