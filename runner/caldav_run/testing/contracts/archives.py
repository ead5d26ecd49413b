"""The promises of `Archive`: a sink that only ever appends."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import pytest

from caldav_run.connectors.protocol import Archive, Committed, Ledger
from caldav_run.errors import SetupError
from caldav_run.model import Calendar, Change, Entry, Mark, Op
from caldav_run.testing.contracts.bodies import item

OpenArchive: TypeAlias = Callable[[], Archive]

_FAMILY = Calendar(id="family", display_name="Familie", color="#FF0000", components=("VEVENT",))
_MARK = Mark("s1", "1", 1.5)
_ORIGIN = "https://example.org/alice/"


def added(uid: str, summary: str = "Lunch") -> Change:
    """Return the row of a new or changed item."""
    each = item("family", uid, summary, etag=f'"{summary}"')
    return Change(op=Op.ADD, calendar="family", href=each.href, item=each, etag=each.etag, uid=uid)


def about(op: Op, uid: str, **more: str | float) -> Change:
    """Return a row without bytes about an item."""
    return Change(op=op, calendar="family", href=f"{uid}.ics", **more)  # type: ignore[arg-type]


def calendar_row(calendar: Calendar = _FAMILY) -> Change:
    """Return the row of a calendar with its properties."""
    return Change(op=Op.CALENDAR, calendar=calendar.id, properties=calendar)


def run(
    archive: OpenArchive,
    changes: Iterable[Change] = (),
    *,
    account: str = "alice",
    fingerprint: str = "f",
    marks: Mapping[str, Mark | None] | None = None,
) -> Committed:
    """Do what one run does: open, append, commit, close."""
    opened = archive()
    history = opened.open_account(account, _ORIGIN)
    for change in changes:
        history.append(change)
    committed = history.commit(fingerprint, marks or {}, guarded=False)
    opened.close({account: "ok"})
    return committed


def ledger(archive: OpenArchive, account: str = "alice") -> Ledger:
    """Return what a later run finds."""
    opened = archive()
    history = opened.open_account(account, _ORIGIN)
    found = history.ledger
    # Asked for before the store is let go of.
    found.calendars()
    found.entries("family")
    history.abandon()
    opened.close({})
    return found


def mark(archive: OpenArchive) -> Mark | None:
    """Return how far a later run finds the calendar read."""
    opened = archive()
    history = opened.open_account("alice", _ORIGIN)
    found = history.ledger.mark("family")
    history.abandon()
    opened.close({})
    return found


class ArchiveContract:
    """Inherit from this and give the fixture `archive`."""

    @pytest.fixture
    def archive(self) -> OpenArchive:
        """Return what opens one and the same store, which starts empty, again and again."""
        raise NotImplementedError

    def test_an_unknown_account_has_an_empty_ledger(self, archive: OpenArchive) -> None:
        """Nothing is held, and no selection or filter made it."""
        found = ledger(archive)
        assert found.fingerprint is None
        assert dict(found.calendars()) == {}
        assert dict(found.entries("family")) == {}
        assert set(found.unread_calendars()) == set()

    def test_what_was_committed_is_held(self, archive: OpenArchive) -> None:
        """Calendars with their properties, items with etag and hash."""
        committed = run(archive, [calendar_row(), added("a")])
        assert committed.snapshot
        found = ledger(archive)
        assert found.fingerprint == "f"
        assert dict(found.calendars()) == {"family": _FAMILY}
        expected = Entry('"Lunch"', item("family", "a").sha256)
        assert dict(found.entries("family")) == {"a.ics": expected}

    def test_nothing_new_makes_no_snapshot(self, archive: OpenArchive) -> None:
        """The run is recorded all the same, which costs no snapshot."""
        run(archive, [calendar_row(), added("a")])
        assert run(archive).snapshot is None

    def test_another_fingerprint_is_kept(self, archive: OpenArchive) -> None:
        """Else every later run would read everything again."""
        run(archive, [calendar_row(), added("a")])
        run(archive, fingerprint="g")
        found = ledger(archive)
        assert found.fingerprint == "g"
        assert set(found.entries("family")) == {"a.ics"}

    def test_what_was_abandoned_is_not_held(self, archive: OpenArchive) -> None:
        """A broken run leaves the history as it was."""
        run(archive, [calendar_row(), added("a")])
        opened = archive()
        history = opened.open_account("alice", _ORIGIN)
        history.append(added("b"))
        history.abandon()
        opened.close({"alice": "failed"})
        assert set(ledger(archive).entries("family")) == {"a.ics"}

    def test_abandoning_after_a_commit_takes_nothing_back(self, archive: OpenArchive) -> None:
        """So that it can stand where a run ends in any way."""
        opened = archive()
        history = opened.open_account("alice", _ORIGIN)
        history.append(calendar_row())
        history.commit("f", guarded=False)
        history.abandon()
        opened.close({"alice": "ok"})
        assert set(ledger(archive).calendars()) == {"family"}

    def test_a_changed_item_replaces_its_entry(self, archive: OpenArchive) -> None:
        """The history keeps both, the ledger the last."""
        run(archive, [calendar_row(), added("a")])
        run(archive, [added("a", "Dinner")])
        entry = ledger(archive).entries("family")["a.ics"]
        assert entry == Entry('"Dinner"', item("family", "a", "Dinner").sha256)

    def test_an_item_that_is_gone_is_no_longer_held(self, archive: OpenArchive) -> None:
        """Its history stays."""
        run(archive, [calendar_row(), added("a"), added("b")])
        run(archive, [about(Op.GONE, "a")])
        assert set(ledger(archive).entries("family")) == {"b.ics"}

    def test_an_excluded_item_is_remembered_without_bytes(self, archive: OpenArchive) -> None:
        """Its etag spares reading it again, until the answer may change."""
        run(
            archive, [calendar_row(), about(Op.EXCLUDED, "a", etag='"1"', valid_until=1800000000.0)]
        )
        entry = ledger(archive).entries("family")["a.ics"]
        assert entry == Entry('"1"', None, excluded=True, valid_until=1800000000.0)

    def test_an_unread_item_keeps_its_last_version(self, archive: OpenArchive) -> None:
        """Unread is never deleted, and its etag is not trusted until it was read."""
        run(archive, [calendar_row(), added("a")])
        run(archive, [about(Op.UNREAD, "a", reason="500")])
        entry = ledger(archive).entries("family")["a.ics"]
        assert entry.unread
        assert entry.sha256 == item("family", "a").sha256

    def test_an_unread_calendar_keeps_its_items(self, archive: OpenArchive) -> None:
        """And is told apart until it was read again."""
        run(archive, [calendar_row(), added("a")])
        run(archive, [Change(op=Op.UNREAD, calendar="family", reason="500")])
        found = ledger(archive)
        assert set(found.unread_calendars()) == {"family"}
        assert set(found.entries("family")) == {"a.ics"}
        run(archive, [calendar_row()])
        assert set(ledger(archive).unread_calendars()) == set()

    @pytest.mark.parametrize("op", [Op.CALENDAR_GONE, Op.EXCLUDED])
    def test_a_calendar_that_is_gone_or_left_out_is_no_longer_held(
        self, archive: OpenArchive, op: Op
    ) -> None:
        """Nor are its items."""
        run(archive, [calendar_row(), added("a")])
        run(archive, [Change(op=op, calendar="family")])
        found = ledger(archive)
        assert dict(found.calendars()) == {}
        assert dict(found.entries("family")) == {}

    def test_single_entries_are_those_of_the_whole(self, archive: OpenArchive) -> None:
        """Whoever asks for a few need not load all."""
        run(archive, [calendar_row(), added("a"), about(Op.EXCLUDED, "b", valid_until=1.8e9)])
        run(archive, [about(Op.UNREAD, "c", reason="500")])
        opened = archive()
        history = opened.open_account("alice", _ORIGIN)
        held = history.ledger
        entries = dict(held.entries("family"))
        assert {href: held.entry("family", href) for href in entries} == entries
        assert held.entry("family", "x.ics") is None
        assert held.count("family") == len(entries) == 3
        assert dict(held.unsettled("family")) == {
            href: entries[href] for href in ("b.ics", "c.ics")
        }
        history.abandon()
        opened.close({})

    def test_a_mark_is_held_with_what_was_committed(self, archive: OpenArchive) -> None:
        """Also where nothing else is new; and it is gone when it is said to be."""
        run(archive, [calendar_row(), added("a")], marks={"family": _MARK})
        assert mark(archive) == _MARK
        later = Mark("s1", "2", 2.5)
        assert run(archive, marks={"family": later}).snapshot is None
        assert mark(archive) == later
        run(archive, marks={"family": None})
        assert mark(archive) is None

    def test_a_mark_is_not_held_without_a_commit(self, archive: OpenArchive) -> None:
        """Else changes that were read and not stored would be passed over for ever."""
        run(archive, [calendar_row(), added("a")], marks={"family": _MARK})
        opened = archive()
        history = opened.open_account("alice", _ORIGIN)
        history.append(added("b"))
        history.abandon()
        opened.close({"alice": "failed"})
        assert mark(archive) == _MARK

    def test_a_calendar_that_is_gone_has_no_mark(self, archive: OpenArchive) -> None:
        """Another one may come to lie there."""
        run(archive, [calendar_row(), added("a")], marks={"family": _MARK})
        run(archive, [Change(op=Op.CALENDAR_GONE, calendar="family")])
        run(archive, [calendar_row()])
        assert mark(archive) is None

    def test_accounts_do_not_see_each_other(self, archive: OpenArchive) -> None:
        """Each has a history of its own."""
        run(archive, [calendar_row(), added("a")])
        run(archive, [calendar_row(), added("b")], account="bob")
        assert set(ledger(archive).entries("family")) == {"a.ics"}
        assert set(ledger(archive, "bob").entries("family")) == {"b.ics"}

    def test_an_account_from_elsewhere_is_refused(self, archive: OpenArchive) -> None:
        """Two accounts that were called the same would delete each other's items."""
        run(archive, [calendar_row(), added("a")])
        opened = archive()
        with pytest.raises(SetupError):
            opened.open_account("alice", "https://elsewhere.example/bob/")
        opened.close({})
