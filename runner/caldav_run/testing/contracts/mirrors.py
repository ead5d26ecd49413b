"""The promises of `Mirror`: a sink with a present state."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Protocol

import pytest

from caldav_run.connectors.mirroring import Mirror, Order, Outcome, Target
from caldav_run.errors import CaldavRunError, ConnectorError, MovedError
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


def order(wanted: Version | None, body: bytes, replaces: Version | None) -> Order:
    """Return what tells a mirror to do one thing."""
    return Order(wanted, replaces, lambda: body)


def put(
    mirror: Mirror, target: Target, wanted: Version | None, body: bytes, replaces: Version | None
) -> Outcome:
    """Have one thing done.

    Raises:
        ItemError: It was not.
    """
    (outcome,) = mirror.apply(target, [order(wanted, body, replaces)])
    if outcome.error is not None:
        raise outcome.error
    return outcome


def write(mirror: Mirror, bodies: Mapping[str, bytes], calendar: Calendar = _FAMILY) -> None:
    """Write items by href into a calendar, each new or over the one with its UID."""
    target = mirror.target("source", calendar)
    if not target.exists:
        mirror.create(target)
    present = {each.uid: each for each in mirror.present(target)}
    versions = [(wanted(body, href), body) for href, body in bodies.items()]
    orders = (order(mine, body, present.get(mine.uid)) for mine, body in versions)
    for outcome in mirror.apply(target, orders):
        if outcome.error is not None:
            raise outcome.error
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
        with pytest.raises(MovedError):
            put(mirror, target, wanted(mine, "a.ics"), mine, seen)
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
        with pytest.raises(MovedError):
            put(mirror, target, wanted(mine, "a.ics"), mine, None)
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
        rules = {"newest", "keep_source", "keep_destination", "fail"}
        assert mirror.options.on_conflict in rules
        assert mirror.options.mode in {"merge", "exact"}

    def test_an_item_is_deleted(self, mirror: Mirror, other: Mirror) -> None:
        """And the other ones stay."""
        write(mirror, {"a.ics": event("a"), "b.ics": event("b")})
        target = mirror.target("source", _FAMILY)
        seen = {each.uid: each for each in mirror.present(target)}
        put(mirror, target, None, b"", seen["a"])
        mirror.finish(target)
        assert set(present(other)) == {"b"}

    def test_a_version_that_changed_meanwhile_is_not_deleted(
        self, mirror: Mirror, other: Mirror
    ) -> None:
        """Somebody may have written into it what nobody else has."""
        write(mirror, {"a.ics": event("a")})
        target = mirror.target("source", _FAMILY)
        (seen,) = mirror.present(target)
        write(other, {"a.ics": event("a", "Theirs", 1)})
        with pytest.raises(MovedError):
            put(mirror, target, None, b"", seen)
        assert present(other)["a"].digest == digest(event("a", "Theirs", 1))

    def test_a_second_look_finds_what_is_there_now(self, mirror: Mirror, other: Mirror) -> None:
        """By name, also what changed and what is gone since."""
        bodies = {each: event(each) for each in ("a", "b", "c")}
        write(mirror, {f"{name}.ics": body for name, body in bodies.items()})
        target = mirror.target("source", _FAMILY)
        seen = {each.uid: each for each in mirror.present(target)}
        there = other.target("source", _FAMILY)
        theirs = {each.uid: each for each in other.present(there)}
        later = event("b", "Later", 1)
        put(other, there, wanted(later, "b.ics"), later, theirs["b"])
        put(other, there, None, b"", theirs["c"])
        other.finish(there)
        hrefs = [each.href for each in seen.values()]
        held = {each.href: each for each in mirror.reread(target, hrefs)}
        found = {uid: held[seen[uid].href].version for uid in "abc"}
        assert {uid: each and each.digest for uid, each in found.items()} == {
            "a": digest(bodies["a"]),
            "b": digest(later),
            "c": None,
        }

    def test_an_order_is_answered_with_where_the_item_lies(self, mirror: Mirror) -> None:
        """So that it can be read back by name."""
        mirror.create(mirror.target("source", _FAMILY))
        target = mirror.target("source", _FAMILY)
        mirror.present(target)
        outcome = put(mirror, target, wanted(event("a"), "a%20b.ics"), event("a"), None)
        (held,) = mirror.reread(target, [outcome.href or ""])
        assert held.version is not None
        assert held.version.digest == digest(event("a"))
