"""Whatever a source has and a destination holds: what must not be deleted is there after."""

from dataclasses import dataclass
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.engine.bench import NOW, keeping

from caldav_run.connectors.mirroring import Deletions, MirrorOptions
from caldav_run.engine.events import Event, StepFinished
from caldav_run.engine.guard import Expectation
from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.run import run
from caldav_run.errors import TemporaryError
from caldav_run.model import Calendar
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.memory import MemorySource
from caldav_run.testing.memory_mirror import MemoryMirror

CALENDARS = ("work", "home", "zoo")
NAMES = ("a", "b", "c", "d")
Key = tuple[str, str]

keys = st.tuples(st.sampled_from(CALENDARS), st.sampled_from(NAMES))
versions = st.integers(0, 2)
holdings = st.dictionaries(keys, versions, max_size=10)


@dataclass(frozen=True)
class World:
    """A source, a destination, and what goes wrong.

    Attributes:
        source: The source's items, with their version.
        there: The destination's.
        unread: What the source cannot read: an item, or with no name a whole calendar.
        excluded: The source's calendars that are not selected.
        filtered: The names of items that the filter leaves out.
        breaks: Whether the source breaks off before its last calendar.
        limit: How many items may be deleted.
    """

    source: dict[Key, int]
    there: dict[Key, int]
    unread: frozenset[tuple[str, str | None]]
    excluded: frozenset[str]
    filtered: frozenset[str]
    breaks: bool
    limit: int

    def named(self) -> set[str]:
        return {calendar for calendar, _ in self.source}

    def may_go(self, calendar: str, name: str) -> bool:
        """Return whether the rules allow that an item is deleted."""
        failed = (each for each in self.unread if each[1] is None or each in self.source)
        unread = {each for each, _ in failed}
        return (
            not self.breaks
            and calendar in self.named()
            and calendar not in unread
            and calendar not in self.excluded
            and name not in self.filtered
            and (calendar, name) not in self.source
        )


worlds = st.builds(
    World,
    source=holdings,
    there=holdings,
    unread=st.frozensets(
        st.tuples(st.sampled_from(CALENDARS), st.one_of(st.none(), st.sampled_from(NAMES))),
        max_size=1,
    ),
    excluded=st.frozensets(st.sampled_from(CALENDARS), max_size=1),
    filtered=st.frozensets(st.sampled_from(NAMES), max_size=2),
    breaks=st.booleans(),
    limit=st.integers(0, 6),
)


def body(key: Key, number: int) -> bytes:
    return event("-".join(key), f"Version {number}", number)


class Bench:
    """A world made real."""

    def __init__(self, world: World, mode: str, on_conflict: str = "newest") -> None:
        self.world = world
        self.source = MemorySource()
        for key, number in world.source.items():
            self.source.put(key[0], f"{key[1]}.ics", body(key, number))
        self.source.unreadable = {
            (calendar, name and f"{name}.ics") for calendar, name in world.unread
        }
        self.source.excluded = set(world.excluded)
        if world.breaks:
            self.source.broken = TemporaryError("the connection was lost")
        limits = Deletions(max=world.limit, max_ratio=1.0)
        self.mirror = MemoryMirror(MirrorOptions(mode=mode, on_conflict=on_conflict, delete=limits))
        for key, number in world.there.items():
            self.mirror.places.setdefault(key[0], Calendar(id=key[0]))
            self.mirror.bodies[key[0], f"{key[1]}.ics"] = body(key, number)
        self.before = dict(self.mirror.bodies)

    def run(self, *, dry: bool = False) -> tuple[int, dict[str, int]]:
        filtered = {f"{name}.ics" for name in self.world.filtered}
        job = Job(
            name="test",
            sources=(NamedSource("here", self.source),),
            filters=keeping(lambda view: view.item.href not in filtered),
            sinks=(NamedSink("there", self.mirror),),
            expect=Expectation(),
            timezone=UTC,
            now=NOW,
            dry=dry,
        )
        events: list[Event] = []
        status = run(job, events.append)
        (ended,) = [e for e in events if isinstance(e, StepFinished) and e.step.kind == "write"]
        return status, dict(ended.counts)

    def gone(self) -> set[Key]:
        left = self.before.keys() - self.mirror.bodies.keys()
        return {(calendar, href.removesuffix(".ics")) for calendar, href in left}


@given(worlds)
def test_only_what_the_rules_allow_is_deleted(world: World) -> None:
    bench = Bench(world, "exact")
    bench.run()
    assert all(world.may_go(*key) for key in bench.gone())


@given(worlds)
def test_all_that_the_rules_name_is_deleted_unless_it_is_too_much(world: World) -> None:
    bench = Bench(world, "exact")
    status, _ = bench.run()
    named = {key for key in world.there if world.may_go(*key)}
    if len(named) > world.limit:
        assert status == 4
        assert bench.gone() == set()
    else:
        assert bench.gone() == named


@given(worlds)
def test_a_merge_never_deletes(world: World) -> None:
    bench = Bench(world, "merge")
    bench.run()
    assert bench.gone() == set()


@given(worlds, st.sampled_from(["merge", "exact"]))
def test_a_second_run_changes_nothing(world: World, mode: str) -> None:
    bench = Bench(world, mode)
    bench.run()
    after = dict(bench.mirror.bodies)
    _, counts = bench.run()
    assert counts == {}
    assert bench.mirror.bodies == after


@given(worlds, st.sampled_from(["merge", "exact"]))
def test_a_run_does_what_the_plan_counted(world: World, mode: str) -> None:
    bench = Bench(world, mode)
    planned = bench.run(dry=True)
    assert bench.mirror.bodies == bench.before
    assert bench.run() == planned


@given(worlds)
def test_a_destination_that_is_exact_is_the_source_where_nothing_stands_against_it(
    world: World,
) -> None:
    calm = World(
        world.source, world.there, frozenset(), frozenset(), frozenset(), breaks=False, limit=99
    )
    bench = Bench(calm, "exact", "keep_source")
    assert bench.run()[0] == 0
    there = {key: each for key, each in bench.mirror.bodies.items() if key[0] in calm.named()}
    assert there == bench.source.bodies


# ------------------------------------------------------------------ events that move


@dataclass(frozen=True)
class Mover:
    """A source whose events have moved between calendars, and a destination that is difficult.

    Attributes:
        source: In which calendar the source has each event.
        there: In which calendars the destination has each.
        closed: Calendars that take nothing new.
        unreadable: Calendars that cannot be read there.
        objects: Events that are refused beforehand.
        refuses: Events that are refused when they are written.
        once: Whether each event can lie in one calendar only, and whether the plan knows that.
    """

    source: dict[str, str]
    there: frozenset[Key]
    closed: frozenset[str]
    unreadable: frozenset[str]
    objects: frozenset[str]
    refuses: frozenset[str]
    once: tuple[bool, bool]


some_calendars = st.frozensets(st.sampled_from(CALENDARS), max_size=1)
some_names = st.frozensets(st.sampled_from(NAMES), max_size=1)
movers = st.builds(
    Mover,
    source=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(CALENDARS)),
    there=st.frozensets(keys, max_size=6),
    closed=some_calendars,
    unreadable=some_calendars,
    objects=some_names,
    refuses=some_names,
    once=st.tuples(st.booleans(), st.booleans()),
)


@given(movers)
def test_no_event_that_the_source_has_is_lost_on_its_way_to_another_calendar(mover: Mover) -> None:
    source = MemorySource()
    for calendar in CALENDARS:
        source.calendars[calendar] = Calendar(id=calendar)
    for name, calendar in mover.source.items():
        source.put(calendar, f"{name}.ics", event(name))
    limits = Deletions(max=99, max_ratio=1.0, calendars=True)
    mirror = MemoryMirror(MirrorOptions(mode="exact", delete=limits))
    mirror.closed, mirror.unreadable = set(mover.closed), set(mover.unreadable)
    mirror.objects = dict.fromkeys(mover.objects, "it is objected to")
    mirror.refuses = dict.fromkeys(mover.refuses, "it is refused")
    mirror.one_place, mirror.only_once = mover.once[0], mover.once[0] and mover.once[1]
    for calendar, name in mover.there:
        mirror.places[calendar] = Calendar(id=calendar)
        mirror.bodies[calendar, f"{name}.ics"] = event(name, "As it was")
    job = Job(
        name="test",
        sources=(NamedSource("here", source),),
        filters=(),
        sinks=(NamedSink("there", mirror),),
        expect=Expectation(),
        timezone=UTC,
        now=NOW,
    )
    run(job, lambda _: None)
    left = {href.removesuffix(".ics") for _, href in mirror.bodies}
    assert left >= {name for _, name in mover.there} & mover.source.keys()
