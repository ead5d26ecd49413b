from pathlib import Path

import pytest

from caldav_run.errors import SetupError
from caldav_run.repository import create, keys
from caldav_run.repository.local import LocalStore
from caldav_run.testing.vault import START, Vault


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


def test_a_new_repository_is_small_and_says_how_to_open_it(vault: Vault) -> None:
    found = {each.name: each.size for each in vault.local.list()}
    assert found.keys() == {"README.txt", "format.json"}
    assert sum(found.values()) < 5000
    assert b'"status": "final"' in vault.local.get("format.json")
    assert "age -d -i identity.txt" in (vault.root / "README.txt").read_text()


def test_a_place_that_is_not_empty_is_refused(vault: Vault) -> None:
    with pytest.raises(SetupError, match="is not empty"):
        create.create(vault.local, vault.recipients, vault.writer, START)


class Racing(LocalStore):
    """Somebody else's marker is there when one's own is written."""

    def put(self, name: str, data: bytes) -> None:
        theirs = data.replace(b'"id": "', b'"id": "0')
        super().put(name, theirs)


def test_a_repository_that_somebody_else_made_meanwhile_is_not_taken_over(vault: Vault) -> None:
    with pytest.raises(SetupError, match="just now"):
        create.create(Racing(vault.folder / "other"), vault.recipients, vault.writer, START)


def test_a_repository_of_before_the_final_format_is_read(vault: Vault) -> None:
    vault.fill()
    marker = vault.root / "format.json"
    marker.write_text(marker.read_text().replace('"final"', '"draft"'))
    assert len(vault.held()) == 2


def test_another_major_version_is_said_so(vault: Vault) -> None:
    marker = vault.root / "format.json"
    marker.write_text(marker.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(SetupError, match=r"has version 2; this program knows version 1"):
        vault.reader().snapshots()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "other"}', "[" * 100_000])
def test_a_foreign_marker_is_said_so(vault: Vault, text: str) -> None:
    (vault.root / "format.json").write_text(text)
    with pytest.raises(SetupError, match="is not a caldav-run repository"):
        vault.reader().snapshots()


def test_a_typed_identity_is_tried(vault: Vault) -> None:
    identity = (vault.keys / keys.IDENTITY).read_text().splitlines()[-1]
    other = keys.create_keys(vault.folder / "other").folder / keys.IDENTITY
    assert create.opens(f" {identity}\n", vault.recipients)
    assert not create.opens(other.read_text().splitlines()[-1], vault.recipients)
    assert not create.opens("AGE-SECRET-KEY-1", vault.recipients)
