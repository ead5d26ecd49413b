"""What a person and a program are told of what was read back, from a real folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from caldav_run.connectors.mirroring import Order, Outcome, Target
from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sinks.ics import IcsSink
from caldav_run.engine.events import Deviated, Event, Level, Noted, Step
from caldav_run.engine.readback import Readback
from caldav_run.engine.recipient import Tally
from caldav_run.ical.version import version
from caldav_run.model import Calendar
from caldav_run.testing.contracts.bodies import event

STEP = Step("write", "there")
LUNCH = "Lunch (Mon 4 May 2026, 11:00 UTC)"


class Bench:
    """A folder into which some items were written, and what is told of them."""

    def __init__(self, folder: Path, context: Context, how: str = "full") -> None:
        self.folder = folder / "here" / "work"
        self.mirror = IcsSink.from_options({"path": str(folder), "verify": how}, context)
        self.mirror.create(self.mirror.target("here", Calendar(id="work")))
        self.target: Target = self.mirror.target("here", Calendar(id="work"))
        self.events: list[Event] = []
        self.tally = Tally(STEP, self.events.append, dry=False, detail=False)
        self.written: list[Outcome] = []

    def write(self, *names: str) -> None:
        orders = [_order(f"{name}.ics", event(name)) for name in names]
        self.written = list(self.mirror.apply(self.target, orders))

    def spoil(self, name: str, old: bytes, new: bytes) -> None:
        path = self.folder / f"{name}.ics"
        body = path.read_bytes()
        assert old in body
        path.write_bytes(body.replace(old, new))

    def check(self) -> Readback:
        readback = Readback(self.tally)
        list(readback.check(self.mirror, self.target, self.written))
        readback.finish()
        return readback

    def notes(self, level: Level) -> list[str]:
        return [e.text for e in self.events if isinstance(e, Noted) and e.level is level]


def _order(href: str, body: bytes) -> Order:
    return Order(version(body, href, None), None, lambda: body)


@pytest.fixture
def bench(tmp_path: Path, context: Callable[[str], Context]) -> Bench:
    return Bench(tmp_path, context("there"))


def test_equal_items_are_counted_and_nothing_is_told(bench: Bench) -> None:
    bench.write("a", "b")
    bench.check()
    assert bench.events == []
    assert bench.tally.remarks == ["read back: 2 equal"]
    assert bench.tally.failures == []


def test_each_deviation_is_an_event(bench: Bench) -> None:
    bench.write("a")
    bench.spoil("a", b"UID:a", b"UID:a\r\nCLASS:PUBLIC")
    bench.check()
    assert [each for each in bench.events if isinstance(each, Deviated)] == [
        Deviated(
            step=STEP,
            calendar="here/work",
            href="a.ics",
            label=LUNCH,
            rule="default value",
            place="VCALENDAR > VEVENT a",
            before=None,
            after="CLASS:PUBLIC",
        )
    ]
    assert bench.tally.failures == []


def test_a_rule_is_told_once_however_many_items_it_concerns(bench: Bench) -> None:
    bench.write("a", "b", "c")
    for name in "abc":
        bench.spoil(name, b"SUMMARY", b"CLASS:PUBLIC\r\nSUMMARY")
    bench.check()
    (note,) = bench.notes(Level.INFO)
    assert note.startswith("default value, 3 times: a property that says what holds without it")
    assert note.endswith("as in here/work: " + LUNCH + ": CLASS:PUBLIC was added")
    assert bench.tally.remarks == ["read back: 0 equal, 3 with 3 deviations"]


def test_a_loss_is_a_failure_of_its_item_that_names_what_differs(bench: Bench) -> None:
    bench.write("a", "b")
    bench.spoil("a", b"SUMMARY:Lunch", b"SUMMARY:Dinner")
    bench.check()
    assert bench.tally.failures == [3]
    (told,) = bench.notes(Level.ERROR)
    place, _, what = told.partition(": did not come back as written: ")
    assert place == f"here/work: {LUNCH}"
    assert what == "in VEVENT a: SUMMARY:Lunch came back as SUMMARY:Dinner"
    assert bench.tally.remarks == ["read back: 1 equal, 1 not as written"]


def test_of_many_losses_of_an_item_the_first_are_told(bench: Bench) -> None:
    bench.write("a")
    bench.spoil(
        "a", b"SUMMARY:Lunch", b"".join(b"X:%d\r\nCOMMENT:%d\r\n" % (n, n) for n in range(5))
    )
    bench.check()
    (told,) = bench.notes(Level.ERROR)
    assert "and 8 more" in told
    assert len([each for each in bench.events if isinstance(each, Deviated)]) == 11


def test_what_is_not_there_is_a_failure(bench: Bench) -> None:
    bench.write("a")
    (bench.folder / "a.ics").unlink()
    bench.check()
    assert bench.notes(Level.ERROR) == [f"here/work: {LUNCH}: is not there after writing"]


def test_the_summary_has_numbers_for_a_program(bench: Bench) -> None:
    bench.write("a", "b", "c")
    bench.spoil("a", b"SUMMARY:Lunch", b"SUMMARY:Dinner")
    bench.spoil("b", b"UID:b", b"UID:b\r\nCLASS:PUBLIC\r\nTRANSP:OPAQUE")
    bench.check()
    assert bench.tally.verified == {"equal": 1, "deviating": 1, "deviations": 2, "lost": 1}


def test_where_nothing_is_read_back_nothing_is_said(
    tmp_path: Path, context: Callable[[str], Context]
) -> None:
    bench = Bench(tmp_path, context("there"), "none")
    bench.write("a")
    bench.check()
    assert bench.tally.remarks == []
