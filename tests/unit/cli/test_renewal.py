"""`key add`, `key rotate` and `key remove`, by what is true after them."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caldav_run.repository import age, keys
from caldav_run.testing.vault import Vault, added

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call

OTHER = "SHA256:eg7/DvGvcsmqTeT3HdEnmp1dBrBZWDsszr2wGrvoE8Y"


def identity(here: Path) -> Path:
    return here / "keys" / keys.IDENTITY


def test_a_recipient_is_added_once(call: "Call", here: Path) -> None:
    call("key", "new")
    paper = age.new_identity()[0].recipient
    done = call("key", "add", paper)
    assert (done.status, done.err) == (0, "")
    assert "the next run makes a full backup that it opens" in done.out
    assert keys.load_recipients(here / "keys" / keys.RECIPIENTS)[1:] == (paper,)
    assert "already" in call("key", "add", paper).out


def test_a_signer_is_added_to_the_identity_file(call: "Call", here: Path) -> None:
    call("key", "new", "other")
    done = call("key", "add", OTHER, "-i", "other/identity.txt")
    assert done.status == 0
    assert OTHER in keys.load_keyring([here / "other" / keys.IDENTITY]).trusted


def test_an_identity_is_no_recipient_and_is_not_repeated(call: "Call", here: Path) -> None:
    call("key", "new")
    secret = identity(here).read_text().splitlines()[-1]
    done = call("key", "add", secret)
    assert done.status == 78
    assert secret not in done.out + done.err


def test_another_folder_has_its_own_keys(call: "Call", here: Path) -> None:
    call("key", "new", "other")
    other = ["--folder", "other", "-i", "other/identity.txt"]
    assert call("key", "rotate", "signer", *other).status == 0
    assert len(list((here / "other").glob("writer-*.key"))) == 1


def test_a_new_signer_is_trusted_where_the_identity_file_is(
    call: "Call", here: Path, vault: Vault
) -> None:
    old = vault.writer.signer.fingerprint
    done = call("key", "rotate", "signer")
    assert done.status == 0
    assert f"the key of {old} is kept as" in done.out
    new = keys.load_writer(here / "keys" / keys.WRITER)
    assert keys.load_keyring([identity(here)]).trusted == {old, new.signer.fingerprint}
    vault.writer = new
    vault.run(added("z"))
    assert {each.account for each in vault.reader().snapshots()} == {"cloud"}
    assert len(vault.reader().snapshots()) == 3


def test_elsewhere_the_line_for_the_identity_file_is_printed(call: "Call", here: Path) -> None:
    call("key", "new")
    identity(here).rename(here / "away.txt")
    done = call("key", "rotate", "signer")
    assert done.status == 0
    line = done.out.splitlines()[-1]
    (here / "away.txt").write_text(line + "\n" + (here / "away.txt").read_text())
    new = keys.load_writer(here / "keys" / keys.WRITER).signer.fingerprint
    assert new in keys.load_keyring([here / "away.txt"]).trusted


def test_the_old_signer_is_removed_with_what_it_has_signed(
    call: "Call", here: Path, vault: Vault
) -> None:
    old = vault.writer.signer.fingerprint
    done = call("key", "rotate", "signer", "nightly.yaml", "--remove-old")
    assert done.status == 0, done.err
    assert "cloud: 2 snapshots up to" in done.err
    assert keys.load_keyring([identity(here)]).removed.keys() == {old}
    # Whoever has the old key still writes with it.
    vault.run(added("forged"))
    assert len(vault.reader().snapshots()) == 2
    assert call("snapshots", "nightly.yaml").status == 78


def test_nothing_is_changed_where_the_old_one_cannot_be_removed(
    call: "Call", here: Path, vault: Vault
) -> None:
    old = vault.writer.signer.fingerprint
    for arguments in ([], ["nothing.yaml"], ["nightly.yaml", "-i", "none.txt"]):
        assert call("key", "rotate", "signer", *arguments, "--remove-old").status != 0
    assert keys.load_writer(here / "keys" / keys.WRITER).signer.fingerprint == old


def test_a_new_identity_opens_what_comes_and_the_old_one_what_was(
    call: "Call", here: Path, vault: Vault
) -> None:
    done = call("key", "rotate", "identity")
    assert done.status == 0
    assert "AGE-SECRET" not in done.out + done.err
    vault.recipients = keys.load_recipients(here / "keys" / keys.RECIPIENTS)
    before = len(vault.held())
    vault.run(added("z"))
    assert len(vault.generations()) == 2
    assert len(vault.held("latest~1")) == before
    assert len(vault.held()) == 1
    assert call("key", "rotate", "identity", "--remove-old").status == 2


@pytest.mark.parametrize("which", ["stranger", "twice"])
def test_only_a_trusted_signer_can_be_removed(
    call: "Call", here: Path, vault: Vault, which: str
) -> None:
    fingerprint = OTHER if which == "stranger" else vault.writer.signer.fingerprint
    if which == "twice":
        assert call("key", "remove", fingerprint, "nightly.yaml").status == 0
    text = identity(here).read_text()
    done = call("key", "remove", fingerprint, "--repository", "repository")
    assert done.status == 78
    assert ("is not trusted" if which == "stranger" else "is removed already") in done.err
    assert identity(here).read_text() == text


def test_a_signer_is_not_removed_with_backups_that_another_identity_opens(
    call: "Call", here: Path, vault: Vault
) -> None:
    vault.recipients = (age.new_identity()[0].recipient,)
    vault.run(added("z"))
    text = identity(here).read_text()
    done = call("key", "remove", vault.writer.signer.fingerprint, "nightly.yaml")
    assert done.status == 78
    assert "none of the given identities opens" in done.err
    assert identity(here).read_text() == text


def test_damage_is_named_and_does_not_keep_a_signer(call: "Call", here: Path, vault: Vault) -> None:
    vault.clock.forward(days=120)
    vault.run(added("z"))
    (here / "repository" / vault.segments()[-1].name).write_bytes(b"")
    done = call("key", "remove", vault.writer.signer.fingerprint, "nightly.yaml")
    assert done.status == 1
    assert "is damaged" in done.err
    assert len(vault.reader().snapshots()) == 2


def test_a_machine_takes_over_with_the_identity_file(
    call: "Call", here: Path, vault: Vault
) -> None:
    done = call("key", "new", "second", "-i", "keys/identity.txt")
    assert done.status == 0
    assert "made a new writer key in second" in done.out
    vault.writer = keys.load_writer(here / "second" / keys.WRITER)
    vault.run(added("z"))
    assert len({each.name.stream for each in vault.generations()}) == 1
    assert len(vault.reader().snapshots()) == 3


def test_the_writer_key_that_a_pipeline_names_is_the_one_that_is_renewed(
    call: "Call", here: Path, vault: Vault
) -> None:
    (here / "keys" / keys.WRITER).rename(here / "mine.key")
    text = (here / "nightly.yaml").read_text()
    own = text.replace("keys/writer.key", "mine.key")
    assert own != text
    (here / "own.yaml").write_text(own)
    done = call("key", "rotate", "signer", "own.yaml")
    assert done.status == 0, done.err
    renewed = keys.load_writer(here / "mine.key").signer.fingerprint
    assert renewed != vault.writer.signer.fingerprint
    listed = call("key", "list", "own.yaml").out
    assert renewed in listed.split("SNAPSHOTS")[0]
