"""The repository opens without this program."""

import shutil
import subprocess
from pathlib import Path

import pytest

from caldav_run.repository import keys
from caldav_run.testing.vault import Vault, body_of

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


def test_age_zstd_and_tar_give_the_exact_bytes(vault: Vault) -> None:
    vault.fill()
    (pack,) = vault.packs()
    found = {each.name: each.read_bytes() for each in unpacked(vault, pack).rglob("*.ics")}
    assert found == {"000001-a.ics": body_of("a"), "000002-b.ics": body_of("b")}


def test_ssh_keygen_verifies_a_segment(vault: Vault) -> None:
    vault.fill()
    (segment,) = vault.segments()
    folder = unpacked(vault, segment.name)
    allowed = vault.folder / "allowed"
    allowed.write_text(f"vault {vault.writer.signer.public_line}\n")
    with (folder / "segment.json").open("rb") as document:
        verify = ["ssh-keygen", "-Y", "verify", "-n", "caldav-run-segment", "-I", "vault"]
        done = subprocess.run(
            [*verify, "-f", str(allowed), "-s", str(folder / "segment.json.sig")],
            stdin=document,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert vault.writer.signer.fingerprint in done.stdout


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)
