"""Reading back what was written, from a real folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from caldav_run.connectors.mirroring import Mirror, Order, Outcome, Target
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
    assert "PRODID" in first.deviations[0]
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
