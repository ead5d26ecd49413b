from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caldav_run.model import Change, Op
from caldav_run.testing.vault import Vault, added, body_of, calendar_row

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call


@pytest.fixture
def filled(vault: Vault) -> Vault:
    """A repository whose last snapshot holds two calendars."""
    vault.run(calendar_row("work"), added("report", calendar="work"))
    return vault


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("item", ["report", "work/report.ics"])
def test_an_item_is_printed_with_its_bytes(call: "Call", item: str) -> None:
    done = call("cat", "nightly.yaml", item)
    assert (done.status, done.out.encode()) == (0, body_of("report"))
    assert done.err.startswith("cloud as of ")


@pytest.mark.usefixtures("filled")
def test_an_item_comes_out_of_the_named_snapshot(call: "Call") -> None:
    assert call("cat", "nightly.yaml", "concert").status == 2
    done = call("cat", "nightly.yaml", "concert", "--snapshot", "latest~2")
    assert "SUMMARY:Concert\r\n" in done.out


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nightly.yaml"], "no item is named"),
        (["--repository", "repository"], "no item is named"),
        (["nightly.yaml", "nobody"], 'the snapshot has no item "nobody"'),
        (["nightly.yaml", "lunch", "--snapshot", "latest~7"], "there is no snapshot latest~7"),
    ],
)
def test_there_has_to_be_such_an_item(call: "Call", arguments: list[str], message: str) -> None:
    done = call("cat", *arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.err


def test_a_doubled_uid_asks_for_the_place(call: "Call", filled: Vault) -> None:
    filled.run(added("lunch", calendar="work"))
    done = call("cat", "nightly.yaml", "lunch")
    assert done.status == 2
    assert "choose: family/lunch.ics, work/lunch.ics" in done.err
    assert call("cat", "nightly.yaml", "work/lunch.ics").out.encode() == body_of("lunch")


def test_an_old_version_says_so(call: "Call", filled: Vault) -> None:
    filled.run(Change(op=Op.UNREAD, calendar="work", href="report.ics", reason="500"))
    done = call("cat", "nightly.yaml", "report")
    assert done.status == 0
    assert "warning: it could not be read since 2026-05-01 08:03:00 UTC" in done.err


def test_damaged_bytes_are_not_printed(call: "Call", filled: Vault) -> None:
    for name in filled.packs():
        (filled.root / name).write_bytes(b"")
    done = call("cat", "nightly.yaml", "report")
    assert (done.status, done.out) == (1, "")
    assert "work/report.ics" in done.err


@pytest.mark.usefixtures("filled")
def test_a_snapshot_becomes_a_folder(call: "Call", here: Path) -> None:
    done = call("export", "nightly.yaml", "--to", "out")
    assert done.status == 0
    assert done.out == "export: done: 2 items read, 4 changes written\n"
    files = {str(each.relative_to(here / "out")) for each in (here / "out").rglob("*.ics")}
    assert files == {"cloud/family/lunch.ics", "cloud/work/report.ics"}
    assert (here / "out/cloud/work/report.ics").read_bytes() == body_of("report")
    old = call("export", "nightly.yaml", "latest~2", "--to", "old", "--calendar", "f*")
    assert old.status == 0
    files = {str(each.relative_to(here / "old")) for each in (here / "old").rglob("*.ics")}
    assert files == {"cloud/family/lunch.ics", "cloud/family/concert.ics"}


def test_nothing_is_overwritten_unasked(call: "Call", here: Path, filled: Vault) -> None:
    assert call("export", "nightly.yaml", "--to", "out").status == 0
    filled.run(added("report", 2, calendar="work"))
    done = call("export", "nightly.yaml", "--to", "out")
    assert done.status == 2
    assert f"{here}/out/cloud exists and is not overwritten" in done.err
    report = here / "out" / "cloud" / "work" / "report.ics"
    assert report.read_bytes() == body_of("report")
    assert call("export", "nightly.yaml", "--to", "out", "--force").status == 0
    assert report.read_bytes() == body_of("report", 2)


@pytest.mark.usefixtures("filled")
def test_an_empty_folder_is_not_in_the_way(call: "Call", here: Path) -> None:
    (here / "out" / "cloud").mkdir(parents=True)
    assert call("export", "nightly.yaml", "--to", "out").status == 0


@pytest.mark.usefixtures("filled")
def test_a_snapshot_becomes_one_file(call: "Call", here: Path) -> None:
    path = here / "all.ics"
    assert call("export", "nightly.yaml", "--to", "all.ics").out == f"{path}: 2 items\n"
    assert path.read_bytes().count(b"BEGIN:VCALENDAR") == 1
    path.write_text("mine")
    assert call("export", "nightly.yaml", "--to", "all.ics").status == 2
    assert path.read_text() == "mine"
    done = call("export", "nightly.yaml", "--to", "all.ics", "--force", "--calendar", "work")
    assert done.out == f"{path}: 1 item\n"
    assert sorted(each.name for each in here.glob("*.ics*")) == ["all.ics"]


@pytest.mark.usefixtures("filled")
def test_a_link_that_leads_nowhere_is_not_followed(call: "Call", here: Path) -> None:
    (here / "all.ics").symlink_to(here / "elsewhere.ics")
    assert call("export", "nightly.yaml", "--to", "all.ics").status == 2
    assert call("export", "nightly.yaml", "--to", "all.ics", "--force").status == 0
    assert not (here / "elsewhere.ics").exists()


@pytest.mark.usefixtures("filled")
def test_a_folder_that_looks_like_a_file_is_named(call: "Call", here: Path) -> None:
    (here / "all.ics").mkdir()
    done = call("export", "nightly.yaml", "--to", "all.ics", "--force")
    assert done.status == 2
    assert "is a folder" in done.err


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("place", ["file/all.ics", "none/all.ics"])
def test_a_file_that_cannot_be_written_is_named(call: "Call", here: Path, place: str) -> None:
    (here / "file").write_text("")
    done = call("export", "nightly.yaml", "--to", place)
    assert done.status == 1
    assert f"cannot write {here / place}" in done.err


def test_what_is_damaged_is_left_out_and_told(call: "Call", here: Path, filled: Vault) -> None:
    reader = filled.reader()
    (report,) = reader.items(reader.resolve("latest"), "work")
    assert report.object is not None
    (filled.root / report.object).write_bytes(b"")
    done = call("export", "nightly.yaml", "--to", "all.ics")
    assert (done.status, done.out) == (3, f"{here}/all.ics: 1 item\n")
    assert "error: work/report.ics: " in done.err
