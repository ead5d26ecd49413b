import shutil
import sqlite3
import stat
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import IO

import pytest

from caldav_run.errors import ConnectorError, SetupError, TemporaryError
from caldav_run.model import Calendar, Entry, Op
from caldav_run.repository import keys, resume, segment
from caldav_run.repository.archive import RepositoryWriter, utc_now
from caldav_run.repository.local import LocalStore
from caldav_run.testing.vault import Vault, about, added, body_of, calendar_row


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


def test_what_was_committed_is_given_back_byte_for_byte(vault: Vault) -> None:
    vault.fill()
    assert vault.held() == {
        ("family", "a.ics"): body_of("a"),
        ("family", "b.ics"): body_of("b"),
    }


def test_a_second_run_adds_only_what_changed(vault: Vault) -> None:
    vault.fill()
    outcome = vault.run(added("a", 2), about(Op.GONE, "b"))
    assert outcome.objects == 2
    assert vault.held() == {("family", "a.ics"): body_of("a", 2)}
    assert set(vault.held("latest~1")) == {("family", "a.ics"), ("family", "b.ics")}


@pytest.mark.parametrize("items", [1, 1000])
def test_a_disk_without_room_for_what_changed_is_temporary(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, items: int
) -> None:
    vault.fill()

    def full(*_: object, **__: object) -> IO[bytes]:
        return Path("/dev/full").open("w+b")

    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "SpooledTemporaryFile", full)
        with pytest.raises(TemporaryError, match="cannot keep what changed"):
            vault.run(*(added(f"c{number}") for number in range(items)))
    assert set(vault.held()) == {("family", "a.ics"), ("family", "b.ics")}


def test_a_ledger_has_as_many_entries_as_items_are_held(vault: Vault) -> None:
    vault.fill()
    with vault.opened() as account:
        ledger = account.ledger
        assert len(ledger.entries("family")) == ledger.count("family") == 2
        assert len(ledger.entries("nowhere")) == ledger.count("nowhere") == 0


def test_nothing_new_makes_no_snapshot_but_a_run_record(vault: Vault) -> None:
    vault.fill()
    before = len(list(vault.local.list()))
    assert vault.run().snapshot is None
    assert len(list(vault.local.list())) == before + 1
    assert [len(each.accounts) for each in vault.reader().runs()] == [1, 1]


def test_a_lost_cache_is_rebuilt_without_an_identity(vault: Vault) -> None:
    vault.fill()
    vault.run(added("c"))
    vault.forget()
    (vault.keys / keys.IDENTITY).rename(vault.folder / "elsewhere.txt")
    assert vault.run().snapshot is None
    assert vault.run(added("d")).objects == 2
    assert len(vault.generations()) == 1


def test_a_cache_that_fell_behind_catches_up(vault: Vault) -> None:
    vault.fill()
    other = vault.folder / "other"
    vault.state.rename(vault.folder / "kept")
    vault.configure(state_dir=other)
    vault.run(added("c"))
    vault.run(added("d"), about(Op.GONE, "a"))
    (vault.folder / "kept").rename(vault.state)
    vault.configure(state_dir=vault.state)
    assert set(vault.entries()) == {"b.ics", "c.ics", "d.ics"}
    assert vault.run().snapshot is None


def test_changes_that_change_nothing_make_no_rows(vault: Vault) -> None:
    vault.fill()
    vault.run(about(Op.EXCLUDED, "x", etag="1"), about(Op.UNREAD, "u", reason="500"))
    repeated = vault.run(
        calendar_row("family"),
        added("a"),
        about(Op.EXCLUDED, "x", etag="1"),
        about(Op.UNREAD, "u", reason="503"),
        about(Op.GONE, "never"),
        about(Op.CALENDAR_GONE, None, "never"),
    )
    assert repeated.snapshot is None


def test_a_new_etag_with_the_same_bytes_stores_no_body(vault: Vault) -> None:
    vault.fill()
    assert vault.run(added("a", etag='"other"')).objects == 1
    assert vault.entries()["a.ics"].etag == '"other"'
    assert vault.held()["family", "a.ics"] == body_of("a")


def test_the_ledger_says_what_the_last_snapshot_holds(vault: Vault) -> None:
    vault.fill()
    vault.run(
        about(Op.EXCLUDED, "x", etag="1", valid_until=5.0),
        about(Op.UNREAD, "a", reason="500"),
        added("b", valid_until=7.0),
    )
    entries = vault.entries()
    assert entries["x.ics"] == Entry("1", None, excluded=True, valid_until=5.0)
    assert entries["a.ics"].unread
    assert entries["a.ics"].sha256 is not None
    assert entries["b.ics"].valid_until == 7.0


def test_a_ledger_does_not_move_before_the_commit(vault: Vault) -> None:
    vault.fill()
    with vault.opened() as account:
        account.append(added("c"))
        assert set(account.ledger.entries("family")) == {"a.ics", "b.ics"}
        account.abandon()
    assert set(vault.entries()) == {"a.ics", "b.ics"}


def test_an_item_said_twice_ends_as_it_was_said_last(vault: Vault) -> None:
    vault.fill()
    vault.run(about(Op.GONE, "a"), added("a"), added("b", 2), about(Op.UNREAD, "b", reason="?"))
    assert vault.held() == {
        ("family", "a.ics"): body_of("a"),
        ("family", "b.ics"): body_of("b", 2),
    }
    assert vault.reader().resolve("latest").counts is not None


def test_a_calendar_that_comes_back_in_one_run_begins_empty(vault: Vault) -> None:
    vault.fill()
    vault.run(about(Op.CALENDAR_GONE, None), calendar_row("family"), added("a"))
    assert set(vault.held()) == {("family", "a.ics")}


def test_an_unread_calendar_keeps_its_properties_and_its_old_token(vault: Vault) -> None:
    vault.run(calendar_row("family", display_name="Familie", token="1"), added("a"))
    vault.run(
        calendar_row("family", display_name="Familie", token="2"),
        about(Op.UNREAD, None, reason="503"),
    )
    known = Calendar(id="family", display_name="Familie", token="1")
    with vault.opened() as account:
        assert account.ledger.calendars() == {"family": known}
        assert set(account.ledger.unread_calendars()) == {"family"}


def test_a_new_calendar_that_cannot_be_read_has_no_token(vault: Vault) -> None:
    vault.run(
        calendar_row("new", display_name="Neu", token="2"),
        about(Op.UNREAD, None, "new", reason="503"),
    )
    with vault.opened() as account:
        assert account.ledger.calendars() == {"new": Calendar(id="new", display_name="Neu")}


def test_the_clock_of_an_account_never_goes_back(vault: Vault) -> None:
    vault.fill()
    vault.clock.forward(days=-3)
    vault.run(added("c"))
    vault.forget()
    vault.run(added("d"))
    times = [each.time for each in vault.reader().snapshots()]
    assert times == sorted(set(times))


def test_an_account_from_elsewhere_is_refused_until_it_is_adopted(vault: Vault) -> None:
    vault.fill()
    with pytest.raises(SetupError, match=r"set `account:`.*--adopt-origin"):
        vault.run(origin="elsewhere")
    vault.configure(adopt_origin=True)
    assert vault.run(origin="elsewhere").snapshot is not None
    vault.configure(adopt_origin=False)
    assert vault.run(origin="elsewhere").snapshot is None


def test_an_account_from_elsewhere_is_refused_though_cache_and_newest_generation_are_lost(
    vault: Vault,
) -> None:
    vault.fill()
    vault.configure(full_every=timedelta(0))
    vault.fill()
    path = vault.root / vault.segments()[-1].name
    path.write_bytes(path.read_bytes()[:-1])
    vault.forget()
    with pytest.raises(SetupError, match="was made from home"):
        vault.run(origin="elsewhere")
    with vault.opened() as account:
        assert account.last_items == 2


def test_it_is_said_when_nothing_tells_where_an_account_came_from(
    vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    vault.fill()
    path = vault.root / vault.segments()[-1].name
    path.write_bytes(path.read_bytes()[:-1])
    vault.forget()
    vault.run(origin="elsewhere")
    assert "from now on they come from elsewhere" in caplog.text


def test_a_place_without_a_repository_is_never_made_one(vault: Vault) -> None:
    empty = vault.folder / "not-mounted"
    archive = RepositoryWriter(LocalStore(empty), vault.writer, vault.recipients, vault.settings)
    with pytest.raises(SetupError, match="caldav-run create"):
        archive.open_account("cloud", "home")
    archive.close({"cloud": "failed"})
    assert not empty.exists()


def test_another_repository_in_the_same_place_is_not_taken_for_the_known_one(
    tmp_path: Path,
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = Vault(tmp_path / "one"), Vault(tmp_path / "two")
    one.fill()
    one.root.rename(tmp_path / "gone")
    two.root.rename(one.root)
    assert dict(one.entries()) == {}
    one.fill()
    assert len(one.held()) == 2


def test_caches_and_their_folder_are_private(vault: Vault) -> None:
    vault.fill()
    (cache,) = (vault.state / "repository").iterdir()
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    assert stat.S_IMODE(cache.parent.stat().st_mode) == 0o700
    with sqlite3.connect(cache) as base:
        dump = "\n".join(base.iterdump())
    base.close()
    assert "BEGIN:VEVENT" not in dump


@pytest.mark.parametrize(
    ("days", "generations"), [(80, 1), (100, 2)], ids=["in its time", "past its time"]
)
def test_a_full_backup_is_made_anew_when_it_is_old(
    vault: Vault, days: int, generations: int
) -> None:
    vault.fill()
    vault.clock.forward(days=days)
    vault.fill()
    vault.run(added("c"))
    assert len(vault.generations()) == generations


def test_the_age_of_a_full_backup_can_be_set(vault: Vault) -> None:
    vault.fill()
    vault.configure(full_every=timedelta(days=7))
    vault.clock.forward(days=8)
    with vault.opened() as account:
        assert account.ledger.fingerprint is None


def test_other_recipients_begin_a_new_generation(vault: Vault) -> None:
    vault.fill()
    second = keys.create_keys(vault.folder / "second")
    vault.recipients = (*vault.recipients, second.recipient)
    vault.fill()
    assert len(vault.generations()) == 2
    vault.keys = second.folder
    reader = vault.reader(vault.writer.signer.fingerprint)
    assert len([each for each in reader.snapshots() if not each.incomplete]) == 1


def test_increments_that_outgrow_the_base_begin_a_new_generation(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume, "_MIN_INCREMENTS", 1)
    vault.fill()
    for version in range(2, 5):
        vault.run(added("a", version))
    assert len(vault.generations()) == 1 + 1
    assert vault.held("latest~3") == {
        ("family", "a.ics"): body_of("a"),
        ("family", "b.ics"): body_of("b"),
    }


def test_a_generation_has_a_limited_number_of_segments(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume, "MAX_SEGMENTS", 3)
    for version in range(1, 5):
        vault.run(calendar_row("family"), added("a", version))
    assert [len(each.segments) for each in vault.generations()] == [3, 1]


def test_two_machines_with_one_key_are_told_apart_by_a_new_generation(
    vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    vault.fill()
    with vault.opened() as here:
        vault.configure(state_dir=vault.folder / "clone")
        with vault.opened() as there:
            for machine, uid in ((here, "c"), (there, "d")):
                machine.append(added(uid))
                machine.commit("f", guarded=False)
    assert vault.generations()[0].forked
    assert {len(vault.held(each.id)) for each in vault.reader().snapshots()} == {2, 3}
    vault.fill()
    assert len(vault.generations()) == 2
    assert "two machines" in caplog.text


def test_the_latest_of_two_snapshots_of_one_moment_is_the_same_for_every_reader(
    vault: Vault,
) -> None:
    vault.fill()
    with vault.opened() as here:
        vault.configure(state_dir=vault.folder / "clone")
        with vault.opened() as there:
            for machine, uid in ((here, "c"), (there, "d")):
                machine.append(added(uid))
                machine.commit("f", guarded=False)
    *_, one, two = vault.reader().snapshots()
    assert (one.time, one.number) == (two.time, two.number)
    assert one.id < two.id


def test_a_branch_that_ends_before_a_cumulative_segment_is_still_shown(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment, "CUMULATIVE_EVERY", 3)
    monkeypatch.setattr("caldav_run.repository.account.CUMULATIVE_EVERY", 3)
    vault.fill()
    kept = vault.state
    shutil.copytree(kept, vault.folder / "clone")
    vault.run(added("c"))
    with vault.opened() as here:
        here.append(added("e"))
        hidden = vault.root / vault.segments()[-1].name
        branch = vault.segments()[-1].sha256
        away = vault.folder / "away"
        hidden.rename(away)
        vault.configure(state_dir=vault.folder / "clone")
        vault.run(added("d"))
        vault.run(added("f"))
        vault.run(added("g"))
        away.rename(hidden)
    assert set(vault.held(branch)) == {("family", f"{uid}.ics") for uid in "abc"}


def test_two_runs_with_one_cache_do_not_fork(vault: Vault) -> None:
    vault.fill()
    with vault.opened() as first, vault.opened() as second:
        first.append(added("c"))
        first.commit("f", guarded=False)
        second.append(added("d"))
        with pytest.raises(TemporaryError):
            second.commit("f", guarded=False)
    assert not vault.generations()[0].forked


def test_a_repository_that_went_back_in_time_begins_anew_and_says_so(
    vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    vault.fill()
    vault.run(added("c"))
    (vault.root / vault.segments()[-1].name).unlink()
    vault.fill()
    assert len(vault.generations()) == 2
    assert "went back in time" in caplog.text


def test_a_repository_whose_objects_are_gone_begins_anew_and_says_so(
    vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    vault.fill()
    (vault.root / vault.segments()[0].name).unlink()
    vault.fill()
    assert len(vault.held()) == 2
    assert "its objects are gone" in caplog.text


@pytest.mark.parametrize("lost_cache", [False, True])
@pytest.mark.parametrize("what", ["pack", "segment"])
@pytest.mark.parametrize("cut", [False, True], ids=["missing", "cut off"])
def test_a_missing_or_cut_object_begins_a_new_generation(
    vault: Vault, caplog: pytest.LogCaptureFixture, what: str, *, cut: bool, lost_cache: bool
) -> None:
    vault.fill()
    vault.run(added("c"))
    vault.run(added("d"))
    name = vault.segments()[1].name if what == "segment" else vault.packs()[0]
    path = vault.root / name
    data = path.read_bytes()
    path.unlink()
    if cut:
        path.write_bytes(data[:-1])
    if lost_cache:
        vault.forget()
    vault.fill()
    assert len(vault.generations()) == 2
    assert path.name[-75:-12] in caplog.text
    assert len(vault.held()) == 2


def test_a_foreign_segment_begins_a_new_generation(
    vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    vault.fill()
    (vault.folder / "x").mkdir()
    stranger = Vault(vault.folder / "x")
    stranger.fill()
    (foreign,) = stranger.segments()
    own = vault.segments()[0].generation
    name = own.segment(1, foreign.time, foreign.sha256)
    (vault.root / name).write_bytes((stranger.root / foreign.name).read_bytes())
    vault.fill()
    assert len(vault.generations()) == 2
    assert "a new full backup begins" in caplog.text


def test_a_segment_that_does_not_follow_the_known_one_begins_a_new_generation(
    vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    vault.fill()
    kept = vault.folder / "kept"
    vault.state.rename(kept)
    vault.run(added("c"))
    first = vault.segments()[-1]
    vault.run(added("d"))
    (vault.root / first.name).unlink()
    vault.forget()
    kept.rename(vault.state)
    vault.fill()
    assert len(vault.generations()) == 2
    assert "does not continue" in caplog.text


def test_two_writers_of_one_account_make_two_complete_histories(vault: Vault) -> None:
    vault.fill()
    other = keys.create_keys(vault.folder / "second")
    second = keys.load_writer(other.folder / keys.WRITER)
    vault.writer = second
    vault.configure(state_dir=vault.folder / "state2")
    vault.run(calendar_row("family"), added("z"))
    reader = vault.reader(other.fingerprint)
    assert [each.account for each in reader.snapshots("cloud")] == ["cloud", "cloud"]


def test_packs_are_closed_at_their_size(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caldav_run.repository.pack.MAX_BYTES", 2 * len(body_of("a")))
    outcome = vault.run(calendar_row("family"), *(added(uid) for uid in "abcdefg"))
    assert outcome.objects == 5
    assert len(vault.held()) == 7


def test_few_rows_wait_for_their_pack(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caldav_run.repository.account._MAX_WAITING", 3)
    outcome = vault.run(*(added(uid) for uid in "abcdefg"))
    assert outcome.objects == 4
    assert len(vault.held()) == 7


def test_one_calendar_after_another_can_be_asked_for(vault: Vault) -> None:
    vault.fill()
    vault.run(calendar_row("work"), added("w", 1, "work"))
    with vault.opened() as account:
        assert set(account.ledger.entries("work")) == {"w.ics"}
        assert set(account.ledger.entries("family")) == {"a.ics", "b.ics"}
        assert account.ledger.entries("family") is account.ledger.entries("family")
        assert account.ledger.calendars().keys() == account.ledger.calendars().keys()


def test_objects_with_other_names_are_passed_over(vault: Vault) -> None:
    vault.fill()
    folder = vault.root / vault.segments()[0].generation.folder
    (folder / "zz-expire-20260501T080000Z-00").write_text("of a later version")
    assert vault.run().snapshot is None
    assert len(vault.held()) == 2


def test_the_time_is_told_in_utc() -> None:
    assert utc_now().utcoffset() == timedelta(0)


def test_a_store_that_refuses_leaves_the_history_as_it_was(vault: Vault) -> None:
    vault.fill()
    folder = vault.root / vault.segments()[0].generation.folder
    hidden = vault.folder / "hidden"
    with vault.opened() as account:
        account.append(added("c"))
        folder.rename(hidden)
        folder.write_text("no folder")
        with pytest.raises(ConnectorError):
            account.commit("f", guarded=False)
    folder.unlink()
    hidden.rename(folder)
    assert set(vault.entries()) == {"a.ics", "b.ics"}


def test_a_guarded_snapshot_says_so(vault: Vault) -> None:
    vault.run(calendar_row("family"), guarded=True)
    assert vault.reader().resolve("latest").guarded


def test_more_than_a_cumulative_segment_can_be_read_at_every_snapshot(vault: Vault) -> None:
    vault.run(calendar_row("family"), added("a", 0), added("still"))
    for version in range(1, 70):
        vault.run(added("a", version))
    vault.forget()
    vault.run(added("a", 70))
    assert len(vault.generations()) == 1
    for back in (0, 5, 6, 7, 37, 38, 39, 69, 70):
        assert vault.held(f"latest~{back}")["family", "a.ics"] == body_of("a", 70 - back)
