"""Reading back what was written, from a real folder."""

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import cast

import pytest

from caldav_run.connectors.mirroring import Held, Mirror, Order, Outcome, Target
from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sinks.ics import IcsSink
from caldav_run.engine.verify import Finding, verify
from caldav_run.ical.version import version
from caldav_run.model import Calendar
from caldav_run.testing.contracts.bodies import event


class Bench:
    """A folder with one calendar, and what was written there."""

    def __init__(self, mirror: Mirror, folder: Path) -> None:
        self.mirror = mirror
        self.folder = folder / "here" / "work"
        mirror.create(mirror.target("here", Calendar(id="work")))
        self.target: Target = mirror.target("here", Calendar(id="work"))
        bodies = {f"{name}.ics": event(name) for name in "ab"}
        orders = [_order(href, body) for href, body in bodies.items()]
        self.done: list[Outcome] = list(mirror.apply(self.target, orders))

    def put(self, names: Iterable[str]) -> None:
        orders = [_order(f"{name}.ics", event(name)) for name in names]
        self.done = list(self.mirror.apply(self.target, orders))

    def verify(self, how: str = "full") -> list[Finding]:
        found = verify(self.mirror, self.target, self.done, how)
        return sorted(found, key=lambda each: each.outcome.href or "")


def _order(href: str, body: bytes) -> Order:
    return Order(version(body, href, None), None, lambda: body)


@pytest.fixture
def bench(tmp_path: Path, context: Callable[[str], Context]) -> Bench:
    return Bench(IcsSink.from_options({"path": str(tmp_path)}, context("there")), tmp_path)


def test_what_is_as_it_was_meant_has_nothing_to_tell(bench: Bench) -> None:
    assert [(each.deviations, each.loss) for each in bench.verify()] == [((), None)] * 2


def test_what_the_destination_changes_is_told(bench: Bench) -> None:
    other = event("a").replace(b"PRODID:", b"PRODID:-//else//")
    (bench.folder / "a.ics").write_bytes(other)
    first, _ = bench.verify()
    assert first.loss is None
    assert [each.rule for each in first.deviations] == ["PRODID"]
    assert first.seen is not None
    assert first.seen.digest == version(other, "a.ics", None).digest


def test_what_the_destination_loses_is_a_loss(bench: Bench) -> None:
    (bench.folder / "a.ics").write_bytes(event("a", "Something else"))
    first, second = bench.verify()
    assert "Something else" in (first.loss or "")
    assert second.loss is None


def test_what_is_not_there_is_a_loss(bench: Bench) -> None:
    (bench.folder / "a.ics").unlink()
    first, _ = bench.verify()
    assert first.loss == "is not there after writing"


def test_nothing_is_read_where_nothing_shall_be(bench: Bench) -> None:
    assert bench.verify("none") == []
    assert len(bench.verify("sample")) == 2


def test_of_many_items_a_sample_reads_the_first_and_some_of_the_others(bench: Bench) -> None:
    bench.put(f"item-{number:04}" for number in range(700))
    found = [each.outcome for each in verify(bench.mirror, bench.target, bench.done, "sample")]
    assert set(bench.done[:50]) <= set(found)
    assert 60 < len(found) < 150


def test_all_of_many_items_are_read_by_batches(bench: Bench) -> None:
    bench.put(f"item-{number:04}" for number in range(700))
    assert {each.loss for each in bench.verify()} == {None}
    assert len(bench.verify()) == 700


def test_two_items_in_one_place_are_not_both_there(bench: Bench) -> None:
    first, second = bench.done
    bench.done = [first, second._replace(href="a.ics")]
    assert [each.loss is None for each in bench.verify()] == [True, False]


def test_what_the_destination_says_nothing_of_is_a_loss(bench: Bench) -> None:
    class Silent:
        options = bench.mirror.options
        meant = bench.mirror.meant

        def reread(self, target: Target, hrefs: Collection[str]) -> Iterator[Held]:
            yield from (each for each in bench.mirror.reread(target, hrefs) if each.href != "a.ics")

    found = list(verify(cast("Mirror", Silent()), bench.target, bench.done, "full"))
    assert sorted(each.loss or "" for each in found) == [
        "",
        "the destination says nothing of it after writing",
    ]


def test_what_cannot_be_read_back_is_a_loss(bench: Bench) -> None:
    (bench.folder / "a.ics").unlink()
    (bench.folder / "a.ics").mkdir()
    first, _ = bench.verify()
    assert (first.loss or "").startswith("cannot be read back: ")
