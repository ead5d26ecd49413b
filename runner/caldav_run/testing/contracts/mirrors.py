"""The promises of `Mirror`: a sink with a present state."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Protocol

import pytest

from caldav_run.connectors.protocol import Mirror
from caldav_run.errors import CaldavRunError, ConnectorError, ItemError
from caldav_run.ical.canonical import digest
from caldav_run.ical.version import version
from caldav_run.model import Calendar, Version
from caldav_run.testing.contracts.bodies import event

_FAMILY = Calendar(
    id="family",
    display_name="Familie",
    color="#FF0000",
    order=3,
    description="What we do",
    components=("VEVENT",),
)


class MirrorPlace(Protocol):
    """A destination that starts empty."""

    def open(self) -> Mirror:
        """Return a sink that writes there."""

    def open_lost(self) -> Mirror:
        """Return a sink whose destination is not there: a wrong path, a closed port."""


def wanted(body: bytes, href: str) -> Version:
    """Return an item as the engine would want it."""
    return version(body, href, None)


def write(mirror: Mirror, bodies: Mapping[str, bytes], calendar: Calendar = _FAMILY) -> None:
    """Write items by href into a calendar, each new or over the one with its UID."""
    target = mirror.target("source", calendar)
    if not target.exists:
        mirror.create(target)
    present = {each.uid: each for each in mirror.present(target)}
    for href, body in bodies.items():
        mine = wanted(body, href)
        mirror.write(target, mine, body, present.get(mine.uid))
    mirror.finish(target)


def present(mirror: Mirror, calendar: Calendar = _FAMILY) -> dict[str, Version]:
    """Return what the destination holds, by UID."""
    return {each.uid: each for each in mirror.present(mirror.target("source", calendar))}


class MirrorContract:
    """Inherit from this and give the fixture `place`."""

    @pytest.fixture
    def place(self) -> MirrorPlace:
        """Return an empty destination."""
        raise NotImplementedError

    @pytest.fixture
    def mirror(self, place: MirrorPlace) -> Iterator[Mirror]:
        """Open the destination, and close it twice, which is safe."""
        mirror = place.open()
        yield mirror
        mirror.close()
        mirror.close()

    @pytest.fixture
    def other(self, place: MirrorPlace) -> Iterator[Mirror]:
        """Open the destination once more: somebody else who writes at the same time."""
        with contextlib.closing(place.open()) as mirror:
            yield mirror

    def test_looking_for_a_target_changes_nothing(self, mirror: Mirror) -> None:
        """A plan asks for every target and writes nothing."""
        assert not mirror.target("source", _FAMILY).exists
        assert not mirror.target("source", _FAMILY).exists

    def test_a_created_calendar_is_there_with_its_properties(
        self, mirror: Mirror, other: Mirror
    ) -> None:
        """Name and color at least; also before it holds an item."""
        mirror.create(mirror.target("source", _FAMILY))
        found = other.target("source", _FAMILY)
        assert found.exists
        assert found.calendar.title == "Familie"
        assert (found.calendar.color or "").startswith("#FF0000")
        assert other.present(found) == []

    def test_a_calendar_goes_to_the_same_target_every_time(
        self, mirror: Mirror, other: Mirror
    ) -> None:
        """Else every run would write everything anew."""
        write(mirror, {"a.ics": event("a")})
        assert mirror.target("source", _FAMILY).calendar.id == (
            other.target("source", _FAMILY).calendar.id
        )

    def test_what_was_written_is_present(self, mirror: Mirror, other: Mirror) -> None:
        """With the UID and the meaning that the source gave."""
        bodies = {"a.ics": event("a"), "b.ics": event("b", "Grüße ünd 🎂")}
        write(mirror, bodies)
        found = present(other)
        assert {each.digest for each in found.values()} == {digest(b) for b in bodies.values()}
        assert set(found) == {"a", "b"}

    @pytest.mark.parametrize(
        "href", ["with%20space.ics", "no-suffix", "%E4%BC%9A.ics", "a%2Fb.ics", "x" * 150 + ".ics"]
    )
    def test_an_item_with_an_odd_name_is_written_once(
        self, mirror: Mirror, other: Mirror, href: str
    ) -> None:
        """Whatever the destination then calls it."""
        write(mirror, {href: event("odd")})
        write(other, {href: event("odd", "Later", 1)})
        assert present(mirror)["odd"].digest == digest(event("odd", "Later", 1))
        assert len(mirror.present(mirror.target("source", _FAMILY))) == 1

    def test_an_item_is_replaced(self, mirror: Mirror, other: Mirror) -> None:
        """The new version is there instead of the old one."""
        write(mirror, {"a.ics": event("a")})
        write(mirror, {"a.ics": event("a", "Dinner", 1)})
        assert [each.digest for each in present(other).values()] == [
            digest(event("a", "Dinner", 1))
        ]

    def test_a_version_that_changed_meanwhile_is_not_overwritten(
        self, mirror: Mirror, other: Mirror
    ) -> None:
        """The plan saw another one, so it decided about another one."""
        write(mirror, {"a.ics": event("a")})
        target = mirror.target("source", _FAMILY)
        (seen,) = mirror.present(target)
        write(other, {"a.ics": event("a", "Theirs", 1)})
        mine = event("a", "Mine", 2)
        with pytest.raises(ItemError):
            mirror.write(target, wanted(mine, "a.ics"), mine, seen)
        assert present(other)["a"].digest == digest(event("a", "Theirs", 1))

    def test_an_item_that_appeared_meanwhile_is_not_overwritten(
        self, mirror: Mirror, other: Mirror
    ) -> None:
        """New means that no other item may be in its place."""
        mirror.create(target := mirror.target("source", _FAMILY))
        target = mirror.target("source", _FAMILY)
        assert mirror.present(target) == []
        write(other, {"a.ics": event("a", "Theirs")})
        mine = event("a", "Mine")
        with pytest.raises(ItemError):
            mirror.write(target, wanted(mine, "a.ics"), mine, None)
        assert present(other)["a"].digest == digest(event("a", "Theirs"))

    def test_finishing_again_changes_nothing(self, mirror: Mirror, other: Mirror) -> None:
        """A second run ends like the first."""
        write(mirror, {"a.ics": event("a")})
        before = present(mirror)
        mirror.finish(mirror.target("source", _FAMILY))
        assert present(other) == before

    def test_what_nobody_wrote_stays(self, mirror: Mirror, other: Mirror) -> None:
        """Writing one item leaves the others alone."""
        write(other, {"theirs.ics": event("theirs")})
        write(mirror, {"mine.ics": event("mine")})
        assert set(present(mirror)) == {"theirs", "mine"}

    def test_the_origin_stays_the_same(self, mirror: Mirror, other: Mirror) -> None:
        """It names the destination in the ledger and in reports."""
        assert mirror.origin() == other.origin() != ""

    def test_making_a_sink_does_not_touch_the_destination(self, place: MirrorPlace) -> None:
        """What is not there shows when the sink connects."""
        with contextlib.closing(place.open_lost()) as mirror:
            with pytest.raises(ConnectorError):
                mirror.origin()
            with pytest.raises(CaldavRunError):
                mirror.create(mirror.target("source", _FAMILY))

    def test_the_rules_are_known_ones(self, mirror: Mirror) -> None:
        """The engine decides by them."""
        assert mirror.on_conflict in {"newest", "keep_source", "keep_destination", "fail"}
        assert mirror.refuse_scheduled in {True, False}
