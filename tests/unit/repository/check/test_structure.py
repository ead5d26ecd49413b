import os
from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.repository.check.conftest import bad, structure

from caldav_run.model import Op
from caldav_run.repository.check.findings import Finding, Severity
from caldav_run.repository.check.structure import check_marker
from caldav_run.testing.vault import Vault, about, added

SHA = "0" * 64


def only(findings: list[Finding], severity: Severity) -> Finding:
    (found,) = [each for each in bad(findings) if each.severity is severity]
    return found


def test_a_whole_repository_has_nothing_but_notes(vault: Vault) -> None:
    found = structure(vault)
    assert bad(found) == []
    assert [each.what for each in found[:2]] == [
        "the newest run is of 2026-05-01 08:02 UTC, 1 minute old",
        "the newest snapshot is of 2026-05-01 08:02 UTC, 1 minute old",
    ]


@pytest.mark.usefixtures("short_logs")
def test_a_missing_segment_is_a_gap_in_the_numbers(vault: Vault) -> None:
    vault.run(added("d"))
    lost = vault.segments()[1]
    (vault.root / lost.name).unlink()
    found = only(structure(vault), Severity.DAMAGE)
    assert found.name == f"{lost.generation.folder}seg-00000001"
    assert found.what == "segment 1 is missing: the snapshots from 1 on cannot be restored"


@pytest.mark.usefixtures("short_logs")
def test_missing_segments_before_a_cumulative_one_cost_no_snapshot(vault: Vault) -> None:
    vault.run(added("d"))
    vault.run(added("e"))
    for lost in vault.segments()[1:3]:
        (vault.root / lost.name).unlink()
    found = only(structure(vault), Severity.DAMAGE)
    assert found.what == (
        "segments 1 to 2 are missing: segment 3 repeats their rows, so that no snapshot is lost"
    )


def test_a_missing_base_is_named(vault: Vault) -> None:
    base = vault.segments()[0]
    (vault.root / base.name).unlink()
    findings = structure(vault)
    assert only(findings, Severity.DAMAGE).name == base.generation.folder
    assert "no finished backup" in only(findings, Severity.WARNING).what


@pytest.mark.parametrize(("days", "severity"), [(0, Severity.NOTE), (3, Severity.WARNING)])
def test_packs_without_a_segment_are_a_backup_that_was_cut_off(
    vault: Vault, days: int, severity: Severity
) -> None:
    for each in vault.segments():
        (vault.root / each.name).unlink()
    for pack in vault.packs():
        at = vault.clock.now.timestamp()
        os.utime(vault.root / pack, (at, at))
    findings = structure(vault, timedelta(days=days, minutes=1))
    (found,) = [each for each in findings if "2 packs and no segment" in each.what]
    assert found.severity is severity
    assert [each.what for each in findings if "no finished backup" in each.what]


def test_an_empty_object_is_damage(vault: Vault) -> None:
    (vault.root / vault.packs()[0]).write_bytes(b"")
    found = only(structure(vault), Severity.DAMAGE)
    assert found.name == vault.packs()[0]
    assert "it is empty" in found.what


def test_what_is_no_object_of_a_repository_is_told(vault: Vault) -> None:
    (vault.root / "a" / ".DS_Store").write_bytes(b"x")
    (vault.root / "Thumbs.db").write_bytes(b"")
    assert {each.name for each in bad(structure(vault))} == {"a/.DS_Store", "Thumbs.db"}
    assert {each.severity for each in bad(structure(vault))} == {Severity.WARNING}


def test_a_missing_readme_is_told(vault: Vault) -> None:
    (vault.root / "README.txt").unlink()
    assert only(structure(vault), Severity.WARNING).name == "README.txt"


def test_a_run_record_in_another_month_is_damage(vault: Vault) -> None:
    record = next((vault.root / "runs").rglob("*.age"))
    moved = vault.root / "runs" / "2026-04" / record.name
    moved.parent.mkdir()
    record.rename(moved)
    assert only(structure(vault), Severity.DAMAGE).what == "it lies in the folder of another month"


def test_a_segment_under_two_names_is_damage(vault: Vault) -> None:
    last = vault.segments()[-1]
    later = last.time + timedelta(seconds=30)
    name = last.generation.segment(2, later, last.sha256)
    (vault.root / name).write_bytes((vault.root / last.name).read_bytes())
    found = only(structure(vault), Severity.DAMAGE)
    assert found.name == name
    assert found.what == f"by its hash it is {last.name} under another name"


def test_a_segment_that_is_older_than_the_one_before_it_is_damage(vault: Vault) -> None:
    first, last = vault.segments()
    name = last.generation.segment(2, first.time, SHA)
    (vault.root / name).write_bytes(b"x")
    assert "not later" in only(structure(vault), Severity.DAMAGE).what


def test_two_segments_with_one_number_are_a_fork(vault: Vault) -> None:
    last = vault.segments()[-1]
    (vault.root / last.generation.segment(1, last.time, SHA)).write_bytes(b"x")
    found = only(structure(vault), Severity.WARNING)
    assert found.name.endswith("seg-00000001")
    assert found.what == "2 segments have this number: two machines wrote with one key"


@pytest.mark.parametrize(
    ("hours", "what"),
    [(24, "may go from 2026-05-04 08:02 UTC on"), (72, "may go now")],
)
def test_a_tombstone_tells_when_it_takes_effect(vault: Vault, hours: int, what: str) -> None:
    folder = vault.segments()[0].generation.folder
    path = vault.root / f"{folder}zz-expire-20260501T080200Z-{SHA}"
    path.write_bytes(b"x")
    at = vault.clock.now.timestamp()
    os.utime(path, (at, at))
    (vault.root / vault.segments()[0].name).unlink()
    findings = structure(vault, timedelta(hours=hours))
    (found,) = [each for each in findings if "to be deleted" in each.what]
    assert found.severity is Severity.NOTE
    assert f"its 3 objects {what}" in found.what
    # Its account has no other generation.
    assert "no finished backup" in only(findings, Severity.WARNING).what


def test_a_tombstone_that_is_left_alone_is_worth_knowing(vault: Vault) -> None:
    folder = vault.segments()[0].generation.folder
    (vault.root / f"{folder}zz-expire-20260501T080200Z-{SHA}").write_bytes(b"x")
    for name in [*vault.packs(), *(each.name for each in vault.segments())]:
        (vault.root / name).unlink()
    assert [each for each in structure(vault) if "its 0 objects" in each.what]


def test_a_long_silence_is_a_warning(vault: Vault) -> None:
    found = only(structure(vault, timedelta(days=9)), Severity.WARNING)
    assert found.what == "the newest run is of 2026-05-01 08:02 UTC, 9 days old"


def test_a_repository_without_a_run_is_told(tmp_path: Path) -> None:
    assert only(structure(Vault(tmp_path)), Severity.WARNING).what == "no run was ever recorded"


def test_a_clock_that_is_wrong_now_is_told_once(vault: Vault) -> None:
    found = only(structure(vault, timedelta(hours=-2)), Severity.WARNING)
    assert found.what == "its time is 2 hours later than now: a clock is wrong; 3 more are so"


def test_a_clock_that_was_ahead_of_the_store_is_told(vault: Vault) -> None:
    path = vault.root / vault.segments()[-1].name
    at = (vault.clock.now - timedelta(hours=1)).timestamp()
    os.utime(path, (at, at))
    found = only(structure(vault), Severity.WARNING)
    assert found.what == (
        "its time is 1 hour later than the store's own: the writer's clock was ahead"
    )


def test_a_marker_that_is_another_programs_is_damage(vault: Vault) -> None:
    assert check_marker(vault.local) is None
    (vault.root / "format.json").write_text("{}")
    found = check_marker(vault.local)
    assert found is not None
    assert (found.name, found.severity) == ("format.json", Severity.DAMAGE)


def test_an_account_without_rows_is_whole(vault: Vault) -> None:
    vault.run(about(Op.CALENDAR_GONE, None), account="other", origin="away")
    assert bad(structure(vault)) == []
