"""The recovery sheet: what it says is done here, word for word."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from caldav_run.repository import create, keys
from caldav_run.repository.local import LocalStore
from caldav_run.repository.sheet import Sheet
from caldav_run.testing.vault import START, Vault, body_of

RESCUE = Path(__file__).parents[3] / "rescue.py"
MISSING = [each for each in ("age", "zstd", "tar", "ssh-keygen") if not shutil.which(each)]


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    vault = Vault(tmp_path)
    vault.fill()
    return vault


@pytest.fixture
def sheet(vault: Vault) -> Sheet:
    store = LocalStore(vault.folder / "other")
    return create.create(store, vault.recipients, vault.writer, START).sheet


def secret(vault: Vault) -> str:
    return (vault.keys / keys.IDENTITY).read_text().splitlines()[-1]


def test_the_page_holds_what_is_needed_and_no_secret(vault: Vault, sheet: Sheet) -> None:
    text = sheet.text()
    for needed in (sheet.id, sheet.location, *vault.recipients, vault.writer.signer.fingerprint):
        assert needed in text
    assert secret(vault) not in text
    assert text.startswith("caldav-run recovery sheet, 2026-05-01\n")


def test_it_fits_on_a_page_with_all_that_may_be_on_it(sheet: Sheet) -> None:
    most = replace(
        sheet,
        location="s3://calendars/alice",
        endpoint="https://s3.example.org",
        recipients=[sheet.recipients[0]] * 2,
        bundles=True,
    )
    code = ["#" * 37] * 19
    lines = most.text(code).splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 80
    assert "Service     https://s3.example.org" in lines
    assert "    age -d VAULT/keys/HASH.age > identity.txt" in lines
    assert any("copy the bucket into a folder" in each for each in lines)


def commands(vault: Vault, sheet: Sheet, beginning: str) -> str:
    """Return the indented lines below a heading, where the page's words are true."""
    (vault.folder / "VAULT").symlink_to(vault.root)
    lines = sheet.text().splitlines()
    typed = [each.strip() for each in lines if each.startswith("    # trusted-signer")]
    assert "    AGE-SECRET-KEY-1..." in lines
    (vault.folder / "identity.txt").write_text("\n".join([*typed, secret(vault), ""]))
    (at,) = (number for number, each in enumerate(lines) if each.startswith(beginning))
    below = iter(lines[at:])
    indented = [each for each in iter(lambda: next(below), "") if each.startswith("    ")]
    return "\n".join(indented or [each for each in below if each.startswith("    ")])


def run(vault: Vault, script: str) -> None:
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=vault.folder, check=True)


def restored(folder: Path) -> list[bytes]:
    return sorted(each.read_bytes() for each in folder.rglob("*.ics"))


BODIES = [body_of("a"), body_of("b")]


def test_its_way_with_caldav_run_gives_the_calendars_back(vault: Vault, sheet: Sheet) -> None:
    program = f'caldav-run() {{ "{sys.executable}" -m caldav_run "$@"; }}\n'
    run(vault, program + commands(vault, sheet, "WITH CALDAV-RUN"))
    assert restored(vault.folder / "calendars") == BODIES


@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
def test_its_way_with_rescue_gives_the_calendars_back(vault: Vault, sheet: Sheet) -> None:
    shutil.copy(RESCUE, vault.folder)
    run(vault, commands(vault, sheet, "WITH RESCUE.PY"))
    assert restored(vault.folder / "calendars") == BODIES


@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
def test_its_way_with_three_programs_gives_every_item_back(vault: Vault, sheet: Sheet) -> None:
    run(vault, commands(vault, sheet, "WITH AGE"))
    found = [each for each in vault.folder.iterdir() if each.name.startswith("pack-")]
    assert [body for each in found for body in restored(each)] == BODIES
