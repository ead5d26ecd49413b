import zipfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.cli.conftest import event, row

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


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("to", ["repository", "repository/out", "repository/all.zip"])
def test_nothing_plain_goes_into_a_repository(call: "Call", here: Path, to: str) -> None:
    done = call("export", "nightly.yaml", "--to", to)
    assert done.status == 2
    assert f"{to} lies in a repository" in done.err
    assert not (here / "repository" / "cloud").exists()


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("words", [["show", ""], ["diff", ""], ["export", "", "--to", "out"]])
def test_an_empty_snapshot_is_not_the_latest(call: "Call", words: list[str]) -> None:
    verb, *others = words
    done = call(verb, "nightly.yaml", *others)
    assert (done.status, done.out) == (2, "")
    assert "there is no snapshot" in done.err


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
def test_force_gives_the_very_bytes_where_others_say_the_same(call: "Call", here: Path) -> None:
    assert call("export", "nightly.yaml", "--to", "out").status == 0
    report = here / "out" / "cloud" / "work" / "report.ics"
    report.write_bytes(body_of("report").replace(b"\r\n", b"\n"))
    assert call("export", "nightly.yaml", "--to", "out", "--force").status == 0
    assert report.read_bytes() == body_of("report")


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


@pytest.mark.usefixtures("filled")
def test_what_a_snapshot_has_no_more_is_named_with_the_last_that_has_it(
    call: "Call", filled: Vault
) -> None:
    first = filled.reader().snapshots()[0].id[:12]
    for item in ("concert", "family/concert.ics"):
        done = call("cat", "nightly.yaml", item)
        assert done.status == 2
        hint = f"caldav-run cat nightly.yaml {item} --snapshot {first}"
        assert done.err.endswith(f"  = the last one that has it: {hint}\n")
        assert "SUMMARY:Concert" in call(*hint.split()[1:]).out


@pytest.mark.usefixtures("filled")
def test_a_snapshot_is_named_by_a_time_in_words(call: "Call", here: Path) -> None:
    assert call("cat", "nightly.yaml", "report", "--snapshot", "yesterday").status == 0
    assert call("export", "nightly.yaml", "--to", "o.ics", "--as-of", "2026-05-01").status == 0
    done = call("export", "nightly.yaml", "latest", "--to", "p.ics", "--as-of", "latest")
    assert done.status == 2
    assert "the snapshot is named twice" in done.err
    assert call("export", "nightly.yaml", "--to", "p.ics", "--as-of", "latest~9").status == 2
    assert not (here / "p.ics").exists()


def test_several_accounts_are_exported_one_at_a_time(call: "Call", filled: Vault) -> None:
    filled.run(calendar_row("x"), account="phone")
    done = call("export", "--repository", "repository", "--to", "out")
    assert done.status == 2
    assert "latest needs one account, and there are cloud, phone" in done.err
    assert "--account" in done.err


@pytest.mark.usefixtures("filled")
def test_a_snapshot_becomes_an_archive(call: "Call", here: Path) -> None:
    done = call("export", "nightly.yaml", "--to", "all.zip")
    assert (done.status, done.out) == (0, f"{here}/all.zip: 2 items\n")
    with zipfile.ZipFile(here / "all.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert archive.read("cloud/work/report.ics") == body_of("report")
        assert {each.date_time for each in archive.infolist()} == {(2026, 5, 1, 8, 3, 0)}
        assert {each.external_attr >> 16 for each in archive.infolist()} == {0o100644}
    assert [each for each in names if each.endswith(".ics")] == [
        "cloud/family/lunch.ics",
        "cloud/work/report.ics",
    ]
    assert call("export", "nightly.yaml", "--to", "again.zip").status == 0
    assert (here / "all.zip").read_bytes() == (here / "again.zip").read_bytes()
    assert sorted(each.name for each in here.iterdir() if "zip" in each.name) == [
        "again.zip",
        "all.zip",
    ]


@pytest.mark.usefixtures("filled")
def test_an_archive_is_not_overwritten_unasked(call: "Call", here: Path) -> None:
    path = here / "all.zip"
    path.write_text("mine")
    assert call("export", "nightly.yaml", "--to", "all.zip").status == 2
    assert path.read_text() == "mine"
    done = call("export", "nightly.yaml", "--to", "all.zip", "--force", "--calendar", "work")
    assert done.out == f"{path}: 1 item\n"
    (here / "folder.zip").mkdir()
    assert call("export", "nightly.yaml", "--to", "folder.zip").status == 2
    done = call("export", "nightly.yaml", "--to", "none/all.zip")
    assert (done.status, "cannot write" in done.err) == (1, True)


def test_names_out_of_a_server_stay_in_the_archive(call: "Call", here: Path, vault: Vault) -> None:
    vault.run(
        calendar_row("/../../etc", display_name="evil"),
        added("x", calendar="/../../etc"),
        row("..%2f..%2fup.ics", event("up", "Up")),
    )
    assert call("export", "nightly.yaml", "--to", "all.zip").status == 0
    with zipfile.ZipFile(here / "all.zip") as archive:
        for name in archive.namelist():
            parts = name.split("/")
            assert parts[0] == "cloud"
            assert not {"", ".", ".."} & set(parts)
            assert "\\" not in name


@pytest.mark.parametrize("to", ["out", "all.zip", "all.ics"])
def test_a_damaged_pack_costs_its_own_items(
    call: "Call", here: Path, filled: Vault, to: str
) -> None:
    reader = filled.reader()
    (report,) = reader.items(reader.resolve("latest"), "work")
    (filled.root / str(report.object)).write_bytes(b"")
    done = call("export", "nightly.yaml", "--to", to)
    assert done.status == 3
    assert "work/report.ics" in done.err + done.out
    assert (here / to).exists()


def test_damage_elsewhere_takes_nothing_from_an_archive(
    call: "Call", here: Path, filled: Vault
) -> None:
    filled.configure(full_every=timedelta(0))
    filled.run(calendar_row("family"), added("new"))
    for name in filled.segments()[:3]:
        (filled.root / name.name).write_bytes(b"")
    done = call("export", "nightly.yaml", "--to", "all.zip")
    assert done.status == 1
    with zipfile.ZipFile(here / "all.zip") as archive:
        assert "cloud/family/new.ics" in archive.namelist()


def test_an_archive_is_whole_or_not_at_all(call: "Call", here: Path, filled: Vault) -> None:
    filled.run(added("more"))
    for name in filled.segments()[:1]:
        (filled.root / name.name).unlink()
    done = call("export", "nightly.yaml", "--to", "all.zip")
    assert done.status == 1
    assert not (here / "all.zip").exists()
    assert not [each for each in here.iterdir() if each.name.startswith(".")]


@pytest.mark.parametrize("to", ["out", "all.zip", "all.ics"])
def test_a_misspelt_calendar_writes_nothing(
    call: "Call", here: Path, filled: Vault, to: str
) -> None:
    assert filled.segments()
    done = call("export", "nightly.yaml", "--to", to, "--calendar", "job")
    assert done.status == 2
    assert "no calendar of the snapshot is called job" in done.err
    assert "work" in done.err
    assert not (here / to).exists()
