"""The repository opens without this program."""

import shutil
import subprocess
from pathlib import Path

import pytest

from caldav_run.repository import keys, tombstone
from caldav_run.repository.tombstone import Reason, Tombstone
from caldav_run.testing.vault import START, Vault, body_of

MISSING = [each for each in ("age", "zstd", "tar", "ssh-keygen") if not shutil.which(each)]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")


def unpacked(vault: Vault, name: str) -> Path:
    target = vault.folder / "out" / Path(name).name[:12]
    target.mkdir(parents=True)
    identity = vault.keys / keys.IDENTITY
    line = 'age -d -i "$1" "$2" | zstd -d | tar x -C "$3"'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line, "-", identity, vault.root / name, target],
        check=True,
        capture_output=True,
    )
    assert b"tar:" not in done.stderr
    return target


def verified(vault: Vault, document: Path, namespace: str) -> str:
    """Return what ssh-keygen says of the signature beside a document."""
    allowed = vault.folder / "allowed"
    allowed.write_text(f"vault {vault.writer.signer.public_line}\n")
    with document.open("rb") as file:
        verify = ["ssh-keygen", "-Y", "verify", "-n", namespace, "-I", "vault"]
        done = subprocess.run(
            [*verify, "-f", str(allowed), "-s", f"{document}.sig"],
            stdin=file,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_age_zstd_and_tar_give_the_exact_bytes(vault: Vault) -> None:
    vault.fill()
    (pack,) = vault.packs()
    found = {each.name: each.read_bytes() for each in unpacked(vault, pack).rglob("*.ics")}
    assert found == {"000001-a.ics": body_of("a"), "000002-b.ics": body_of("b")}


def test_ssh_keygen_verifies_a_segment(vault: Vault) -> None:
    vault.fill()
    (segment,) = vault.segments()
    folder = unpacked(vault, segment.name)
    signer = verified(vault, folder / "segment.json", "caldav-run-segment")
    assert vault.writer.signer.fingerprint in signer


def test_tar_and_ssh_keygen_read_a_tombstone(vault: Vault) -> None:
    vault.fill()
    name, stored = tombstone.build(
        Tombstone(
            repository=vault.reader().repository,
            generation=vault.generations()[0].name,
            time=START,
            reason=Reason.EXPIRED,
        ),
        vault.writer.signer,
    )
    vault.local.put(name, stored)
    subprocess.run(["tar", "x", "-C", vault.folder, "-f", vault.root / name], check=True)
    assert verified(vault, vault.folder / tombstone.DOCUMENT, tombstone.NAMESPACE)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)
