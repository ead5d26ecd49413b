"""A copy is a working repository, at every moment of its making."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from caldav_run.errors import SetupError, UsageError
from caldav_run.repository import envelope, names
from caldav_run.repository.check.deep import check_deep
from caldav_run.repository.check.findings import Severity
from caldav_run.repository.check.inventory import inventory
from caldav_run.repository.copying import Copying, Fate, by_content, by_size, prepare
from caldav_run.repository.keys import IDENTITY, load_keyring
from caldav_run.repository.local import LocalStore
from caldav_run.repository.store import Stored
from caldav_run.testing.crashing import CrashError, CrashingStore
from caldav_run.testing.vault import START, Vault, added, calendar_row


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """Two generations of one account, one of another, and a key bundle."""
    made = Vault(tmp_path)
    made.fill()
    made.run(added("c"))
    made.clock.forward(days=100)
    made.fill()
    made.run(calendar_row("work"), added("x", calendar="work"), account="office")
    made.local.put(f"keys/{'0' * 64}.age", b"")
    made.local.put("notes.txt", b"mine")
    return made


@pytest.fixture
def target(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "copy")


def copied(vault: Vault, target: LocalStore) -> Counter[Fate]:
    prepared = prepare(vault.local, target, None, None)
    return Counter(each.fate for each in prepared.carry_out(by_size))


def bundle(vault: Vault) -> None:
    """Have the key bundle bear the hash of its bytes."""
    vault.local.delete(f"keys/{'0' * 64}.age")
    data = b"a sealed identity file"
    vault.local.put(names.bundle_name(envelope.sha256(data)), data)


def elsewhere(vault: Vault, target: LocalStore) -> Vault:
    """Return the vault as it is with the copy in the repository's place."""
    vault.wrap = lambda _: target
    vault.forget()
    return vault


class Busy(LocalStore):
    """A folder in which a run is done while it is listed: behind the packs, or the segments."""

    def __init__(self, vault: Vault, before: str) -> None:
        """Take where, and before which part of names."""
        super().__init__(vault.root)
        self._vault = vault
        self._before = before

    def list(self, prefix: str = "", after: str = "") -> Iterator[Stored]:
        early = [each for each in super().list(prefix, after) if self._before not in each.name]
        if not prefix:
            self._vault.run(added("late"))
        late = [each for each in super().list(prefix, after) if self._before in each.name]
        return iter(sorted([*early, *late]))


@pytest.mark.parametrize("before", ["/seg-", "runs/"])
def test_what_a_run_stores_meanwhile_is_not_copied_by_halves(
    vault: Vault, target: LocalStore, before: str
) -> None:
    bundle(vault)
    prepared = prepare(Busy(vault, before), target, None, None)
    assert {each.fate for each in prepared.carry_out(by_size)} == {Fate.COPIED}
    keyring = load_keyring([vault.keys / IDENTITY])
    found = check_deep(target, keyring, inventory(target.list()))
    assert [each for each in found if each.severity is not Severity.NOTE] == []
    assert "late.ics" not in str(everything(elsewhere(vault, target)))


def everything(vault: Vault) -> dict[str, dict[tuple[str, str], bytes]]:
    infos = vault.reader().snapshots()
    return {each.id: vault.held(each.id, each.account) for each in infos}


def test_a_copy_gives_back_the_same_bytes_and_goes_on(vault: Vault, target: LocalStore) -> None:
    bundle(vault)
    wanted = everything(vault)
    listed = {each.name for each in vault.local.list()} - {"notes.txt"}
    assert copied(vault, target) == {Fate.COPIED: len(listed)}
    assert {each.name for each in target.list()} == listed
    assert all(target.get(name) == vault.local.get(name) for name in listed)
    there = elsewhere(vault, target)
    assert everything(there) == wanted
    assert there.reader().problems == []
    there.run(added("later"))
    assert ("family", "later.ics") in there.held()
    assert (
        len({each.name for each in target.list(names.ACCOUNTS)})
        == len([name for name in listed if name.startswith(names.ACCOUNTS)]) + 2
    )


def test_a_second_copy_takes_only_what_is_new(vault: Vault, target: LocalStore) -> None:
    bundle(vault)
    before = copied(vault, target)[Fate.COPIED]
    vault.run(added("later"))
    assert copied(vault, target) == {Fate.PRESENT: before, Fate.COPIED: 3}


def test_what_is_none_of_a_repository_is_left(vault: Vault, target: LocalStore) -> None:
    assert prepare(vault.local, target, None, None).unknown == 1


def test_damage_is_named_and_left_out_and_the_rest_goes_on(
    vault: Vault, target: LocalStore
) -> None:
    pack = vault.packs()[0]
    (vault.root / pack).write_bytes(b"")
    listed = list(vault.local.list())
    found = list(prepare(vault.local, target, None, None).carry_out(by_size))
    damaged = {each.name for each in found if each.fate is Fate.DAMAGED}
    assert damaged == {pack, f"keys/{'0' * 64}.age"}
    assert all(
        each.problem and each.name in str(each.problem) for each in found if each.name in damaged
    )
    assert len(list(target.list())) == len(listed) - 3


def test_an_object_that_goes_meanwhile_is_named(vault: Vault, target: LocalStore) -> None:
    bundle(vault)
    prepared = prepare(vault.local, target, None, None)
    vault.local.delete(vault.packs()[0])
    fates = Counter(each.fate for each in prepared.carry_out(by_size))
    assert fates[Fate.DAMAGED] == 1


def test_an_object_of_another_size_is_copied_again(vault: Vault, target: LocalStore) -> None:
    bundle(vault)
    copied(vault, target)
    pack = vault.packs()[0]
    path = Path(target.location) / pack
    path.write_bytes(path.read_bytes()[:-1])
    assert copied(vault, target)[Fate.COPIED] == 1
    assert target.get(pack) == vault.local.get(pack)


def verified(vault: Vault, target: LocalStore) -> list[str]:
    found = prepare(vault.local, target, None, None).carry_out(by_content)
    return [each.name for each in found if each.fate is Fate.COPIED]


def test_verifying_reads_what_the_copy_holds(vault: Vault, target: LocalStore) -> None:
    bundle(vault)
    copied(vault, target)
    pack = vault.packs()[0]
    path = Path(target.location) / pack
    path.write_bytes(bytes(path.stat().st_size))
    assert copied(vault, target)[Fate.COPIED] == 0
    assert verified(vault, target) == [pack]
    assert target.get(pack) == vault.local.get(pack)
    assert verified(vault, target) == []


def test_an_object_that_goes_from_the_copy_meanwhile_is_copied_again(
    vault: Vault, target: LocalStore
) -> None:
    copied(vault, target)
    prepared = prepare(vault.local, target, None, None)
    target.delete(vault.packs()[0])
    found = prepared.carry_out(by_content)
    assert [each.name for each in found if each.fate is Fate.COPIED] == [vault.packs()[0]]


def test_another_repository_or_anything_else_is_not_written_into(
    vault: Vault, tmp_path: Path
) -> None:
    other = Vault(tmp_path / "other")
    with pytest.raises(SetupError, match="holds another repository"):
        prepare(vault.local, other.local, None, None)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"")
    with pytest.raises(SetupError, match="is not empty, and no repository"):
        prepare(vault.local, LocalStore(tmp_path / "photos"), None, None)
    with pytest.raises(UsageError, match="where the repository is"):
        prepare(vault.local, vault.local, None, None)
    with pytest.raises(SetupError, match="there is no repository"):
        prepare(LocalStore(tmp_path / "nothing"), vault.local, None, None)


def generations_in(prepared: Copying) -> set[str]:
    return {each.name.split("/")[2] for each in prepared.objects if each.name.startswith("a/")}


def test_one_account_is_copied_without_the_records_of_all(vault: Vault, target: LocalStore) -> None:
    stream = names.stream_name(vault.writer.name_key, "office")
    prepared = prepare(vault.local, target, frozenset({stream}), None)
    list(prepared.carry_out(by_size))
    there = elsewhere(vault, target)
    assert [each.account for each in there.reader().snapshots()] == ["office"]
    assert there.reader().problems == []
    with pytest.raises(UsageError, match="no history"):
        prepare(vault.local, target, frozenset({"0" * 20}), None)


def names_of(vault: Vault) -> list[names.GenerationName]:
    return [each.name for each in vault.generations()]


def test_since_takes_whole_generations_and_the_one_before(vault: Vault, target: LocalStore) -> None:
    for _ in range(2):
        vault.clock.forward(days=100)
        vault.fill()
    stream = names.stream_name(vault.writer.name_key, "cloud")
    cloud = sorted(each.name for each in names_of(vault) if each.stream == stream)
    since = START + timedelta(days=150)
    prepared = prepare(vault.local, target, frozenset({stream}), since)
    assert generations_in(prepared) == set(cloud[1:])
    assert generations_in(prepare(vault.local, target, None, START + timedelta(days=900))) == set()
    early = prepare(vault.local, target, frozenset({stream}), START)
    assert generations_in(early) == set(cloud)


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_between_any_two_calls_leaves_a_working_repository(
    vault: Vault, tmp_path: Path, *, after: bool
) -> None:
    bundle(vault)
    wanted = everything(vault)
    for at in range(100):
        folder = tmp_path / f"copy-{at}"
        prepared = prepare(vault.local, LocalStore(folder), None, None)
        crashing = CrashingStore(LocalStore(folder), at, after=after)
        try:
            list(replace(prepared, target=crashing).carry_out(by_size))
        except CrashError:
            pass
        else:
            break
        vault.wrap = lambda _, folder=folder: LocalStore(folder)  # type: ignore[misc]
        if any(names.parse_segment(each.name) for each in LocalStore(folder).list()):
            assert everything(vault).items() <= wanted.items()
        copied(vault, LocalStore(folder))
        assert everything(vault) == wanted
    else:
        pytest.fail("it never came to its end")
