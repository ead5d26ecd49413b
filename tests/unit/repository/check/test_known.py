from pathlib import Path

import pytest
from tests.unit.repository.check.conftest import bad, bury, known

from caldav_run.repository.check.findings import Level, Severity
from caldav_run.repository.keys import WRITER, create_keys, load_writer
from caldav_run.testing.vault import Vault, added


def test_a_whole_repository_has_no_findings(vault: Vault) -> None:
    assert known(vault) == []


@pytest.mark.usefixtures("short_logs")
@pytest.mark.parametrize("kind", ["segments", "packs"])
def test_what_is_missing_is_named(vault: Vault, kind: str) -> None:
    vault.run(added("d"))
    vault.run(added("e"))
    lost = vault.segments()[1].name if kind == "segments" else vault.packs()[0]
    (vault.root / lost).unlink()
    (found,) = known(vault)
    assert (found.level, found.severity, found.name) == (Level.KNOWN, Severity.DAMAGE, lost)
    assert found.what == "it is missing; a signed segment names it"


def test_what_has_another_size_is_named(vault: Vault) -> None:
    resized = vault.packs()[0]
    (vault.root / resized).write_bytes(b"short")
    (found,) = known(vault)
    assert found.name == resized
    assert found.what.startswith("it has 5 bytes; a signed segment says ")


def test_an_altered_segment_is_named(vault: Vault) -> None:
    last = vault.segments()[-1].name
    (vault.root / last).write_bytes(b"other")
    (found,) = bad(known(vault))
    assert found.name == last


def test_a_pack_that_nothing_names_is_worth_knowing(vault: Vault) -> None:
    folder = vault.segments()[0].generation.folder
    pack = f"{folder}pack-{'0' * 64}.tar.zst.age"
    (vault.root / pack).write_bytes(b"x")
    (found,) = known(vault)
    assert (found.severity, found.name) == (Severity.NOTE, pack)


def test_a_newest_segment_that_was_cut_off_is_named_by_the_run_record(vault: Vault) -> None:
    last = vault.segments()[-1]
    (vault.root / last.name).unlink()
    (found,) = bad(known(vault))
    assert found.name.startswith("runs/")
    assert f"left cloud at the snapshot {last.sha256[:12]}, which is missing" in found.what


def test_an_altered_run_record_is_named(vault: Vault) -> None:
    record = next((vault.root / "runs").rglob("*.age"))
    record.write_bytes(b"other")
    (found,) = known(vault)
    assert found.name == str(record.relative_to(vault.root))


def test_another_writers_objects_are_passed_over_and_told(vault: Vault, tmp_path: Path) -> None:
    create_keys(tmp_path / "other")
    vault.writer = load_writer(tmp_path / "other" / WRITER)
    (found,) = known(vault)
    assert found.severity is Severity.NOTE
    assert "are not compared" in found.what


def test_an_expired_generation_may_lack_objects(vault: Vault) -> None:
    bury(vault, vault.writer.signer)
    (vault.root / vault.packs()[0]).unlink()
    (found,) = known(vault)
    assert found.severity is Severity.NOTE


def test_a_tombstone_of_somebody_else_hides_nothing(vault: Vault, tmp_path: Path) -> None:
    create_keys(tmp_path / "other")
    bury(vault, load_writer(tmp_path / "other" / WRITER).signer)
    (vault.root / vault.packs()[0]).unlink()
    doubt, found = known(vault)
    assert (doubt.severity, found.severity) == (Severity.WARNING, Severity.DAMAGE)
    assert "level 3 tells whether you trust it" in doubt.what
