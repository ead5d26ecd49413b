import random
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.repository.happenings import CALENDARS, happening

from caldav_run.errors import DamageError, ItemError
from caldav_run.model import Change, Item, Op, Provenance
from caldav_run.repository import keys
from caldav_run.repository.sightings import Absence, Wanted
from caldav_run.repository.snapshots import ItemInfo
from caldav_run.repository.tracks import Track, tracks
from caldav_run.repository.versions import versions
from caldav_run.testing.vault import Vault, about, added, body_of, calendar_row


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


def track(vault: Vault, uid: str = "a") -> Track:
    (only,) = tracks(vault.reader(), "cloud", Wanted(uids=frozenset({uid})))
    return only


def seen(found: Track) -> list[tuple[list[str], Absence | None]]:
    """Return where an event was at each stop, or why it was nowhere."""
    return [
        ([f"{each.calendar}/{each.href}" for each in stop.items], stop.absence)
        for stop in found.stops
    ]


def new_generation(vault: Vault, *changes: Change) -> None:
    vault.configure(full_every=timedelta(0))
    vault.run(*changes)
    vault.configure(full_every=timedelta(days=90))


def test_an_event_is_followed_from_its_first_to_its_last_snapshot(vault: Vault) -> None:
    vault.fill()
    vault.run(added("b", 2))
    vault.run(added("a", 2))
    vault.run(about(Op.GONE, "a"))
    vault.run(added("a", 2))
    found = track(vault)
    here = ["family/a.ics"]
    assert seen(found) == [
        (here, None),
        (here, None),
        ([], Absence.DELETED),
        (here, None),
    ]
    numbers = [(stop.snapshot.number, stop.before and stop.before.number) for stop in found.stops]
    assert numbers == [(0, None), (2, 1), (3, 2), (4, 3)]
    assert (found.uid, found.gone, found.last.number) == ("a", None, 4)


def test_what_is_gone_says_since_when_and_where_it_was_last(vault: Vault) -> None:
    vault.fill()
    vault.run(added("b", 2))
    vault.run(about(Op.GONE, "a"))
    vault.run(added("b", 3))
    found = track(vault)
    assert found.gone is not None
    assert (found.gone.snapshot.number, found.last.number) == (2, 1)


@pytest.mark.parametrize(
    ("changes", "absence"),
    [
        ([about(Op.GONE, "a")], Absence.DELETED),
        ([about(Op.CALENDAR_GONE, None)], Absence.WITH_CALENDAR),
        ([about(Op.EXCLUDED, None)], Absence.LEFT_OUT),
        ([about(Op.EXCLUDED, "a", etag='"1"')], Absence.LEFT_OUT),
    ],
)
def test_why_an_event_is_gone_is_known(
    vault: Vault, changes: list[Change], absence: Absence
) -> None:
    vault.fill()
    vault.run(*changes)
    vault.run(calendar_row("family"), added("a"))
    assert seen(track(vault)) == [
        (["family/a.ics"], None),
        ([], absence),
        (["family/a.ics"], None),
    ]


def test_another_sync_token_or_a_failure_is_no_stop(vault: Vault) -> None:
    vault.fill()
    vault.run(calendar_row("family", token="2"))
    vault.run(about(Op.UNREAD, "a", reason="500"))
    vault.run(about(Op.UNREAD, None, reason="503"))
    vault.run(calendar_row("family", token="3"))
    assert len(track(vault).stops) == 1


def test_a_new_generation_is_no_stop(vault: Vault) -> None:
    vault.fill()
    new_generation(vault, calendar_row("family"), added("a"), added("b"))
    vault.run(added("a", 2))
    assert [stop.snapshot.number for stop in track(vault).stops] == [0, 1]
    assert len(vault.generations()) == 2


def test_what_a_new_generation_could_not_read_is_still_there(vault: Vault) -> None:
    vault.fill()
    new_generation(vault, about(Op.UNREAD, None, reason="503"))
    vault.run(calendar_row("family"), added("b"))
    assert seen(track(vault)) == [(["family/a.ics"], None), ([], Absence.DELETED)]


def test_what_was_never_read_is_in_no_snapshot(vault: Vault) -> None:
    vault.run(calendar_row("family"), about(Op.UNREAD, "a", reason="500"))
    wanted = Wanted(uids=frozenset({"a"}), places={("family", "a.ics")})
    assert tracks(vault.reader(), "cloud", wanted) == []
    vault.run(added("a"))
    new_generation(vault, calendar_row("family"), added("b"))
    vault.run(about(Op.UNREAD, "a", reason="500"))
    assert seen(track(vault))[-1] == ([], Absence.DELETED)


def test_two_writers_are_merged_by_time(vault: Vault) -> None:
    vault.fill()
    mine, state = vault.writer, vault.state
    keys.create_keys(vault.folder / "other")
    vault.writer = keys.load_writer(vault.folder / "other" / keys.WRITER)
    # The other host knows the account by the same name, and has a cache of its own.
    vault.writer = type(mine)(vault.writer.signer, mine.name_key, vault.writer.metadata)
    vault.configure(state_dir=vault.folder / "state2")
    vault.run(calendar_row("family"), added("b"), added("a", 2))
    vault.writer = mine
    vault.configure(state_dir=state)
    vault.run(about(Op.GONE, "b"))
    reader = vault.reader(vault.writer.signer.fingerprint, *_others(vault))
    (found,) = tracks(reader, "cloud", Wanted(uids=frozenset({"a"})))
    assert [stop.items[0].sha256 for stop in found.stops] == [
        found.stops[0].items[0].sha256,
        found.stops[1].items[0].sha256,
        found.stops[0].items[0].sha256,
    ]


def _others(vault: Vault) -> list[str]:
    return [keys.load_writer(vault.folder / "other" / keys.WRITER).signer.fingerprint]


def test_a_move_to_another_calendar_is_one_event(vault: Vault) -> None:
    vault.fill()
    vault.run(calendar_row("work"), about(Op.GONE, "a"), added("a", calendar="work"))
    found = track(vault)
    assert seen(found) == [(["family/a.ics"], None), (["work/a.ics"], None)]
    assert dict(found.stops[1].titles) == {"family": "family", "work": "work"}


def test_another_event_in_the_same_place_is_not_followed(vault: Vault) -> None:
    vault.fill()
    item = Item("family", "a.ics", '"9"', body_of("z"), Provenance.GET)
    vault.run(
        Change(op=Op.ADD, calendar="family", href="a.ics", item=item, etag=item.etag, uid="z")
    )
    assert seen(track(vault)) == [(["family/a.ics"], None), ([], Absence.DELETED)]
    by_place = tracks(vault.reader(), "cloud", Wanted(places={("family", "a.ics")}))
    assert [each.uid for each in by_place] == ["a", "z"]


def test_an_event_without_a_uid_is_followed_by_its_place(vault: Vault) -> None:
    item = Item("family", "x.ics", '"1"', b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", Provenance.GET)
    row = Change(op=Op.ADD, calendar="family", href="x.ics", item=item, etag=item.etag)
    vault.run(calendar_row("family"), row)
    (found,) = tracks(vault.reader(), "cloud", Wanted(hashes=frozenset({item.sha256})))
    assert (found.uid, seen(found)) == (None, [(["family/x.ics"], None)])


def test_a_fork_is_followed_on_both_sides(vault: Vault) -> None:
    vault.fill()
    state = {path: path.read_bytes() for path in vault.state.rglob("*") if path.is_file()}
    vault.run(added("a", 2))
    kept = {each: each.read_bytes() for each in (vault.root / "a").rglob("*-00000001-*")}
    for each in kept:
        each.unlink()
    vault.forget()
    for path, content in state.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    vault.run(added("a", 3))
    for path, content in kept.items():
        path.write_bytes(content)
    assert [stop.snapshot.number for stop in track(vault).stops] == [0, 1, 1]


def test_a_generation_that_cannot_be_read_is_passed_over_and_told(vault: Vault) -> None:
    vault.fill()
    for number in range(2, 36):
        vault.run(added("a", number))
    new_generation(vault, calendar_row("family"), added("a", 36))
    (base, *_) = vault.segments()
    path = vault.root / base.name
    path.write_bytes(path.read_bytes()[:-1])
    reader = vault.reader()
    found = tracks(reader, "cloud", Wanted(uids=frozenset({"a"})))
    assert [stop.snapshot.number for stop in found[0].stops] == [0]
    assert {item.sha256 for item in versions(reader, "cloud")} == {
        Item("", "", None, body_of("a", 36), Provenance.GET).sha256
    }
    assert [type(each) for each in reader.problems] == [DamageError]


def test_every_version_is_given_once(vault: Vault) -> None:
    vault.fill()
    vault.run(added("a", 2))
    vault.run(added("a", 1), about(Op.GONE, "b"))
    vault.run(about(Op.UNREAD, "a", reason="500"), about(Op.UNREAD, "never", reason="404"))
    new_generation(vault, calendar_row("family"), added("a"))
    found = sorted(each.body for each in versions(vault.reader(), "cloud"))
    assert found == sorted([body_of("a"), body_of("a", 2), body_of("b")])


def test_a_version_in_a_damaged_pack_is_taken_from_another_generation(vault: Vault) -> None:
    vault.fill()
    (first,) = vault.packs()
    new_generation(vault, calendar_row("family"), added("a"))
    (vault.root / first).unlink()
    reader = vault.reader()
    assert [each.body for each in versions(reader, "cloud")] == [body_of("a")]
    (problem,) = reader.problems
    assert isinstance(problem, ItemError)
    assert problem.message.startswith("1 version cannot be read: ")
    assert first in problem.message


def test_all_that_is_lost_with_a_pack_is_counted(vault: Vault) -> None:
    vault.fill()
    (vault.root / vault.packs()[0]).unlink()
    reader = vault.reader()
    assert list(versions(reader, "cloud")) == []
    assert reader.problems[0].message.startswith("2 versions cannot be read: ")


def test_a_lost_pack_whose_versions_are_all_elsewhere_loses_nothing(vault: Vault) -> None:
    vault.fill()
    (first,) = vault.packs()
    new_generation(vault, calendar_row("family"), added("a"), added("b"))
    (vault.root / first).unlink()
    reader = vault.reader()
    assert len(list(versions(reader, "cloud"))) == 2
    assert reader.problems == []


def test_accounts_are_told_apart(vault: Vault) -> None:
    vault.fill()
    vault.run(calendar_row("family"), added("a", 7), account="phone")
    (phone,) = tracks(vault.reader(), "phone", Wanted(uids=frozenset({"a"})))
    assert (phone.account, len(phone.stops)) == ("phone", 1)
    assert len(list(versions(vault.reader(), "phone"))) == 1


@pytest.mark.parametrize("seed", range(4))
def test_tracks_say_what_each_snapshot_holds(vault: Vault, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 -- no secret
    vault.run(*map(calendar_row, CALENDARS), added("a"), added("b"))
    for number in range(24):
        vault.configure(full_every=timedelta(0) if number == 8 else timedelta(days=90))
        vault.run(*happening(chance))
    reader = vault.reader()
    found = {each.uid: each for each in tracks(reader, "cloud", Wanted(uids=frozenset("abc")))}
    for snapshot in reader.snapshots():
        for uid in "abc":
            stops = found[uid].stops if uid in found else ()
            past = [stop for stop in stops if stop.snapshot.time <= snapshot.time]
            held = (each for each in reader.items(snapshot) if each.uid == uid and each.sha256)
            assert versions_of(past[-1].items if past else ()) == versions_of(held)


def versions_of(items: Iterable[ItemInfo]) -> list[tuple[str, str, str | None]]:
    return [(each.calendar, each.href, each.sha256) for each in items]
