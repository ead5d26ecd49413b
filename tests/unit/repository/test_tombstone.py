import logging
from pathlib import Path

import pytest

from caldav_run.errors import DamageError, SetupError
from caldav_run.repository import envelope, names, signed, tar, tombstone
from caldav_run.repository.tombstone import Reason, Tombstone
from caldav_run.testing.vault import START, Vault, added, calendar_row


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


def stone_of(
    vault: Vault, reason: Reason = Reason.EXPIRED, successor: str | None = None
) -> Tombstone:
    return Tombstone(
        repository=vault.reader().repository,
        generation=vault.generations()[0].name,
        time=START,
        reason=reason,
        successor=successor,
    )


def bury(vault: Vault, stone: Tombstone) -> str:
    name, stored = tombstone.build(stone, vault.writer.signer)
    vault.local.put(name, stored)
    return name


def opened(vault: Vault, name: str, stored: bytes) -> Tombstone:
    parsed = names.parse_tombstone(name)
    assert parsed is not None
    trusted = {vault.writer.signer.fingerprint}
    return tombstone.open_tombstone(parsed, stored, trusted, vault.reader().repository)


def packed(vault: Vault, files: dict[str, bytes]) -> tuple[str, bytes]:
    stored = b"".join(
        tar.header(name, len(text), 0) + text + tar.padding(len(text))
        for name, text in files.items()
    )
    stored += tar.END
    name = vault.generations()[0].name.tombstone(START, envelope.sha256(stored))
    return name, stored


def with_document(vault: Vault, **changes: object) -> tuple[str, bytes]:
    stone = stone_of(vault)
    document = {
        "format": tombstone.FORMAT,
        "repository": stone.repository,
        "stream": stone.generation.stream,
        "generation": stone.generation.name,
        "time": "2026-05-01T08:00:00Z",
        "reason": "expired",
        "successor": None,
    }
    text = signed.encode(document | changes)
    signature = vault.writer.signer.sign(tombstone.NAMESPACE, text)
    return packed(vault, {tombstone.DOCUMENT: text, tombstone.SIGNATURE: signature})


@pytest.mark.parametrize("reason", list(Reason))
def test_a_tombstone_is_read_back(vault: Vault, reason: Reason) -> None:
    vault.fill()
    stone = stone_of(vault, reason, "20270101T000000Z-00000000-000000")
    name, stored = tombstone.build(stone, vault.writer.signer)
    assert opened(vault, name, stored) == stone


def test_a_tombstone_sorts_behind_everything_else_of_its_generation(vault: Vault) -> None:
    vault.fill()
    name = bury(vault, stone_of(vault))
    assert [each.name for each in vault.local.list(names.ACCOUNTS)][-1] == name


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "caldav-run tombstone 2"},
        {"repository": "another"},
        {"stream": "another"},
        {"generation": "another"},
        {"time": "2026-05-01T08:00:01Z"},
        {"reason": "whim"},
        {"reason": None},
    ],
)
def test_a_tombstone_for_another_place_or_of_another_kind_is_refused(
    vault: Vault, changes: dict[str, object]
) -> None:
    vault.fill()
    with pytest.raises(DamageError, match="is not used"):
        opened(vault, *with_document(vault, **changes))


def test_a_successor_that_is_no_name_is_none(vault: Vault) -> None:
    vault.fill()
    assert opened(vault, *with_document(vault, successor=7)).successor is None


def test_what_is_no_archive_is_damaged(vault: Vault) -> None:
    vault.fill()
    name = vault.generations()[0].name.tombstone(START, envelope.sha256(b"no tar"))
    with pytest.raises(DamageError, match="is damaged"):
        opened(vault, name, b"no tar")


def test_an_altered_tombstone_is_damaged(vault: Vault) -> None:
    vault.fill()
    name, stored = tombstone.build(stone_of(vault), vault.writer.signer)
    with pytest.raises(DamageError, match="does not match its name"):
        opened(vault, name, stored + b"\0")


def test_a_tombstone_without_a_signature_is_refused(vault: Vault) -> None:
    vault.fill()
    with pytest.raises(DamageError, match="is not used"):
        opened(vault, *packed(vault, {tombstone.DOCUMENT: b"{}"}))


def test_a_member_beyond_its_size_is_passed_over(vault: Vault) -> None:
    vault.fill()
    with pytest.raises(DamageError, match="is not used"):
        opened(vault, *packed(vault, {tombstone.DOCUMENT: b" " * (1 << 17)}))


def test_an_unknown_signer_is_not_believed(vault: Vault) -> None:
    vault.fill()
    name, stored = tombstone.build(stone_of(vault), vault.writer.signer)
    parsed = names.parse_tombstone(name)
    assert parsed is not None
    with pytest.raises(SetupError, match="not trusted"):
        tombstone.open_tombstone(parsed, stored, (), vault.reader().repository)


def test_the_newest_rewriting_counts_before_an_expiry(vault: Vault) -> None:
    vault.fill()
    bury(vault, stone_of(vault, Reason.REWRITTEN, "later"))
    bury(vault, stone_of(vault))
    (listed,) = vault.generations()
    trusted = {vault.writer.signer.fingerprint}
    grave, problems = tombstone.grave_of(vault.local, listed, trusted, vault.reader().repository)
    assert (grave is not None and grave.tombstone.successor, problems) == ("later", [])


def test_an_expired_generation_is_shown_with_a_remark_and_restored(vault: Vault) -> None:
    vault.fill()
    bury(vault, stone_of(vault))
    (shown,) = vault.reader().snapshots()
    assert shown.expired == START
    assert len(vault.held()) == 2


def test_a_tombstoned_generation_is_never_continued(
    vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    vault.fill()
    bury(vault, stone_of(vault))
    with caplog.at_level(logging.INFO, "caldav_run"):
        vault.run(calendar_row("family"), added("a"))
    assert len(vault.generations()) == 2
    assert "a new full backup begins: it is marked for deletion" in caplog.text
    assert len(vault.held("latest~1")) == 2


def test_a_tombstone_of_a_stranger_is_ignored_and_reported(
    vault: Vault, tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    vault.fill()
    other = Vault(tmp_path_factory.mktemp("other"))
    name, stored = tombstone.build(stone_of(vault), other.writer.signer)
    vault.local.put(name, stored)
    reader = vault.reader()
    assert [each.expired for each in reader.snapshots()] == [None]
    assert [name in str(each) for each in reader.problems] == [True]
    vault.run(added("c"))
    assert len(vault.generations()) == 1
    assert f"a tombstone is ignored: {name}" in caplog.text


def test_a_broken_tombstone_is_ignored_and_reported(vault: Vault) -> None:
    vault.fill()
    name = bury(vault, stone_of(vault))
    (vault.root / name).write_bytes(b"")
    reader = vault.reader()
    assert [each.expired for each in reader.snapshots()] == [None]
    assert [name in str(each) for each in reader.problems] == [True]


def test_a_rewritten_generation_without_its_successor_is_shown(vault: Vault) -> None:
    vault.fill()
    bury(vault, stone_of(vault, Reason.REWRITTEN, "20270101T000000Z-00000000-000000"))
    assert len(vault.reader().snapshots()) == 1
    vault.run(calendar_row("family"), added("a"))
    assert len(vault.generations()) == 2


def test_successors_in_a_circle_end_in_a_new_generation(vault: Vault) -> None:
    vault.fill()
    only = vault.generations()[0].name.name
    bury(vault, stone_of(vault, Reason.REWRITTEN, only))
    vault.run(calendar_row("family"), added("a"))
    assert len(vault.generations()) == 2


def test_a_tombstone_alone_is_no_generation_to_read(vault: Vault) -> None:
    vault.fill()
    bury(vault, stone_of(vault))
    vault.run(calendar_row("family"), added("a"))
    old = vault.generations()[0]
    for name in old.sizes:
        vault.local.delete(name)
    assert len(vault.reader().snapshots()) == 1
    vault.forget()
    vault.run(added("b"))
    assert len(vault.held()) == 2
