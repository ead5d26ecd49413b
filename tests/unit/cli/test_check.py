import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.cli.conftest import event

from caldav_run.connectors import vdir
from caldav_run.testing.vault import Vault

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def levels(text: str) -> dict[str, bool]:
    return {each["level"]: each["checked"] for each in json.loads(text)["levels"]}


@pytest.mark.usefixtures("vault")
def test_without_options_names_and_what_segments_name_are_checked(call: "Call") -> None:
    done = call("check", "nightly.yaml")
    assert done.status == 0
    *_, known, structure, data, deep, source, sums = done.out.splitlines()
    assert known.startswith("0  what the segments name: checked: the objects that the writer ")
    assert structure == ("1  structure and ages: checked: the names, sizes and times of 8 objects")
    assert data == "2  bytes: not checked: needs --read-data"
    assert deep == "3  signatures, rows and bodies: not checked: needs --deep and an identity"
    assert source == "S  the source: not checked: needs --reread N"
    assert sums.startswith("0 damages, ")


def test_no_key_is_needed(call: "Call", vault: Vault) -> None:
    for each in vault.keys.iterdir():
        each.unlink()
    done = call("check", "--repository", "repository", "--read-data", "--output", "json")
    assert done.status == 0
    assert levels(done.out) == {"0": False, "1": True, "2": True, "3": False, "S": False}


def test_another_writers_key_does_not_call_anything_checked(call: "Call", vault: Vault) -> None:
    (vault.keys / "writer.key").unlink()
    assert call("key", "new", "others").status == 0
    (vault.folder / "others" / "writer.key").rename(vault.keys / "writer.key")
    done = call("check", "nightly.yaml")
    assert "0  what the segments name: not checked: the writer whose key is here, " in done.out


@pytest.mark.usefixtures("vault")
def test_deep_implies_the_lower_levels(call: "Call") -> None:
    done = call("check", "nightly.yaml", "--deep", "--output", "json")
    assert done.status == 0
    assert levels(done.out) == {"0": True, "1": True, "2": True, "3": True, "S": False}


@pytest.mark.parametrize("option", ["--read-data", "--deep"])
def test_damage_is_named_and_fails(call: "Call", vault: Vault, option: str) -> None:
    pack = vault.packs()[0]
    flip(vault.root / pack)
    assert call("check", "nightly.yaml").status == 0
    done = call("check", "nightly.yaml", option)
    assert done.status == 1
    head, found, mend = done.out.splitlines()[:3]
    assert head == "damage:"
    assert found.startswith(f"  {pack}: ")
    assert done.out.count(pack) == 1 + (option == "--deep")
    assert mend.startswith("    = ") or option == "--deep"
    assert "\n1 damage, " in done.out


def test_parts_together_find_what_one_reading_finds(call: "Call", vault: Vault) -> None:
    flip(vault.root / vault.packs()[0])
    statuses = [call("check", "nightly.yaml", "--part", f"{n}/3").status for n in (1, 2, 3)]
    assert sorted(statuses) == [0, 0, 1]


@pytest.mark.usefixtures("vault")
def test_a_part_of_a_deep_check_is_refused(call: "Call") -> None:
    assert call("check", "nightly.yaml", "--deep", "--part", "1/2").status == 2
    assert call("check", "nightly.yaml", "--part", "3/2").status == 2


def test_a_warning_fails_only_when_strict(call: "Call", vault: Vault) -> None:
    (vault.root / "Thumbs.db").touch()
    assert call("check", "nightly.yaml").status == 0
    assert call("check", "nightly.yaml", "--strict").status == 1


@pytest.mark.usefixtures("here")
def test_where_there_is_no_repository_nothing_is_called_whole(call: "Call") -> None:
    done = call("check", "--repository", "nowhere")
    assert (done.status, done.out) == (78, "")


def test_a_marker_that_is_gone_is_damage_and_ends_what_needs_it(call: "Call", vault: Vault) -> None:
    (vault.root / "format.json").unlink()
    for option in ("--read-data", "--deep"):
        done = call("check", "nightly.yaml", option, "--output", "json")
        assert done.status == 1
        assert [
            e["name"] for e in json.loads(done.out)["findings"] if e["severity"] == "damage"
        ] == ["format.json"]
        assert levels(done.out)["0"] is False
        assert levels(done.out)["2"] is True


# ------------------------------------------------------------------ against the source


@pytest.fixture
def backed_up(call: "Call", here: Path) -> Path:
    """A folder of three events that was backed up by the pipeline itself."""
    family = here / "calendars" / "family"
    family.mkdir(parents=True)
    for uid in "abc":
        (family / f"{uid}.ics").write_bytes(event(uid, "Lunch"))
    assert call("create", "nightly.yaml", "--yes").status == 0
    assert call("run", "nightly.yaml").status == 0
    return family


@pytest.mark.usefixtures("backed_up")
def test_unchanged_items_are_read_again(call: "Call") -> None:
    done = call("check", "nightly.yaml", "--reread", "2")
    assert done.status == 0
    assert "S  the source: checked: 2 unchanged items read again\n" in done.out


@pytest.mark.parametrize("identity", [True, False])
def test_a_source_that_lies_is_found_out(
    call: "Call",
    here: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    *,
    identity: bool,
) -> None:
    # A server that counts versions, and forgets to count one.
    monkeypatch.setattr(vdir, "etag", lambda _: '"1"')
    path: Path = request.getfixturevalue("backed_up") / "b.ics"
    path.write_bytes(path.read_bytes().replace(b"Lunch", b"Hunch"))
    assert "nothing written" in call("run", "nightly.yaml").out
    if not identity:
        (here / "keys" / "identity.txt").unlink()
    done = call("check", "nightly.yaml", "--reread", "20")
    assert done.status == 1
    assert "cloud/family/b.ics: the source gives other bytes" in done.out


def test_what_changed_meanwhile_is_counted(call: "Call", backed_up: Path) -> None:
    (backed_up / "a.ics").unlink()
    done = call("check", "nightly.yaml", "--reread", "20")
    assert "2 unchanged items read again; 1 more have changed since" in done.out


@pytest.mark.usefixtures("backed_up")
def test_the_source_is_asked_only_where_a_pipeline_names_it(call: "Call", here: Path) -> None:
    assert call("check", "--repository", "repository", "--reread", "2").status == 2
    done = call("check", "nightly.yaml", "--reread", "2", "--account", "other")
    assert "S  the source: not checked: 0 unchanged items read again" in done.out
    for each in (here / "keys").iterdir():
        each.unlink()
    assert call("check", "nightly.yaml", "--reread", "2").status == 78


def test_unfinished_files_of_a_local_folder_are_told(call: "Call", vault: Vault) -> None:
    folder = (vault.root / vault.packs()[0]).parent
    (folder / ".tmp-0123").write_bytes(bytes(2000))
    done = call("check", "nightly.yaml")
    assert done.status == 0
    assert "/.tmp-0123: 1 unfinished files, 2,000 bytes: a run goes on, or was cut off" in done.out
