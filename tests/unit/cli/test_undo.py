import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from tests.unit.cli.conftest import event

from caldav_run.cli import undo as undo_verb
from caldav_run.testing.vault import Vault

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call

BEFORE = "latest~1"


def files(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*.ics")}


def runs(call: "Call") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(call("undo", "--output", "json").out)
    return found


def restored(call: "Call", *words: str) -> None:
    """Restore the account as it was last, with what differs overwritten."""
    words = ("--on-conflict", "keep_source", *words)
    assert call("restore", "nightly.yaml", "--to", "./out", *words).status == 0


@pytest.fixture
def changed(call: "Call", here: Path, vault: Vault) -> dict[str, bytes]:
    """A folder in which a restore has replaced lunch and added a concert; as it was before."""
    del vault
    restored(call, "--calendar", "family")
    before = files(here / "out")
    restored(call, "--as-of", BEFORE)
    assert files(here / "out") != before
    return before


def test_a_run_is_undone(call: "Call", here: Path, changed: dict[str, bytes]) -> None:
    done = call("undo", "latest")
    assert done.status == 0
    assert done.out.splitlines()[:-1] == [
        "~ Familie: Lunch (Fri 8 May 2026, 12:00 UTC)",
        "- Familie: Concert (Fri 8 May 2026, 10:00 UTC)",
    ]
    assert files(here / "out") == changed


def test_a_plan_shows_it_and_writes_nothing(
    call: "Call", here: Path, changed: dict[str, bytes]
) -> None:
    now = files(here / "out")
    done = call("undo", "latest", "--plan")
    assert done.status == 0
    assert "~ Familie: Lunch (Fri 8 May 2026, 12:00 UTC)\n" in done.out
    assert files(here / "out") == now != changed
    assert not any(each["undone"] for each in runs(call))


@pytest.mark.usefixtures("changed")
def test_an_undoing_is_undone(call: "Call", here: Path) -> None:
    now = files(here / "out")
    assert call("undo", "latest").status == 0
    assert call("undo", "latest").status == 0
    assert files(here / "out") == now


@pytest.mark.usefixtures("changed")
def test_a_second_undoing_changes_nothing(call: "Call", here: Path) -> None:
    run = runs(call)[-1]["run"]
    assert call("undo", run).status == 0
    before = files(here / "out")
    done = call("undo", run)
    assert done.status == 0
    assert "nothing written" in done.out
    assert files(here / "out") == before


@pytest.mark.usefixtures("changed")
def test_the_runs_are_listed(call: "Call", here: Path) -> None:
    assert call("undo", "latest").status == 0
    first, second, third = runs(call)
    assert (first["pipeline"], first["sinks"]) == ("nightly", [f"{here}/out"])
    assert [each["writes"] for each in (first, second, third)] == [1, 2, 2]
    assert (second["undone"], third["undone"]) == (third["run"], None)
    text = call("undo").out
    assert f"undone by {third['run']}" in text
    assert len(text.splitlines()) == 4


@pytest.mark.usefixtures("here")
def test_without_a_run_there_is_nothing_to_list(call: "Call") -> None:
    done = call("undo")
    assert (done.status, done.out) == (0, "")
    assert done.err == "no run that wrote to a server or folder is known here\n"
    done = call("undo", "latest")
    assert done.status == 2
    assert "the last ones: none" in done.err


@pytest.mark.usefixtures("changed")
def test_what_was_changed_since_is_left_and_told(call: "Call", here: Path) -> None:
    lunch, concert = (here / f"out/cloud/family/{name}.ics" for name in ("lunch", "concert"))
    lunch.write_bytes(event("lunch", "Brunch"))
    concert.unlink()
    done = call("undo", "latest")
    assert done.status == 3
    assert "! Familie: Brunch (Fri 8 May 2026, 10:00 UTC)\n" in done.out
    assert "left as it is: it was changed after the run" in done.err
    assert lunch.read_bytes() == event("lunch", "Brunch")
    assert not concert.exists()


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize("other", [True, False])
def test_a_calendar_that_the_run_made_goes_when_it_is_empty(
    call: "Call", here: Path, *, other: bool
) -> None:
    restored(call)
    if other:
        (here / "out/cloud/family/mine.ics").write_bytes(event("mine", "Mine"))
    assert call("undo", "latest").status == 0
    assert set(files(here / "out")) == ({"cloud/family/mine.ics"} if other else set())
    assert (here / "out/cloud/family").exists() is other


@pytest.mark.usefixtures("changed")
@pytest.mark.parametrize("answer", [True, False])
def test_who_sits_at_a_terminal_is_asked(
    call: "Call", here: Path, monkeypatch: pytest.MonkeyPatch, *, answer: bool
) -> None:
    now = files(here / "out")
    monkeypatch.setattr(undo_verb, "at_terminal", lambda: True)
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: answer)
    assert call("undo", "latest").status == (0 if answer else 2)
    assert (files(here / "out") != now) is answer
    if answer:
        assert call("undo", runs(call)[1]["run"]).status == 0


@pytest.mark.usefixtures("changed")
def test_a_damaged_journal_is_told(call: "Call", here: Path) -> None:
    run = runs(call)[-1]["run"]
    file = here / "state" / "runs" / f"{run}.jsonl"
    file.write_text(file.read_text() + '{"op":"write","n":9}\n')
    done = call("undo", run)
    assert done.status == 78
    assert "is damaged, and the run cannot be undone" in done.err


def test_a_destination_that_leads_elsewhere_is_not_touched(call: "Call", here: Path) -> None:
    lunch = here / "calendars" / "family" / "lunch.ics"
    lunch.parent.mkdir(parents=True)
    lunch.write_bytes(event("lunch", "Lunch"))
    (here / "mirror.yaml").write_text(MIRROR)
    assert call("run", "mirror.yaml").status == 0
    (here / "mirror.yaml").write_text(MIRROR.replace("path: copy", "path: elsewhere"))
    done = call("undo", "latest")
    assert done.status == 1
    assert "copy is another place now" in done.err
    assert (here / "copy").exists()


MIRROR = """\
version: 1
name: mirror
sources: {files: {type: ics, path: calendars}}
sinks: {copy: {type: ics, path: copy, on_conflict: keep_source}}
"""


@pytest.fixture
def mirrored(call: "Call", here: Path) -> Path:
    """The one file of a folder that a pipeline without a repository mirrors; it has changed."""
    lunch = here / "calendars" / "family" / "lunch.ics"
    lunch.parent.mkdir(parents=True)
    lunch.write_bytes(event("lunch", "Lunch"))
    (here / "mirror.yaml").write_text(MIRROR)
    assert call("run", "mirror.yaml").status == 0
    lunch.write_bytes(event("lunch", "Brunch"))
    return here / "copy" / "files" / "family" / "lunch.ics"


def test_a_pipeline_without_a_repository_has_one_in_the_state_folder(
    call: "Call", here: Path, mirrored: Path
) -> None:
    done = call("run", "mirror.yaml")
    assert done.status == 0
    run = runs(call)[-1]["run"]
    assert f"the way back: caldav-run undo {run}\n" in done.err
    assert mirrored.read_bytes() == event("lunch", "Brunch")
    private = (here / "state/safety/keys").iterdir()
    assert {each.stat().st_mode & 0o777 for each in private} == {0o600}
    assert call("undo", run).status == 0
    assert mirrored.read_bytes() == event("lunch", "Lunch")
    assert b"Lunch" not in b"".join(
        each.read_bytes() for each in (here / "state/safety/repository").rglob("*.age")
    )


def test_without_a_safety_snapshot_old_versions_do_not_come_back(
    call: "Call", here: Path, mirrored: Path
) -> None:
    off = MIRROR.replace("keep_source}", "keep_source, safety_snapshot: 'off'}")
    (here / "mirror.yaml").write_text(off)
    assert call("run", "mirror.yaml").status == 0
    assert not (here / "state/safety").exists()
    done = call("undo", "latest")
    assert done.status == 3
    assert "its old version was not saved before the run" in done.err
    assert mirrored.read_bytes() == event("lunch", "Brunch")


def test_nothing_is_replaced_where_no_snapshot_can_be_taken(
    call: "Call", here: Path, mirrored: Path
) -> None:
    (here / "state" / "safety").write_text("in the way")
    (here / "calendars/family/new.ics").write_bytes(event("new", "New"))
    done = call("run", "mirror.yaml")
    assert done.status == 3
    assert "what is there could not be saved before: no safety snapshot" in done.err
    assert mirrored.read_bytes() == event("lunch", "Lunch")
    assert mirrored.with_name("new.ics").exists()


@pytest.mark.usefixtures("mirrored")
def test_a_killed_run_is_undone_as_well(call: "Call", here: Path, mirrored: Path) -> None:
    (here / "calendars/family/new.ics").write_bytes(event("new", "New"))
    assert call("run", "mirror.yaml").status == 0
    (file,) = (here / "state/runs").glob(f"{runs(call)[-1]['run']}.jsonl")
    # As if it had been killed before it could write down what became of its writes.
    kept = [each for each in file.read_text().splitlines() if '"op":"done"' not in each]
    file.write_text("\n".join((*kept, "")))
    assert call("undo", "latest").status == 0
    assert mirrored.read_bytes() == event("lunch", "Lunch")
    assert not mirrored.with_name("new.ics").exists()


@pytest.mark.usefixtures("changed")
def test_what_a_run_saved_can_be_looked_at_and_is_in_nobodys_way(call: "Call", here: Path) -> None:
    listed = json.loads(call("snapshots", "--repository", "repository", "--output", "json").out)
    (name,) = {each["account"] for each in listed} - {"cloud"}
    assert name.startswith(f"before-{here}/out-")
    words = ("cat", "--repository", "repository", "lunch")
    assert call(*words, "--snapshot", BEFORE).out.encode() == event("lunch", "Lunch")
    saved = call(*words, "--account", name)
    assert saved.out.encode() == event("lunch", "Lunch", hour=12)
