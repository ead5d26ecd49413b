"""Whatever happens to an account, every snapshot gives back what a plain dict remembers."""

import os
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from caldav_run.model import Change, Failed, Op
from caldav_run.repository import account, segment
from caldav_run.repository.account import AccountWriter
from caldav_run.repository.difference import CalendarDifference, ItemDifference
from caldav_run.testing.vault import Vault, about, added, body_of, calendar_row

Key = tuple[str, str]
Picture = dict[str, dict[str, tuple[bytes | None, bool]]]
"""Calendar to href to its bytes (None: never read) and whether they are stale."""

CALENDARS = st.sampled_from(["family", "work"])
KEYS = st.tuples(CALENDARS, st.sampled_from(["a", "b", "c"]))


@dataclass(frozen=True)
class Day:
    """What happens between two runs, and what the run meets.

    Attributes:
        edits: New versions of items; 0 removes one.
        renamed: Calendars that get another name.
        removed: Calendars that are removed.
        failing: Items that cannot be read.
        failing_calendars: Calendars that cannot be read.
        filtered: Items that a filter leaves out.
        unselected: Calendars that are not selected.
        full: Whether a new generation is due.
        forgetful: Whether the cache was lost.
        new_etags: Whether all etags change though no bytes do.
    """

    edits: dict[Key, int]
    renamed: frozenset[str]
    removed: frozenset[str]
    failing: frozenset[Key]
    failing_calendars: frozenset[str]
    filtered: frozenset[Key]
    unselected: frozenset[str]
    full: bool
    forgetful: bool
    new_etags: bool


def rarely(names: st.SearchStrategy[str]) -> st.SearchStrategy[frozenset[str]]:
    return st.one_of(st.just(frozenset[str]()), st.frozensets(names, max_size=1))


# Shrinking would take minutes; the days of a failure are few as they are.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)

DAYS = st.builds(
    Day,
    edits=st.dictionaries(KEYS, st.integers(0, 3), max_size=4),
    renamed=rarely(CALENDARS),
    removed=rarely(CALENDARS),
    failing=st.frozensets(KEYS, max_size=2),
    failing_calendars=rarely(CALENDARS),
    filtered=st.frozensets(KEYS, max_size=2),
    unselected=rarely(CALENDARS),
    full=st.booleans(),
    forgetful=st.booleans(),
    new_etags=st.booleans(),
)


@dataclass
class World:
    """A server, what backs it up, and what should be held."""

    names: dict[str, int] = field(default_factory=dict)
    items: dict[Key, int] = field(default_factory=dict)
    etags: int = 0
    expected: Picture = field(default_factory=dict)

    def pass_by(self, day: Day) -> None:
        """Let a day happen on the server."""
        for calendar in day.removed:
            self.names.pop(calendar, None)
            self.items = {key: v for key, v in self.items.items() if key[0] != calendar}
        for (calendar, uid), version in day.edits.items():
            self.names.setdefault(calendar, 0)
            self.items[calendar, uid] = version
            if not version:
                del self.items[calendar, uid]
        for calendar in day.renamed & self.names.keys():
            self.names[calendar] += 1
        self.etags += day.new_etags

    def back_up(self, day: Day, history: AccountWriter) -> None:
        """Say what the engine would say, and work out what should be held then."""
        held = history.ledger.calendars()
        for calendar in sorted(self.names):
            if calendar in day.unselected:
                history.append(about(Op.EXCLUDED, None, calendar))
                self.expected.pop(calendar, None)
                continue
            name = f"name {self.names[calendar]}"
            history.append(calendar_row(calendar, display_name=name))
            if calendar in day.failing_calendars:
                history.append(about(Op.UNREAD, None, calendar, reason="500"))
                old = self.expected.get(calendar, {})
                self.expected[calendar] = {href: (body, True) for href, (body, _) in old.items()}
            else:
                self._read(calendar, day, history)
        for calendar in held.keys() - self.names.keys():
            history.append(about(Op.CALENDAR_GONE, None, calendar))
        self.expected = {c: items for c, items in self.expected.items() if c in self.names}

    def _read(self, calendar: str, day: Day, history: AccountWriter) -> None:
        old = self.expected.get(calendar, {})
        new: dict[str, tuple[bytes | None, bool]] = {}
        entries = history.ledger.entries(calendar)
        present = {uid: v for (c, uid), v in self.items.items() if c == calendar}
        for uid, version in present.items():
            href = f"{uid}.ics"
            change = self._change(calendar, uid, version, day)
            history.append(change)
            if change.op is Op.ADD:
                new[href] = (body_of(uid, version), False)
            elif change.op is Op.UNREAD:
                new[href] = (old.get(href, (None, True))[0], True)
        for href in entries.keys() - {f"{uid}.ics" for uid in present}:
            history.append(Change(op=Op.GONE, calendar=calendar, href=href))
        self.expected[calendar] = new

    def _change(self, calendar: str, uid: str, version: int, day: Day) -> Change:
        etag = f"{version}/{self.etags}"
        if (calendar, uid) in day.failing:
            return about(Op.UNREAD, uid, calendar, reason="500")
        if (calendar, uid) in day.filtered:
            return about(Op.EXCLUDED, uid, calendar, etag=etag)
        return added(uid, version, calendar, etag=etag)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make cumulative segments frequent, and do not wait for the disk."""
    monkeypatch.setattr(segment, "CUMULATIVE_EVERY", 3)
    monkeypatch.setattr(account, "CUMULATIVE_EVERY", 3)
    monkeypatch.setattr(os, "fsync", lambda _: None)


def picture(vault: Vault, ref: str) -> Picture:
    reader = vault.reader()
    snapshot = reader.resolve(ref)
    calendars = [each for each in reader.calendars(snapshot) if not each.excluded]
    found: Picture = {each.calendar.id: {} for each in calendars}
    infos = {(each.calendar, each.href): each for each in reader.items(snapshot)}
    for body in reader.bodies(infos.values()):
        info = infos[body.calendar, body.href or ""]
        content = None if isinstance(body, Failed) else body.body
        stale = info.stale_since is not None or info.sha256 is None
        found[info.calendar][info.href] = (content, stale)
    return found


def difference(old: Picture, new: Picture) -> set[Key]:
    before = {(c, h): body for c, items in old.items() for h, (body, _) in items.items()}
    after = {(c, h): body for c, items in new.items() for h, (body, _) in items.items()}
    unknown = object()
    return {
        key
        for key in before.keys() | after.keys()
        if before.get(key, unknown) != after.get(key, unknown)
        and not (key in before and key in after and None in {before[key], after[key]})
    }


@pytest.mark.usefixtures("quick")
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(days=st.lists(DAYS, min_size=1, max_size=9))
def test_every_snapshot_gives_back_what_a_dict_remembers(days: list[Day]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        vault, world = Vault(Path(folder)), World()
        pictures: dict[str, Picture] = {}
        for day in days:
            world.pass_by(day)
            vault.clock.forward(hours=1)
            vault.configure(full_every=timedelta(0) if day.full else timedelta(days=90))
            if day.forgetful:
                vault.forget()
            with vault.opened() as history:
                world.back_up(day, history)
                outcome = history.commit("f", guarded=False)
            newest = outcome.snapshot or [*pictures][-1]
            pictures[newest] = {c: dict(items) for c, items in world.expected.items()}
        for ref, expected in pictures.items():
            assert picture(vault, ref) == expected
        first, last = next(iter(pictures)), [*pictures][-1]
        reader = vault.reader()
        differing = list(reader.diff(reader.resolve(first), reader.resolve(last)))
        items = [each for each in differing if isinstance(each, ItemDifference)]
        assert {
            (side.calendar, side.href) for each in items if (side := each.new or each.old)
        } == difference(pictures[first], pictures[last])
        assert all(isinstance(each, ItemDifference | CalendarDifference) for each in differing)
