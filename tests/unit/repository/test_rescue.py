"""`rescue.py` gets back what our own reader does, with Python and three programs."""

import ast
import hashlib
import json
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from caldav_run.model import Calendar, Op
from caldav_run.repository import age, envelope, fields, keys, segment
from caldav_run.testing.vault import Vault, about, added, body_of, calendar_row

SCRIPT = Path(__file__).parents[3] / "rescue.py"
MISSING = [each for each in ("age", "zstd", "ssh-keygen") if not shutil.which(each)]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
NOTHING_TRUSTED = ("trusted-signer", "signer")


def rescue(vault: Vault, *words: str | Path) -> "subprocess.CompletedProcess[str]":
    identity = vault.keys / keys.IDENTITY
    # No site packages and no environment: what a bare machine has.
    command = [sys.executable, "-I", "-S", SCRIPT, *words, "-i", identity]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def restored(vault: Vault, ref: str = "latest", target: str = "out") -> Path:
    folder = vault.folder / target
    done = rescue(vault, "restore", vault.root, ref, folder)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return folder


def index(folder: Path, account: str = "cloud") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / account / "index.json").read_text())
    return found


def same_as_ours(vault: Vault, ref: str, folder: Path, account: str = "cloud") -> bool:
    reader = vault.reader()
    snapshot = reader.resolve(ref, account)
    ours = [
        (each.calendar, each.href, each.uid, each.etag, each.sha256, each.stale_since, each.reason)
        for each in reader.items(snapshot)
    ]
    found = index(folder, account)
    columns = ("calendar", "href", "uid", "etag", "sha256", "stale_since", "reason")
    assert [tuple(each[column] for column in columns) for each in found["items"]] == [
        (*each[:5], each[5] and fields.stamp(each[5]), each[6]) for each in ours
    ]
    assert [each["id"] for each in found["calendars"]] == [
        each.calendar.id for each in reader.calendars(snapshot)
    ]
    for each in found["items"]:
        body = (folder / each["file"]).read_bytes()
        assert hashlib.sha256(body).hexdigest() == each["sha256"]
    return True


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


def test_it_is_one_file_of_standard_library_for_old_pythons() -> None:
    tree = ast.parse(SCRIPT.read_text("utf-8"), feature_version=(3, 8))
    modules = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert modules <= sys.stdlib_module_names


def test_it_restores_every_snapshot_as_our_reader_does(vault: Vault) -> None:
    vault.run(
        calendar_row("family", display_name="Família", color="#AABBCC"),
        added("a"),
        added("b"),
        added("größe", calendar="日本語"),
        calendar_row("日本語"),
    )
    vault.run(added("a", 2), added("c"), about(Op.GONE, "b"))
    vault.run(about(Op.EXCLUDED, "c", etag='"1"'), about(Op.UNREAD, "a", reason="500"))
    vault.run(about(Op.CALENDAR_GONE, None, "日本語"))
    for number, each in enumerate(vault.segments()):
        assert same_as_ours(vault, each.sha256, restored(vault, each.sha256[:12], f"{number}"))


def test_it_reads_behind_cumulative_segments(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment, "CUMULATIVE_EVERY", 3)
    monkeypatch.setattr("caldav_run.repository.account.CUMULATIVE_EVERY", 3)
    vault.fill()
    for uid in "cdefghi":
        vault.run(added(uid))
    (vault.root / vault.segments()[1].name).unlink()
    for number, each in enumerate(vault.segments()):
        assert same_as_ours(vault, each.sha256, restored(vault, each.sha256, f"{number}"))
    assert len(rescue(vault, "list", vault.root).stdout.splitlines()) == 8


def test_it_carries_forward_what_a_generation_never_read(vault: Vault) -> None:
    vault.fill()
    vault.run(calendar_row("work"), added("w", calendar="work"))
    vault.configure(full_every=timedelta(0))
    work = Calendar(id="work")
    vault.run(
        calendar_row("family"),
        added("b", 2),
        about(Op.UNREAD, "a", reason="500"),
        about(Op.UNREAD, None, "work", reason="503", properties=work),
    )
    assert len(vault.generations()) == 2
    assert len(vault.held()) == 3
    assert same_as_ours(vault, "latest", restored(vault))


def test_it_takes_a_time_and_an_account(vault: Vault) -> None:
    vault.fill()
    vault.run(calendar_row("plans"), added("p", calendar="plans"), account="work")
    vault.run(added("c"))
    folder = restored(vault, "2026-05-01T08:02:30Z")
    assert {each["href"] for each in index(folder)["items"]} == {"a.ics", "b.ics"}
    assert (folder / "work/plans/p.ics").read_bytes() == body_of("p")
    target = vault.folder / "one"
    done = rescue(vault, "restore", vault.root, "latest", target, "--account", "work")
    assert done.returncode == 0
    assert [each.name for each in target.iterdir()] == ["work"]
    assert rescue(vault, "restore", vault.root, "2026-04-01", vault.folder / "no").returncode == 1


def test_two_names_that_are_safe_in_one_way_make_two_files(vault: Vault) -> None:
    vault.run(calendar_row("family"), added("a/b"), added("a%2Fb"), added("A-b"), added("../../x"))
    folder = restored(vault)
    files = [each["file"] for each in index(folder)["items"]]
    assert len({each.lower() for each in files}) == 4
    assert all((folder / each).parent == folder / "cloud/family" for each in files)


def test_a_segment_that_nobody_trusted_signed_is_not_restored(vault: Vault) -> None:
    vault.fill()
    path = vault.keys / keys.IDENTITY
    path.write_text(path.read_text().replace(*NOTHING_TRUSTED))
    done = rescue(vault, "restore", vault.root, "latest", vault.folder / "out")
    assert done.returncode == 1
    fingerprint = vault.writer.signer.fingerprint
    assert f"--trust {fingerprint}" in done.stderr
    assert not (vault.folder / "out").exists()
    words = ("restore", vault.root, "latest", vault.folder / "out", "--trust", fingerprint)
    assert rescue(vault, *words).returncode == 0


def test_a_removed_signer_counts_up_to_what_is_listed(vault: Vault) -> None:
    vault.fill()
    vault.run(added("c"))
    vault.run(added("d"))
    until = vault.segments()[1].sha256
    path = vault.keys / keys.IDENTITY
    fingerprint = vault.writer.signer.fingerprint
    path.write_text(path.read_text().replace(fingerprint, f"{fingerprint} until {until}"))
    done = rescue(vault, "list", vault.root)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert ["incomplete" in each for each in lines] == [False, False]
    assert vault.segments()[2].name in done.stderr
    folder = vault.folder / "out"
    assert rescue(vault, "restore", vault.root, until, folder).returncode == 1
    assert len(index(folder)["items"]) == 3


def test_several_identities_open_one_history(vault: Vault) -> None:
    vault.fill()
    old = vault.keys / keys.IDENTITY
    other = keys.create_keys(vault.folder / "other").folder
    vault.recipients = keys.load_recipients(other / keys.RECIPIENTS)
    vault.run(calendar_row("family"), added("a"))
    vault.keys = other
    done = rescue(vault, "restore", vault.root, "latest", vault.folder / "out", "-i", old)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(index(vault.folder / "out")["items"]) == 1


def test_a_lost_pack_costs_its_items_and_is_named(vault: Vault) -> None:
    vault.fill()
    (pack,) = vault.packs()
    vault.run(added("c"))
    (vault.root / pack).write_bytes(b"")
    done = rescue(vault, "restore", vault.root, "latest", vault.folder / "out")
    assert done.returncode == 1
    assert done.stderr.count(pack) == 2
    assert [each["file"] for each in index(vault.folder / "out")["items"]] == [
        None,
        None,
        "cloud/family/c.ics",
    ]


def test_a_newest_snapshot_that_was_cut_off_is_missed(vault: Vault) -> None:
    vault.fill()
    vault.run(added("c"))
    (vault.root / vault.segments()[-1].name).unlink()
    done = rescue(vault, "list", vault.root)
    assert done.returncode == 1
    assert "the newest snapshot of cloud" in done.stderr


def test_a_hostile_archive_is_refused_by_name(vault: Vault) -> None:
    vault.fill()
    (pack,) = vault.packs()
    archive = envelope.unseal(pack, vault.local.get(pack), identities(vault))
    stored = age.seal(archive[:-40], vault.recipients)
    name = vault.segments()[0]
    forged = name.generation.segment(1, name.time, envelope.sha256(stored))
    vault.local.put(forged, stored)
    done = rescue(vault, "list", vault.root)
    assert done.returncode == 1
    assert f"{forged} is not used" in done.stderr
    assert restored_anyway(vault) == 2


def identities(vault: Vault) -> tuple[age.Identity, ...]:
    return keys.load_keyring([vault.keys / keys.IDENTITY]).identities


def restored_anyway(vault: Vault) -> int:
    ref = vault.segments()[0].sha256
    rescue(vault, "restore", vault.root, ref, vault.folder / "anyway")
    return len(index(vault.folder / "anyway")["items"])


def test_a_target_that_is_not_empty_and_a_place_without_repository_are_said(vault: Vault) -> None:
    vault.fill()
    assert "is not empty" in rescue(vault, "restore", vault.root, "latest", vault.keys).stderr
    assert "no repository" in rescue(vault, "list", vault.keys).stderr
