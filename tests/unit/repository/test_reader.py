from datetime import timedelta
from pathlib import Path

import pytest

from caldav_run.errors import DamageError, UsageError
from caldav_run.model import Op
from caldav_run.repository import bodies
from caldav_run.repository.difference import CalendarDifference, ItemDifference, Kind
from caldav_run.repository.local import LocalStore
from caldav_run.testing.vault import START, Vault, about, added, calendar_row


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


def test_an_unknown_account_is_an_error_that_names_the_known_ones(vault: Vault) -> None:
    vault.fill()
    with pytest.raises(UsageError, match="known accounts: cloud"):
        vault.reader().snapshots("other")


def test_an_empty_repository_has_no_snapshots(vault: Vault) -> None:
    assert vault.reader().snapshots() == []
    assert vault.reader().last_read("cloud") is None


def test_the_last_reading_is_told_whether_or_not_it_found_anything(vault: Vault) -> None:
    vault.fill()
    vault.clock.forward(days=2)
    vault.run()
    vault.run(account="other")
    assert vault.reader().last_read("cloud") == START + timedelta(days=2, minutes=2)


def test_an_account_that_failed_is_recorded_as_not_read(vault: Vault) -> None:
    vault.fill()
    archive = vault.archive()
    vault.clock.forward(days=1)
    archive.open_account("cloud", "home")
    archive.close({"cloud": "failed", "lost": "no connection"})
    record = next(vault.reader().runs())
    assert [(each.account, each.read, bool(each.head)) for each in record.accounts] == [
        ("cloud", False, True),
        ("lost", False, False),
    ]


def test_a_stale_item_says_since_when(vault: Vault) -> None:
    vault.fill()
    read = vault.clock.now
    vault.run(about(Op.UNREAD, "a", reason="500"))
    vault.run(added("c"))
    reader = vault.reader()
    found = {each.href: each for each in reader.items(reader.resolve("latest"))}
    assert found["a.ics"].stale_since == read
    assert found["a.ics"].reason == "500"
    assert found["b.ics"].stale_since is None


def test_a_reading_without_changes_counts_as_one(vault: Vault) -> None:
    vault.fill()
    vault.clock.forward(days=5)
    vault.run()
    read = vault.clock.now
    vault.run(about(Op.UNREAD, "a", reason="500"))
    reader = vault.reader()
    found = next(reader.items(reader.resolve("latest")))
    assert found.stale_since == read


def test_an_unread_calendar_makes_its_items_stale_but_those_still_read(vault: Vault) -> None:
    vault.fill()
    read = vault.clock.now
    vault.run(calendar_row("family"), added("c"), about(Op.UNREAD, None, reason="cut off"))
    reader = vault.reader()
    latest = reader.resolve("latest")
    (calendar,) = reader.calendars(latest)
    assert (calendar.unread, calendar.stale_since, calendar.reason) == (True, read, "cut off")
    stale = {each.href: each.stale_since for each in reader.items(latest)}
    assert stale == {"a.ics": read, "b.ics": read, "c.ics": None}


def test_what_a_new_generation_cannot_read_is_carried_over_from_before(vault: Vault) -> None:
    vault.run(calendar_row("family", display_name="Familie"), added("a"), added("b"))
    vault.run(calendar_row("work"), added("w", 1, "work"))
    snapshot = vault.clock.now
    vault.configure(full_every=timedelta(0))
    vault.run(
        calendar_row("work"),
        about(Op.UNREAD, "w", "work", reason="500"),
        about(Op.UNREAD, None, "family", reason="503"),
    )
    reader = vault.reader()
    latest = reader.resolve("latest")
    assert [each.calendar.display_name for each in reader.calendars(latest)] == ["Familie", None]
    found = {each.href: each.stale_since for each in reader.items(latest)}
    assert found == {"a.ics": snapshot, "b.ics": snapshot, "w.ics": snapshot}
    assert len(vault.held()) == 3


def test_what_a_new_generation_never_read_is_carried_over_at_its_first_failure(
    vault: Vault,
) -> None:
    vault.fill()
    vault.configure(full_every=timedelta(0))
    vault.run(about(Op.UNREAD, None, reason="503"))
    vault.configure(full_every=timedelta(days=90))
    vault.run(calendar_row("family"), added("b"), about(Op.UNREAD, "a", reason="500"))
    assert len(vault.generations()) == 2
    assert set(vault.held()) == {("family", "a.ics"), ("family", "b.ics")}


def test_a_new_calendar_that_a_new_generation_cannot_read_is_empty(vault: Vault) -> None:
    vault.fill()
    vault.configure(full_every=timedelta(0))
    vault.run(calendar_row("new"), about(Op.UNREAD, None, "new"), about(Op.UNREAD, "x", "new"))
    reader = vault.reader()
    (calendar,) = reader.calendars(reader.resolve("latest"))
    assert (calendar.unread, calendar.stale_since) == (True, None)
    assert [each.sha256 for each in reader.items(reader.resolve("latest"))] == [None]
    (difference, *_) = reader.diff(reader.resolve("latest~1"), reader.resolve("latest"))
    assert isinstance(difference, CalendarDifference)


def test_what_was_never_read_is_not_invented(vault: Vault) -> None:
    vault.run(about(Op.UNREAD, None, "family", reason="503"), about(Op.UNREAD, "w", "work"))
    reader = vault.reader()
    latest = reader.resolve("latest")
    (only,) = reader.items(latest)
    assert (only.href, only.sha256, only.stale_since, only.uid) == ("w.ics", None, None, None)
    assert [each.unread for each in reader.calendars(latest)] == [True]


def test_differences_tell_calendars_and_items_apart(vault: Vault) -> None:
    vault.run(calendar_row("family", display_name="Familie"), added("a"), added("b"))
    vault.run(
        calendar_row("family", display_name="Family", token="2"),
        calendar_row("work"),
        added("a", 2),
        about(Op.GONE, "b"),
        added("w", 1, "work"),
    )
    reader = vault.reader()
    found = list(reader.diff(reader.resolve("latest~1"), reader.resolve("latest")))
    calendars = [each for each in found if isinstance(each, CalendarDifference)]
    assert [each.kind for each in calendars] == [Kind.CHANGED, Kind.ADDED]
    items = [each for each in found if isinstance(each, ItemDifference)]
    assert [(each.kind, (each.new or each.old)) for each in items] == [
        (Kind.CHANGED, items[0].new),
        (Kind.REMOVED, items[1].old),
        (Kind.ADDED, items[2].new),
    ]
    back = list(reader.diff(reader.resolve("latest"), reader.resolve("latest~1")))
    assert Kind.REMOVED in {each.kind for each in back if isinstance(each, CalendarDifference)}


def test_what_stays_is_no_difference(vault: Vault) -> None:
    vault.fill()
    vault.run(added("b", 2))
    reader = vault.reader()
    (only,) = reader.diff(reader.resolve("latest~1"), reader.resolve("latest"))
    assert isinstance(only, ItemDifference)
    assert only.new is not None
    assert only.new.href == "b.ics"


def test_what_is_unread_twice_keeps_the_time_of_its_last_reading(vault: Vault) -> None:
    vault.fill()
    read = vault.clock.now
    for name in ("one", "two"):
        unread = about(Op.UNREAD, None, reason="503")
        vault.run(calendar_row("family", display_name=name), unread)
    reader = vault.reader()
    (calendar,) = reader.calendars(reader.resolve("latest"))
    assert (calendar.unread, calendar.stale_since) == (True, read)


def test_a_pack_is_fetched_once_while_it_is_asked_for_again(vault: Vault) -> None:
    vault.fill()
    reader = vault.reader()
    first, second = reader.items(reader.resolve("latest"))
    list(reader.bodies([first]))
    for name in vault.packs():
        (vault.root / name).unlink()
    assert len(list(reader.bodies([first, second]))) == 2


def test_few_packs_are_kept(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_KEPT_BYTES", 1)
    vault.fill()
    vault.run(added("c"))
    reader = vault.reader()
    infos = list(reader.items(reader.resolve("latest")))
    list(reader.bodies(infos))
    assert len(reader._bodies._kept) == 1
    assert len(list(reader.bodies([infos[0], infos[0]]))) == 2


def test_a_newest_snapshot_that_is_missing_is_told(vault: Vault) -> None:
    vault.fill()
    vault.run(added("c"))
    newest = max(vault.root.rglob("seg-*"))
    newest.unlink()
    reader = vault.reader()
    assert len(reader.snapshots()) == 1
    (problem,) = reader.problems
    assert "the newest snapshot of cloud is missing" in problem.message


def test_a_newest_snapshot_is_missed_though_another_pipeline_ran_later(vault: Vault) -> None:
    vault.fill()
    vault.run(added("c"))
    newest = max(vault.root.rglob("seg-*"))
    vault.run(calendar_row("plans"), account="work")
    vault.run(calendar_row("plans", color="#FF0000"), account="work")
    newest.unlink()
    reader = vault.reader()
    reader.snapshots()
    (problem,) = reader.problems
    assert "the newest snapshot of cloud is missing" in problem.message


def test_an_account_that_vanished_is_told(vault: Vault) -> None:
    vault.fill()
    for each in (vault.root / "a").rglob("*.age"):
        each.unlink()
    with pytest.raises(DamageError, match="the newest snapshot of cloud is missing"):
        vault.reader().snapshots()


def test_a_snapshot_tells_who_signed_it(vault: Vault) -> None:
    vault.fill()
    vault.run(added("c"))
    reader = vault.reader()
    fingerprint = vault.writer.signer.fingerprint
    assert {reader.signer(each) for each in reader.snapshots()} == {fingerprint}


def test_of_what_cannot_be_read_nobody_knows_who_signed_it(vault: Vault) -> None:
    vault.fill()
    vault.configure(full_every=timedelta(0))
    vault.fill()
    (vault.root / vault.segments()[0].name).write_bytes(b"altered")
    reader = vault.reader()
    (damaged,) = [each for each in reader.snapshots() if each.incomplete]
    assert reader.signer(damaged) is None


def test_a_run_that_ends_while_a_repository_is_read_is_no_loss(vault: Vault) -> None:
    class RunBetween(LocalStore):
        def get(self, name: str) -> bytes:
            if "/seg-" in name and waiting:
                vault.run(waiting.pop())
            return super().get(name)

    vault.fill()
    vault.wrap = lambda _: RunBetween(vault.root)
    reader = vault.reader()
    waiting = [added("c")]
    assert len(reader.snapshots()) == 1
    assert reader.problems == []
    assert len(vault.reader().snapshots()) == 2
