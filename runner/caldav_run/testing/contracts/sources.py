"""The promises of `Source`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pytest

from caldav_run.connectors.protocol import Baseline, Source
from caldav_run.errors import ConnectorError, SetupError
from caldav_run.ical.canonical import digest
from caldav_run.model import (
    Calendar,
    CalendarDone,
    CalendarExcluded,
    CalendarStart,
    CalendarSynced,
    Changed,
    Failed,
    Gone,
    Item,
    Mark,
    Reading,
    Unchanged,
)
from caldav_run.testing.contracts.bodies import event


class SourceAccount(Protocol):
    """An account that starts empty, seen from its other side."""

    def open(self, *, calendars: Sequence[str] | None = None) -> Source:
        """Return a source that reads the account.

        Args:
            calendars: The patterns of the option `calendars`; None for every calendar.
        """

    def open_lost(self) -> Source:
        """Return a source whose account is not there: a wrong path, a closed port."""

    def make(self, calendar: str) -> None:
        """Make an empty calendar with this id."""

    def put(self, calendar: str, href: str, body: bytes) -> None:
        """Put one item into a calendar that `make` made, over the one of that name."""

    def remove(self, calendar: str, href: str) -> None:
        """Remove one item."""


class Held:
    """A baseline that holds the etags of some items, and how far their calendars were read.

    Attributes:
        doubted: (calendar, href) of items that are held and have to be read again.
    """

    def __init__(
        self, items: Iterable[Item] = (), marks: Mapping[str, Mark | None] | None = None
    ) -> None:
        """Remember the items' etags and the calendars' marks."""
        self.doubted: set[tuple[str, str]] = set()
        self._etags = {(each.calendar, each.href): each.etag for each in items}
        self._marks = dict(marks or {})

    def etag(self, calendar: str, href: str) -> str | None:
        """Return the etag held."""
        return None if (calendar, href) in self.doubted else self._etags.get((calendar, href))

    def knows(self, calendar: str) -> bool:
        """Return whether anything of the calendar is held."""
        return any(held_in == calendar for held_in, _ in self._etags)

    def mark(self, calendar: str) -> Mark | None:
        """Return the mark held."""
        return self._marks.get(calendar)

    def doubtful(self, calendar: str) -> Collection[str]:
        """Return what is doubted."""
        return sorted(href for held_in, href in self.doubted if held_in == calendar)

    def hrefs(self, calendar: str) -> Collection[str]:
        """Return the names held."""
        return {href for held_in, href in self._etags if held_in == calendar}


@dataclass(slots=True)
class Seen:
    """What one whole reading said, after its form was checked."""

    calendars: dict[str, Calendar] = field(default_factory=dict)
    excluded: set[str] = field(default_factory=set)
    changed: dict[tuple[str, str], Item] = field(default_factory=dict)
    unchanged: set[tuple[str, str]] = field(default_factory=set)
    failed: set[tuple[str, str | None]] = field(default_factory=set)
    gone: set[tuple[str, str]] = field(default_factory=set)
    synced: set[str] = field(default_factory=set)
    marks: dict[str, Mark | None] = field(default_factory=dict)

    @classmethod
    def of(cls, readings: Iterable[Reading]) -> "Seen":
        """Collect readings; fail where they are not bracketed as the protocol says."""
        seen = cls()
        current: str | None = None
        for reading in readings:
            if isinstance(reading, (CalendarStart, CalendarExcluded)):
                assert current is None, f"{current} was not done"
                current = seen._name(reading)
            elif isinstance(reading, (CalendarDone, CalendarSynced)):
                assert reading.calendar == current
                seen._end(reading)
                current = None
            else:
                seen._member(reading, current)
        assert current is None, f"{current} was not done"
        return seen

    def _name(self, reading: CalendarStart | CalendarExcluded) -> str | None:
        calendar = reading.calendar
        assert calendar.id not in self.calendars.keys() | self.excluded, "named twice"
        if isinstance(reading, CalendarExcluded):
            self.excluded.add(calendar.id)
            return None
        self.calendars[calendar.id] = calendar
        return calendar.id

    def _end(self, reading: CalendarDone | CalendarSynced) -> None:
        self.marks[reading.calendar] = reading.mark
        if isinstance(reading, CalendarSynced):
            self.synced.add(reading.calendar)

    def _member(self, reading: Reading, current: str | None) -> None:
        if isinstance(reading, Changed):
            key = (reading.item.calendar, reading.item.href)
            assert key not in self.changed.keys() | self.unchanged, "named twice"
            self.changed[key] = reading.item
        elif isinstance(reading, Failed):
            self.failed.add((reading.calendar, reading.href))
            return
        else:
            assert isinstance(reading, (Unchanged, Gone))
            key = (reading.calendar, reading.href)
            assert key not in self.changed.keys() | self.unchanged | self.gone, "named twice"
            (self.gone if isinstance(reading, Gone) else self.unchanged).add(key)
        assert key[0] == current, "a member stands outside of its calendar"


def read(account: SourceAccount, baseline: Baseline | None = None) -> Seen:
    """Read the whole account with a source of its own."""
    source = account.open()
    try:
        return Seen.of(source.read(baseline or Held()))
    finally:
        source.close()


def _digests(items: Mapping[tuple[str, str], Item]) -> dict[str, set[bytes]]:
    found: dict[str, set[bytes]] = {}
    for (calendar, _), each in items.items():
        found.setdefault(calendar, set()).add(digest(each.body))
    return found


class SourceContract:
    """Inherit from this and give the fixture `account`."""

    @pytest.fixture
    def account(self) -> SourceAccount:
        """Return an empty account."""
        raise NotImplementedError

    @pytest.fixture
    def filled(self, account: SourceAccount) -> SourceAccount:
        """Return the account with two calendars, of two and of one item."""
        for calendar, uids in {"one": ["a", "b"], "two": ["c"]}.items():
            account.make(calendar)
            for uid in uids:
                account.put(calendar, f"{uid}.ics", event(uid))
        return account

    def test_every_calendar_and_every_item_is_named_once(self, filled: SourceAccount) -> None:
        """Calendars are bracketed, members stand inside of their calendar."""
        seen = read(filled)
        assert set(seen.calendars) == {"one", "two"}
        assert [calendar for calendar, _ in seen.changed].count("one") == 2
        assert [calendar for calendar, _ in seen.changed].count("two") == 1
        assert not seen.failed

    def test_the_bytes_mean_what_was_put(self, filled: SourceAccount) -> None:
        """A server may spell an item anew, but not change what it says."""
        expected = {"one": {digest(event("a")), digest(event("b"))}, "two": {digest(event("c"))}}
        assert _digests(read(filled).changed) == expected

    def test_two_readings_give_the_same_bytes(self, filled: SourceAccount) -> None:
        """Hrefs, etags and bytes stay while nothing changes."""
        first, second = read(filled).changed, read(filled).changed
        assert {key: (each.etag, each.body) for key, each in first.items()} == {
            key: (each.etag, each.body) for key, each in second.items()
        }

    def test_a_source_can_read_twice(self, filled: SourceAccount) -> None:
        """A second reading of one source starts anew."""
        source = filled.open()
        try:
            assert set(Seen.of(source.read(Held())).changed) == set(
                Seen.of(source.read(Held())).changed
            )
        finally:
            source.close()

    def test_what_the_baseline_holds_is_unchanged(self, filled: SourceAccount) -> None:
        """An item with an etag is not read again while it keeps that etag."""
        items = read(filled).changed
        seen = read(filled, Held(items.values()))
        assert seen.unchanged == {key for key, each in items.items() if each.etag is not None}
        assert seen.unchanged | set(seen.changed) == set(items)

    def test_what_changed_is_read_again(self, filled: SourceAccount) -> None:
        """A changed item has another etag."""
        before = read(filled).changed
        filled.put("one", "a.ics", event("a", "Dinner", 1))
        seen = read(filled, Held(each for each in before.values() if each.etag is not None))
        assert digest(event("a", "Dinner", 1)) in _digests(seen.changed)["one"]
        assert all(before[key].etag != each.etag or not each.etag
                   for key, each in seen.changed.items())  # fmt: skip

    def test_a_new_item_is_read(self, filled: SourceAccount) -> None:
        """Whatever the baseline holds."""
        before = read(filled).changed
        filled.put("two", "d.ics", event("d"))
        seen = read(filled, Held(before.values()))
        assert digest(event("d")) in _digests(seen.changed)["two"]

    def test_what_is_gone_is_not_named(self, filled: SourceAccount) -> None:
        """Not as unchanged either, though the baseline holds it."""
        before = read(filled).changed
        filled.remove("one", "b.ics")
        seen = read(filled, Held(before.values()))
        named = [calendar for calendar, _ in seen.unchanged | set(seen.changed)]
        assert named.count("one") == 1
        assert named.count("two") == 1

    def test_an_empty_calendar_is_named(self, filled: SourceAccount) -> None:
        """It has properties to keep, and its members are known to be none."""
        filled.make("empty")
        assert set(read(filled).calendars) == {"one", "two", "empty"}

    def test_a_calendar_that_is_not_selected_is_named_without_members(
        self, filled: SourceAccount
    ) -> None:
        """So that it is not taken for deleted."""
        source = filled.open(calendars=["tw*"])
        try:
            seen = Seen.of(source.read(Held()))
        finally:
            source.close()
        assert seen.excluded == {"one"}
        assert {calendar for calendar, _ in seen.changed} == {"two"}

    def test_the_selection_tells_selections_apart(self, account: SourceAccount) -> None:
        """It is a part of the ledger's fingerprint."""
        sources = [account.open(), account.open(calendars=["a"]), account.open(calendars=["a"])]
        texts = [source.selection for source in sources]
        for source in sources:
            source.close()
        assert texts[0] != texts[1]
        assert texts[1] == texts[2]

    def test_the_origin_stays_the_same(self, filled: SourceAccount) -> None:
        """Another origin is taken for another account."""
        sources = [filled.open(), filled.open()]
        origins = {source.origin() for source in sources}
        for source in sources:
            source.close()
        assert len(origins) == 1
        assert origins != {""}

    def test_making_a_source_does_not_touch_the_account(self, account: SourceAccount) -> None:
        """What is not there shows when the source connects."""
        source = account.open_lost()
        try:
            # A repository that was never made is a matter of set-up; anything else is not there.
            with pytest.raises((ConnectorError, SetupError)):
                list(source.read(Held()))
            assert source.account
        finally:
            source.close()

    def test_a_broken_off_reading_leaves_nothing_open(self, filled: SourceAccount) -> None:
        """And closing twice is safe."""
        source = filled.open()
        readings = iter(source.read(Held()))
        assert isinstance(next(readings), CalendarStart)
        del readings
        source.close()
        source.close()
