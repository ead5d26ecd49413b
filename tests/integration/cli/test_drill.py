"""A drill through the program: the sample account, and what a server does not take."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.cli.conftest import TODAY, Done, event

from caldav_run.ical.scan import scan
from caldav_run.model import Calendar, Change, Item, Op, Provenance
from caldav_run.testing import hostile
from caldav_run.testing.sample import sample_account
from caldav_run.testing.vault import Vault, about, calendar_row

# A journal with two descriptions, which Radicale does not take.
REFUSED = "chronicle.ics", dict(hostile.objects())["chronicle.ics"]


def held(calendar: Calendar, *items: tuple[str, bytes]) -> list[Change]:
    rows = [Change(op=Op.CALENDAR, calendar=calendar.id, properties=calendar)]
    for href, body in items:
        item = Item(calendar.id, href, '"1"', body, Provenance.GET)
        uid = scan(body).uid
        rows.append(
            Change(op=Op.ADD, calendar=calendar.id, href=href, item=item, etag='"1"', uid=uid)
        )
    return rows


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """A snapshot of the sample account, then one with an item more, which Radicale refuses."""
    vault = Vault(tmp_path_factory.mktemp("vault"))
    vault.run(*(row for each in sample_account(TODAY) for row in held(each.calendar, *each.items)))
    vault.run(*held(Calendar(id="guests", display_name="Gäste"), REFUSED))
    return vault


def command(vault: Vault, *arguments: str) -> list[str]:
    identity = str(vault.keys / "identity.txt")
    place = ("--repository", str(vault.root), "--identity", identity)
    return [sys.executable, "-m", "caldav_run", "drill", *arguments, *place]


def program(vault: Vault, folder: Path, *arguments: str) -> Done:
    done = subprocess.run(
        command(vault, *arguments),
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert list(folder.iterdir()) == []
    return Done(done.returncode, done.stdout, done.stderr)


def test_a_sample_account_is_proven(vault: Vault, tmp_path: Path) -> None:
    done = program(vault, tmp_path, "latest~1", "--output", "json")
    assert done.status == 0, done.text
    proof = json.loads(done.out)
    count = sum(len(each.items) for each in sample_account(TODAY))
    assert proof["items"] == sum(proof["levels"].values()) == count
    assert proof["instances"] > count
    assert proof["calendars"] == len(sample_account(TODAY))
    assert proof["signer"] == vault.writer.signer.fingerprint
    assert proof["snapshot"] == vault.segments()[0].sha256
    assert proof["server"].startswith("Radicale ")
    assert proof["differences"] == proof["problems"] == []
    assert proof["refused"] == {}


def test_what_the_server_refuses_is_named_and_not_called_restored(
    vault: Vault, tmp_path: Path
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    file = tmp_path / "proof.json"
    done = program(vault, folder, "--proof", str(file), "--calendar", "G*", "--quiet")
    assert done.status == 3
    assert "refused     guests/chronicle.ics: not written: the server says 400" in done.out
    assert "came back   1 calendar, 0 of 1 item" in done.out
    assert done.out.splitlines()[-1].startswith("proven in part")
    proof = json.loads(file.read_text())
    assert list(proof["refused"]) == ["guests/chronicle.ics"]
    assert proof["status"] == 3


def test_a_damaged_pack_is_no_proof(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault")
    vault.run(*held(Calendar(id="a"), ("a.ics", event("a", "Lunch"))))
    vault.run(about(Op.UNREAD, "never", "a", reason="500"))
    (vault.root / vault.packs()[0]).unlink()
    folder = tmp_path / "temporary"
    folder.mkdir()
    done = program(vault, folder)
    assert done.status == 3
    assert "unread      a/a.ics: " in done.out
    for each in vault.segments()[-1:]:
        (vault.root / each.name).unlink()
    done = program(vault, folder)
    assert done.status == 1
    assert "damaged     the newest snapshot of cloud is missing" in done.out
    assert done.out.splitlines()[-1].startswith("NOT PROVEN")


def test_a_snapshot_that_cannot_be_read_starts_no_server(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault")
    vault.run(calendar_row("a"))
    vault.run(calendar_row("b"))
    (vault.root / vault.segments()[0].name).unlink()
    folder = tmp_path / "temporary"
    folder.mkdir()
    done = program(vault, folder)
    assert (done.status, done.out) == (1, "")
    assert "error: " in done.err


def test_an_interrupted_drill_leaves_nothing(vault: Vault, tmp_path: Path) -> None:
    # A signal may find coverage's lock held for ever.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    with subprocess.Popen(
        command(vault),
        env={**kept, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        # The server answers by now, and items go there.
        while "drill: running" not in process.stderr.readline():
            assert process.poll() is None
        # As Ctrl-C, which a test in the background cannot send: it is ignored there.
        process.send_signal(signal.SIGTERM)
        assert "all that was restored are gone" in process.stderr.read()
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_a_proof_that_cannot_be_written_is_an_error(vault: Vault, tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    done = program(vault, folder, "--proof", str(tmp_path), "--calendar", "Work", "latest~1")
    assert done.status == 1
    assert f"cannot write {tmp_path}: " in done.err


def test_a_calendar_that_is_not_there_proves_nothing(vault: Vault, tmp_path: Path) -> None:
    done = program(vault, tmp_path, "--calendar", "Job", "--calendar", "x")
    assert (done.status, done.out) == (2, "")
    assert "no calendar of the snapshot is called Job or x" in done.err
    assert "it has: " in done.err


def test_calendars_of_one_name_are_restored_as_two(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault")
    first, second = (Calendar(id=each, display_name="Work") for each in ("a", "b"))
    rows = [*held(first, ("a.ics", event("a", "Lunch"))), *held(second, ("a.ics", event("a", "x")))]
    vault.run(*rows)
    folder = tmp_path / "temporary"
    folder.mkdir()
    done = program(vault, folder)
    assert done.status == 0, done.text
    assert "came back   2 calendars, 2 of 2 items" in done.out
