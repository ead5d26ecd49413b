"""Changing key files: what was there stays readable, whatever happens."""

import os
import stat
from datetime import date
from pathlib import Path

import pytest

from caldav_run.errors import SetupError
from caldav_run.repository import age, durable, keyfiles, keys, names
from caldav_run.repository.keys import Keys
from caldav_run.testing.vault import Vault, added

TODAY = date(2026, 5, 1)
OTHER = "SHA256:eg7/DvGvcsmqTeT3HdEnmp1dBrBZWDsszr2wGrvoE8Y"


@pytest.fixture
def made(tmp_path: Path) -> Keys:
    return keys.create_keys(tmp_path)


def test_a_new_signer_goes_on_with_the_streams_of_the_old_one(made: Keys) -> None:
    old = keys.load_writer(made.folder / keys.WRITER)
    renewed = keyfiles.rotate_signer(made.folder / keys.WRITER, TODAY)
    new = keys.load_writer(made.folder / keys.WRITER)
    assert (renewed.old, renewed.new) == (old.signer.fingerprint, new.signer.fingerprint)
    assert renewed.old != renewed.new
    assert names.stream_name(new.name_key, "a") == names.stream_name(old.name_key, "a")
    assert renewed.kept == made.folder / "writer-2026-05-01.key"
    assert keys.load_writer(renewed.kept).signer.fingerprint == renewed.old
    modes = {stat.S_IMODE(each.stat().st_mode) for each in made.folder.iterdir()}
    assert modes == {0o600}


def test_two_rotations_of_one_day_keep_both_old_keys(made: Keys) -> None:
    first = keyfiles.rotate_signer(made.folder / keys.WRITER, TODAY)
    second = keyfiles.rotate_signer(made.folder / keys.WRITER, TODAY)
    assert second.kept.name == "writer-2026-05-01-2.key"
    assert keys.load_writer(first.kept).signer.fingerprint == first.old
    assert keys.load_writer(second.kept).signer.fingerprint == second.old == first.new


def test_a_new_identity_stands_before_the_old_one_and_both_open(made: Keys) -> None:
    identity = made.folder / keys.IDENTITY
    before = age.seal(b"old", [made.recipient])
    renewed = keyfiles.rotate_identity(identity, made.folder / keys.RECIPIENTS, TODAY)
    keyring = keys.load_keyring([identity])
    assert [each.recipient for each in keyring.identities] == [renewed.new, renewed.old]
    assert keyring.trusted == {made.fingerprint}
    assert keys.load_recipients(made.folder / keys.RECIPIENTS) == (renewed.new,)
    assert age.unseal(before, keyring.identities) == b"old"


def test_an_identity_that_is_no_recipient_is_not_renewed(made: Keys) -> None:
    other = keys.create_keys(made.folder / "other").folder / keys.RECIPIENTS
    text = (made.folder / keys.IDENTITY).read_text()
    with pytest.raises(SetupError, match="name the files that belong together"):
        keyfiles.rotate_identity(made.folder / keys.IDENTITY, other, TODAY)
    assert (made.folder / keys.IDENTITY).read_text() == text


def test_another_machine_goes_on_with_the_streams_of_an_identity_file(made: Keys) -> None:
    identity = made.folder / keys.IDENTITY
    taken = keyfiles.take_over(identity, made.folder / "second")
    first, second = (keys.load_writer(each / keys.WRITER) for each in (made.folder, taken.folder))
    assert second.name_key == first.name_key
    assert second.signer.fingerprint == taken.fingerprint != first.signer.fingerprint
    assert keys.load_recipients(taken.folder / keys.RECIPIENTS) == (made.recipient,)
    assert not (taken.folder / keys.IDENTITY).exists()
    assert keys.load_keyring([identity]).trusted == {made.fingerprint, taken.fingerprint}


def test_the_folder_of_a_machine_that_takes_over_is_for_its_owner_alone(made: Keys) -> None:
    folder = made.folder / "far" / "away"
    keyfiles.take_over(made.folder / keys.IDENTITY, folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_first_identity_of_a_file_is_its_newest(made: Keys) -> None:
    identity = made.folder / keys.IDENTITY
    old = keyfiles.first_identity(identity)
    assert old in identity.read_text().splitlines()
    keyfiles.rotate_identity(identity, made.folder / keys.RECIPIENTS, TODAY)
    new = keyfiles.first_identity(identity)
    assert new != old
    assert new.startswith("AGE-SECRET-KEY-1")
    identity.write_text(f"  {old}  \n")
    assert keyfiles.first_identity(identity) == old
    identity.write_text("# nothing\n")
    with pytest.raises(SetupError, match=str(identity)):
        keyfiles.first_identity(identity)


@pytest.mark.parametrize(
    ("until", "told"), [([], ""), (["1" * 64, "2" * 64], f" {'1' * 64},{'2' * 64}")]
)
def test_a_removed_signer_is_told_in_one_line_instead_of_the_old_one(
    made: Keys, until: list[str], told: str
) -> None:
    identity = made.folder / keys.IDENTITY
    keyfiles.add_signer(identity, OTHER)
    keyfiles.remove_signer(identity, OTHER, until)
    lines = [line for line in identity.read_text().splitlines() if OTHER in line]
    assert lines == [f"# trusted-signer: {OTHER} until{told}"]
    assert f"# trusted-signer: {made.fingerprint}" in identity.read_text().splitlines()


def test_recipients_that_are_there_are_kept_by_a_machine_that_takes_over(made: Keys) -> None:
    (made.folder / keys.WRITER).unlink()
    recipients = (made.folder / keys.RECIPIENTS).read_text() + "# more\n"
    (made.folder / keys.RECIPIENTS).write_text(recipients)
    keyfiles.take_over(made.folder / keys.IDENTITY, made.folder)
    assert (made.folder / keys.RECIPIENTS).read_text() == recipients


def test_a_writer_key_is_not_overwritten_by_taking_over(made: Keys) -> None:
    with pytest.raises(SetupError, match="not overwritten"):
        keyfiles.take_over(made.folder / keys.IDENTITY, made.folder)


def test_taking_over_needs_one_name_key(made: Keys) -> None:
    identity = made.folder / keys.IDENTITY
    text = identity.read_text()
    identity.write_text(text.replace("name-key", "other"))
    with pytest.raises(SetupError, match="holds no name keys"):
        keyfiles.take_over(identity, made.folder / "second")
    identity.write_text(f"# name-key: {'0' * 64}\n{text}")
    with pytest.raises(SetupError, match="holds 2 name keys"):
        keyfiles.take_over(identity, made.folder / "second")
    assert not (made.folder / "second").exists()


@pytest.mark.parametrize("bad", ["zz" * 32, "00" * 31, "0" * 63])
def test_a_name_key_that_is_none_is_refused(made: Keys, bad: str) -> None:
    identity = made.folder / keys.IDENTITY
    lines = [each for each in identity.read_text().splitlines() if "name-key" not in each]
    identity.write_text("\n".join([f"# name-key: {bad}", *lines]))
    with pytest.raises(SetupError, match="64 hex digits"):
        keyfiles.take_over(identity, made.folder / "second")


def test_either_of_two_recipients_opens_everything(made: Keys, tmp_path: Path) -> None:
    paper = keys.create_keys(tmp_path / "paper")
    path = made.folder / keys.RECIPIENTS
    assert keyfiles.add_recipient(path, paper.recipient)
    assert not keyfiles.add_recipient(path, paper.recipient)
    vault = Vault(tmp_path / "vault")
    vault.recipients = keys.load_recipients(path)
    vault.fill()
    for each in (made, paper):
        vault.keys = each.folder
        reader = vault.reader(vault.writer.signer.fingerprint)
        items = list(reader.items(reader.resolve("latest")))
        assert len(items) == len(list(reader.bodies(items))) == 2
        assert reader.problems == []


def test_a_wrong_recipient_is_not_added(made: Keys) -> None:
    with pytest.raises(SetupError, match="is no age recipient"):
        keyfiles.add_recipient(made.folder / keys.RECIPIENTS, "age1x")


def test_a_signer_is_trusted_once_it_was_added(made: Keys) -> None:
    identity = made.folder / keys.IDENTITY
    assert keyfiles.add_signer(identity, OTHER)
    assert not keyfiles.add_signer(identity, OTHER)
    assert keys.load_keyring([identity]).trusted == {made.fingerprint, OTHER}
    assert identity.read_text().count(OTHER) == 1


@pytest.mark.parametrize("bad", ["SHA256:x", OTHER + " until", f"{OTHER}\nAGE-SECRET-KEY-1X"])
def test_no_fingerprint_no_trust(made: Keys, bad: str) -> None:
    identity = made.folder / keys.IDENTITY
    text = identity.read_text()
    with pytest.raises(SetupError, match="is no fingerprint"):
        keyfiles.add_signer(identity, bad)
    with pytest.raises(SetupError, match="is no fingerprint"):
        keyfiles.remove_signer(identity, bad, [])
    assert identity.read_text() == text


def test_a_removed_signer_counts_up_to_its_vouchers(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.fill()
    for number in range(34):
        vault.run(added("c", number + 1))
    vault.clock.forward(days=120)
    vault.fill()
    fingerprint = vault.writer.signer.fingerprint
    every = {each.id for each in vault.reader().snapshots()}
    held = vault.reader().holdings()
    assert {each.signer for each in held} == {fingerprint}
    assert [(each.snapshots, len(each.vouchers)) for each in held] == [(35, 3), (1, 1)]
    until = [voucher for each in held for voucher in each.vouchers]
    identity = vault.keys / keys.IDENTITY
    keyfiles.remove_signer(identity, fingerprint, until)
    assert {each.id for each in vault.reader().snapshots()} == every
    # The head's object is lost: the cumulative segment vouches for what is in its log.
    (vault.root / vault.segments()[34].name).unlink()
    assert len(vault.reader().snapshots()) == 34
    with pytest.raises(SetupError, match="delete its `until` line"):
        keyfiles.add_signer(identity, fingerprint)


def test_every_branch_of_a_fork_is_vouched_for(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.fill()
    vault.run(added("c"))
    name = vault.segments()[-1].name
    (vault.root / name).rename(tmp_path / "aside")
    vault.forget()
    vault.run(added("d"))
    (tmp_path / "aside").rename(vault.root / name)
    (held,) = vault.reader().holdings()
    assert set(held.vouchers) == {each.sha256 for each in vault.segments()}
    every = {each.id for each in vault.reader().snapshots()}
    assert len(every) == 3
    signer = vault.writer.signer.fingerprint
    keyfiles.remove_signer(vault.keys / keys.IDENTITY, signer, held.vouchers)
    assert {each.id for each in vault.reader().snapshots()} == every


def test_of_a_generation_that_cannot_be_read_nothing_is_vouched_for(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.fill()
    (vault.root / vault.segments()[0].name).write_bytes(b"")
    (held,) = vault.reader().holdings()
    assert (held.signer, held.recipients, held.vouchers) == (None, None, ())


def test_a_key_file_is_replaced_whole_or_not_at_all(
    made: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = made.folder / keys.IDENTITY
    text = identity.read_text()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("fsync", "chown"):
        with monkeypatch.context() as broken:
            broken.setattr(os, name, full)
            with pytest.raises(SetupError, match=r"cannot write keys .*No space left"):
                keyfiles.add_signer(identity, OTHER)
        assert identity.read_text() == text
        assert sorted(each.name for each in made.folder.iterdir()) == sorted(
            [keys.IDENTITY, keys.RECIPIENTS, keys.WRITER]
        )


def test_a_replaced_file_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    real, link = tmp_path / "stick.txt", tmp_path / "identity.txt"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    durable.replace(link, "new")
    assert link.is_symlink()
    assert (real.read_text(), stat.S_IMODE(real.stat().st_mode)) == ("new", 0o640)
