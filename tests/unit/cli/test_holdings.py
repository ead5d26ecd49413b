"""`key list`: what this machine has, and what the repository says."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from caldav_run.repository import age, keyfiles, keys
from caldav_run.testing.vault import Vault, added

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call


def listed(call: "Call", *arguments: str) -> dict[str, Any]:
    done = call("key", "list", *arguments, "--output", "json")
    assert done.status == 0, done.err
    assert "AGE-SECRET" not in done.out
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_a_machine_without_keys_has_none(call: "Call", here: Path) -> None:
    found = listed(call)
    assert found["repository"] is None
    assert found["host"] == {
        "folder": str(here / "keys"),
        "writer_key": None,
        "signer": None,
        "writer": None,
        "recipients": [],
        "identities": [],
        "identity_files": [],
        "trusted": [],
        "removed": [],
    }


def test_the_keys_of_a_machine_are_listed_with_their_places(call: "Call", here: Path) -> None:
    made = keys.create_keys(here / "other")
    host = listed(call, "--folder", "other")["host"]
    assert host["signer"] == made.fingerprint
    assert host["trusted"] == [made.fingerprint]
    assert host["recipients"] == [
        {"recipient": made.recipient, "place": str(Path("other") / keys.RECIPIENTS)}
    ]
    assert host["identities"] == [made.recipient]


def test_signers_are_told_apart(call: "Call", here: Path, vault: Vault) -> None:
    old = vault.writer.signer.fingerprint
    call("key", "rotate", "signer", "nightly.yaml", "--remove-old")
    vault.writer = keys.load_writer(here / "keys" / keys.WRITER)
    vault.run(added("z"))
    stranger = keys.create_keys(here / "stranger")
    vault.writer = keys.load_writer(stranger.folder / keys.WRITER)
    vault.run(added("z"), account="theirs")
    signers = listed(call, "nightly.yaml")["repository"]["signers"]
    states = {each["signer"]: (each["state"], each["snapshots"]) for each in signers}
    new = keys.load_writer(here / "keys" / keys.WRITER).signer.fingerprint
    assert states == {old: ("removed", 2), new: ("trusted", 1), None: ("unknown", 0)}
    assert "other recipients" not in call("key", "list", "nightly.yaml").out


def test_a_backup_for_other_recipients_than_todays_is_marked(
    call: "Call", here: Path, vault: Vault
) -> None:
    keyfiles.add_recipient(here / "keys" / keys.RECIPIENTS, age.new_identity()[0].recipient)
    vault.recipients = keys.load_recipients(here / "keys" / keys.RECIPIENTS)
    vault.run(added("z"))
    found = listed(call, "nightly.yaml")["repository"]["generations"]
    assert [each["current_recipients"] for each in found] == [False, True]
    text = call("key", "list", "nightly.yaml").out
    assert "other recipients than today's" in text
    assert vault.writer.signer.fingerprint in text


def test_without_an_identity_writers_and_times_are_shown(
    call: "Call", here: Path, vault: Vault
) -> None:
    (here / "keys" / keys.IDENTITY).unlink()
    (here / "repository" / "keys").mkdir()
    bundle = f"keys/{'0' * 64}.age"
    (here / "repository" / bundle).write_bytes(b"")
    found = listed(call, "--repository", "repository")["repository"]
    (signer,) = found["signers"]
    assert (signer["signer"], signer["writer"]) == (None, vault.writer.name)
    assert (signer["state"], signer["snapshots"]) == ("unknown", 2)
    assert [each["name"] for each in found["bundles"]] == [bundle]
    done = call("key", "list", "--repository", "repository")
    assert f"opens with a passphrase: {bundle}" in done.out
    assert f"{vault.writer.name}…" in done.out
    assert "writers and times only" in done.err


@pytest.mark.usefixtures("vault")
def test_a_pipeline_that_only_reads_has_no_recipients_of_today(call: "Call", here: Path) -> None:
    (here / "restore.yaml").write_text(
        "version: 1\nname: restore\n"
        "sources: {vault: {type: snapshot, repository: repository}}\n"
        "sinks: {copy: {type: ics, path: copy}}\n"
    )
    found = listed(call, "restore.yaml")
    assert found["host"]["recipients"] == []
    assert [each["current_recipients"] for each in found["repository"]["generations"]] == [None]


def test_damage_is_named_in_the_list(call: "Call", here: Path, vault: Vault) -> None:
    for each in vault.segments():
        (here / "repository" / each.name).write_bytes(b"")
    assert "is damaged" in call("key", "list", "nightly.yaml").out
