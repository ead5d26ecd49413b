import errno
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from caldav_run.connectors import vdir_calendar
from caldav_run.connectors.mirroring import Order
from caldav_run.connectors.sinks.ics import IcsSink
from caldav_run.connectors.sources.ics import IcsSource
from caldav_run.connectors.vdir_folder import Folder
from caldav_run.errors import AccessError, CalendarError, ConnectorError, ItemError, TemporaryError
from caldav_run.ical.version import version
from caldav_run.model import Calendar, Options
from caldav_run.testing.contracts import context, event
from caldav_run.testing.contracts.mirrors import order, put, wanted, write
from caldav_run.testing.contracts.sources import Held, Seen

FAMILY = Calendar(
    id="family",
    display_name="Familie 🏡",
    color="#FF0000FF",
    order=3,
    description="Was wir tun",
    timezone="BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
    components=("VEVENT", "VTODO"),
)


def sink(path: Path, **options: object) -> IcsSink:
    given: Options = {"type": "ics", "path": str(path / "out"), **options}
    return IcsSink.from_options(given, context(path))


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[IcsSink]:
    mirror = sink(tmp_path)
    yield mirror
    mirror.close()


def files(path: Path) -> dict[str, tuple[bytes, int, int]]:
    """Return every file with what shows that it was written again."""
    return {
        str(each.relative_to(path)): (
            each.read_bytes(),
            each.stat().st_ino,
            each.stat().st_mtime_ns,
        )
        for each in path.rglob("*")
        if each.is_file()
    }


def test_the_layout_is_source_calendar_item(mirror: IcsSink, tmp_path: Path) -> None:
    body = event("a").replace(b"\r\n", b"\n")
    write(mirror, {"a.ics": body, "b%20c.ics": event("b")}, FAMILY)
    folder = tmp_path / "out" / "source" / "family"
    assert sorted(os.listdir(folder)) == [  # noqa: PTH208 - names are what is tested
        ".calendar.json",
        "a.ics",
        "b-c-7d5299bc.ics",
        "color",
        "displayname",
    ]
    assert (folder / "a.ics").read_bytes() == body
    assert (folder / "displayname").read_text("utf-8") == "Familie 🏡"
    assert (folder / "color").read_text("utf-8") == "#FF0000FF"
    index = json.loads((folder / ".calendar.json").read_text("utf-8"))
    assert index["order"] == 3
    assert [row["href"] for row in index["items"]] == ["a.ics", "b%20c.ics"]


def test_a_second_run_writes_nothing(tmp_path: Path) -> None:
    mirror = sink(tmp_path)
    write(mirror, {"a.ics": event("a")}, FAMILY)
    mirror.close()
    before = files(tmp_path)
    again = sink(tmp_path)
    again.present(target := again.target("source", FAMILY))
    again.finish(target)
    again.close()
    assert files(tmp_path) == before


def test_one_folder_is_open_at_a_time_however_many_are_written(mirror: IcsSink) -> None:
    calendars = [replace(FAMILY, id=f"family-{number}") for number in range(20)]
    write(mirror, {"a.ics": event("a")}, calendars[0])
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - what is open is tested
    for calendar in calendars[1:]:
        write(mirror, {"a.ics": event("a")}, calendar)
    for calendar in calendars:
        (held,) = mirror.reread(mirror.target("source", calendar), ["a.ics"])
        assert held.body == event("a")
    assert len(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208 - as above


def test_what_the_sink_wrote_the_source_reads_exactly(mirror: IcsSink, tmp_path: Path) -> None:
    bodies = {f"{name}.ics": event(name) for name in ("a", "A", "x y", "会议", "con", ".dot")}
    write(mirror, bodies, FAMILY)
    source = IcsSource.from_options({"path": str(tmp_path / "out" / "source")}, context(tmp_path))
    seen = Seen.of(source.read(Held()))
    assert seen.calendars == {"family": FAMILY}
    assert {href: each.body for (_, href), each in seen.changed.items()} == bodies


def test_the_whole_destination_can_be_read_as_well(mirror: IcsSink, tmp_path: Path) -> None:
    write(mirror, {"a.ics": event("a")}, FAMILY)
    source = IcsSource.from_options({"path": str(tmp_path / "out")}, context(tmp_path))
    assert set(Seen.of(source.read(Held())).calendars) == {"source/family"}


def test_names_that_differ_in_case_only_get_files_of_their_own(
    mirror: IcsSink, tmp_path: Path
) -> None:
    write(mirror, {"Lunch.ics": event("1"), "lunch.ics": event("2")}, FAMILY)
    names = {path.name.casefold() for path in (tmp_path / "out/source/family").glob("*.ics")}
    assert len(names) == 2
    assert "lunch.ics" in names


def test_calendars_that_differ_in_case_only_get_folders_of_their_own(tmp_path: Path) -> None:
    ids = []
    for names in (["Work", "work"], ["work", "Work"]):
        mirror = sink(tmp_path)
        targets = {name: mirror.target("s", Calendar(id=name)) for name in names}
        for target in targets.values():
            if not target.exists:
                mirror.create(target)
        ids.append({name: target.calendar.id for name, target in targets.items()})
        mirror.close()
    assert ids[0] == ids[1]
    assert ids[0]["Work"] == "s/Work"
    assert ids[0]["work"].startswith("s/work-")


def test_a_folder_whose_name_differs_in_case_only_is_another_calendars(tmp_path: Path) -> None:
    mirror = sink(tmp_path)
    mirror.create(mirror.target("s", Calendar(id="Work")))
    mirror.close()
    assert sink(tmp_path).target("s", Calendar(id="work")).calendar.id.startswith("s/work-")


def test_calendars_that_share_a_folder_name_before_it_exists_are_kept_apart(
    mirror: IcsSink,
) -> None:
    first, second = (mirror.target("s", Calendar(id=name)) for name in ("work", "WORK"))
    assert first.calendar.id == "s/work"
    assert second.calendar.id.startswith("s/WORK-")


def test_a_folder_of_another_program_is_taken_over(mirror: IcsSink, tmp_path: Path) -> None:
    folder = tmp_path / "out" / "source" / "family"
    folder.mkdir(parents=True)
    (folder / "by hand.ics").write_bytes(event("hand"))
    (folder / "broken.ics").write_bytes(b"no calendar")
    target = mirror.target("source", FAMILY)
    assert target.exists
    assert {each.uid: each.href for each in mirror.present(target)} == {
        "hand": "by%20hand.ics",
        "": "broken.ics",
    }
    write(mirror, {"other.ics": event("hand", "Later", 1)}, FAMILY)
    assert (folder / "by hand.ics").read_bytes() == event("hand", "Later", 1)
    assert not (folder / "other.ics").exists()


def test_a_replaced_file_keeps_its_name_and_takes_the_new_href(
    mirror: IcsSink, tmp_path: Path
) -> None:
    write(mirror, {"a.ics": event("a")}, FAMILY)
    write(mirror, {"moved.ics": event("a", "Later", 1)}, FAMILY)
    folder = tmp_path / "out" / "source" / "family"
    assert [path.name for path in folder.glob("*.ics")] == ["a.ics"]
    assert [each.href for each in mirror.present(mirror.target("source", FAMILY))] == ["moved.ics"]


def test_two_items_that_swapped_their_names_both_stay(mirror: IcsSink) -> None:
    write(mirror, {"x.ics": event("1")}, FAMILY)
    write(mirror, {"x.ics": event("2"), "y.ics": event("1", "Later", 1)}, FAMILY)
    found = mirror.present(mirror.target("source", FAMILY))
    assert {each.uid: each.href for each in found} == {"1": "y.ics", "2": "x.ics"}


def test_an_item_is_found_again_by_the_name_that_it_was_given(mirror: IcsSink) -> None:
    target = mirror.target("source", FAMILY)
    mirror.create(target)
    bodies = [event("1"), event("2")]
    orders = [order(wanted(body, "x.ics"), body, None) for body in bodies]
    given = [each.href for each in mirror.apply(target, orders)]
    mirror.finish(target)
    assert {each.href: each.body for each in mirror.reread(target, list(filter(None, given)))} == (
        dict(zip(given, bodies, strict=True))
    )


def test_an_item_whose_every_name_is_taken_is_refused(mirror: IcsSink) -> None:
    write(mirror, {"a%20b.ics": event("1")}, FAMILY)
    target = mirror.target("source", FAMILY)
    mirror.present(target)
    body = event("2")
    with pytest.raises(ItemError, match="holds another item"):
        put(mirror, target, wanted(body, "a%20b.ics"), body, None)


def test_a_file_that_was_deleted_meanwhile_is_not_written(mirror: IcsSink, tmp_path: Path) -> None:
    write(mirror, {"a.ics": event("a")}, FAMILY)
    target = mirror.target("source", FAMILY)
    (seen,) = mirror.present(target)
    (tmp_path / "out/source/family/a.ics").unlink()
    with pytest.raises(ItemError, match="was deleted meanwhile"):
        put(mirror, target, seen, event("a"), seen)


def test_renamed_calendars_go_to_the_new_name(tmp_path: Path) -> None:
    mirror = sink(tmp_path, rename={"Familie 🏡": "Restored", "work": "Restored"})
    family = mirror.target("source", FAMILY)
    work = mirror.target("source", Calendar(id="work"))
    assert family.mapped
    assert work.mapped
    assert family.calendar.id == work.calendar.id == "source/Restored"
    assert family.calendar.title == "Restored"
    assert not mirror.target("source", Calendar(id="other")).mapped


def test_where_calendars_meet_the_first_ones_properties_stay(tmp_path: Path) -> None:
    mirror = sink(tmp_path, rename={"family": "All", "work": "All"})
    write(mirror, {"a.ics": event("a")}, FAMILY)
    write(mirror, {"b.ics": event("b")}, Calendar(id="work", color="#000000"))
    mirror.close()
    folder = tmp_path / "out/source/All"
    assert (folder / "color").read_text("utf-8") == "#FF0000FF"
    assert len(list(folder.glob("*.ics"))) == 2


def test_changed_properties_are_written_and_missing_ones_stay(
    mirror: IcsSink, tmp_path: Path
) -> None:
    write(mirror, {}, FAMILY)
    mirror.close()
    again = sink(tmp_path)
    write(again, {}, Calendar(id="family", display_name="Family"))
    again.close()
    folder = tmp_path / "out/source/family"
    assert (folder / "displayname").read_text("utf-8") == "Family"
    assert (folder / "color").read_text("utf-8") == "#FF0000FF"


def test_a_broken_off_calendar_keeps_its_index(tmp_path: Path) -> None:
    mirror = sink(tmp_path)
    target = mirror.target("source", FAMILY)
    mirror.create(target)
    body = event("a")
    put(mirror, target, wanted(body, "a%20b.ics"), body, None)
    mirror.close()
    index = json.loads((tmp_path / "out/source/family/.calendar.json").read_text("utf-8"))
    assert [row["href"] for row in index["items"]] == ["a%20b.ics"]


def test_a_file_that_cannot_be_read_stops_its_calendar(mirror: IcsSink, tmp_path: Path) -> None:
    write(mirror, {"a.ics": event("a")}, FAMILY)
    (tmp_path / "out/source/family/link.ics").symlink_to("a.ics")
    with pytest.raises(CalendarError, match=r"link\.ics: it is a symbolic link"):
        mirror.present(mirror.target("source", FAMILY))


def test_a_link_in_the_place_of_a_folder_is_not_followed(mirror: IcsSink, tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "family").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "source").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CalendarError, match=r"cannot use .*source for Familie"):
        mirror.target("source", FAMILY)


def test_a_calendar_that_vanished_is_an_error(mirror: IcsSink, tmp_path: Path) -> None:
    write(mirror, {}, FAMILY)
    target = mirror.target("source", FAMILY)
    (tmp_path / "out").rename(tmp_path / "gone")
    with pytest.raises(CalendarError, match="no such file or directory"):
        mirror.present(target)
    with pytest.raises(ConnectorError, match="disk may not be mounted"):
        mirror.finish(target)


def test_a_damaged_index_is_told_before_anything_is_written(
    mirror: IcsSink, tmp_path: Path
) -> None:
    write(mirror, {}, FAMILY)
    target = mirror.target("source", FAMILY)
    (tmp_path / "out/source/family/.calendar.json").write_text("{")
    with pytest.raises(CalendarError, match="is damaged"):
        mirror.present(target)
    with pytest.raises(CalendarError, match="is damaged"):
        mirror.target("source", FAMILY)


def test_the_parent_of_the_folder_must_be_there(tmp_path: Path) -> None:
    mirror = sink(tmp_path / "usb")
    with pytest.raises(ConnectorError, match="its disk may not be mounted"):
        mirror.origin()
    target = mirror.target("source", FAMILY)
    with pytest.raises(ConnectorError, match=r"no such file or directory; check `path`"):
        mirror.create(target)


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(ConnectorError, match="not a folder"):
        sink(tmp_path).origin()
    with pytest.raises(CalendarError, match="not a directory"):
        sink(tmp_path).target("source", FAMILY)


@pytest.mark.parametrize(
    ("number", "kind", "mend"),
    [
        (errno.ENOSPC, TemporaryError, "make room"),
        (errno.EDQUOT, TemporaryError, "make room"),
        (errno.EACCES, AccessError, "owner and mode"),
        (errno.EROFS, ConnectorError, "check `path`"),
    ],
)
def test_a_file_system_that_refuses_is_told_apart(
    mirror: IcsSink,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: type[ConnectorError],
    mend: str,
) -> None:
    # A full, read-only or foreign file system cannot be had without being root.
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    target = mirror.target("source", FAMILY)
    mirror.create(target)
    monkeypatch.setattr(Folder, "stage", refuse)
    body = event("a")
    with pytest.raises(kind, match=mend) as caught:
        put(mirror, target, version(body, "a.ics", None), body, None)
    assert type(caught.value) is kind


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_an_access_error(mirror: IcsSink, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(AccessError):
        mirror.create(mirror.target("source", FAMILY))


def test_many_new_files_are_made_durable_before_they_get_their_names(
    mirror: IcsSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vdir_calendar, "_MOST_WAITING", 40)
    names: list[list[str]] = []
    harden = Folder.harden

    def watched(folder: Folder, temporaries: Sequence[str]) -> None:
        names.append([each.name for each in folder.path.glob("*.ics")])
        harden(folder, temporaries)

    monkeypatch.setattr(Folder, "harden", watched)
    bodies = {f"{number:03}.ics": event(f"{number}") for number in range(100)}
    write(mirror, bodies, FAMILY)
    folder = tmp_path / "out" / "source" / "family"
    assert {each.name: each.read_bytes() for each in folder.glob("*.ics")} == bodies
    assert {len(each) for each in names} == {0, 40, 80, 100}
    assert not list(folder.glob(".caldav-run-*"))


def test_a_file_that_appears_where_one_waits_stays(mirror: IcsSink, tmp_path: Path) -> None:
    target = mirror.target("source", FAMILY)
    mirror.create(target)
    folder = tmp_path / "out" / target.calendar.id

    def orders() -> Iterator[Order]:
        for href in ("a.ics", "b.ics"):
            yield order(wanted(event(href), href), event(href), None)
        (folder / "a.ics").write_bytes(b"another program's")

    outcomes = list(mirror.apply(target, orders()))
    assert [(each.href, each.moved) for each in outcomes] == [(None, True), ("b.ics", False)]
    assert "a.ics appeared meanwhile" in str(outcomes[0].error)
    mirror.finish(target)
    assert (folder / "a.ics").read_bytes() == b"another program's"
    assert (folder / "b.ics").read_bytes() == event("b.ics")
    index = json.loads((folder / ".calendar.json").read_text("utf-8"))
    assert [row["href"] for row in index["items"]] == ["b.ics"]
    assert not list(folder.glob(".caldav-run-*"))


@pytest.mark.parametrize("when", ["before it waits", "while it waits"])
def test_what_another_run_wrote_meanwhile_is_found_when_it_is_looked_at(
    mirror: IcsSink, tmp_path: Path, when: str
) -> None:
    target = mirror.target("source", FAMILY)
    mirror.create(target)
    file = tmp_path / "out" / target.calendar.id / "a.ics"
    assert mirror.present(target) == []

    def orders() -> Iterator[Order]:
        if when == "before it waits":
            file.write_bytes(event("a"))
        yield order(wanted(event("a"), "a.ics"), event("a"), None)
        file.write_bytes(event("a"))

    (outcome,) = mirror.apply(target, orders())
    assert outcome.moved
    (held,) = mirror.reread(target, ["a.ics"])
    assert held.body == event("a")
    assert [each.name for each in file.parent.glob("*.ics")] == ["a.ics"]


def test_what_cannot_be_made_durable_gets_no_name(
    mirror: IcsSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = mirror.target("source", FAMILY)
    mirror.create(target)

    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Folder, "harden", refuse)
    with pytest.raises(ConnectorError, match="input/output error"):
        put(mirror, target, wanted(event("a"), "a.ics"), event("a"), None)
    mirror.close()
    assert sorted(os.listdir(tmp_path / "out" / target.calendar.id)) == [  # noqa: PTH208
        ".calendar.json",
        "color",
        "displayname",
    ]


def test_what_another_program_put_there_is_not_deleted(mirror: IcsSink, tmp_path: Path) -> None:
    write(mirror, {"a.ics": event("a")}, FAMILY)
    target = mirror.target("source", FAMILY)
    (tmp_path / "out" / target.calendar.id / "theirs.ics").write_bytes(event("theirs"))
    seen = {each.uid: each for each in mirror.present(target)}
    assert mirror.objection(target, None, seen["a"], 0) is None
    assert mirror.objection(target, None, seen["theirs"], 0) is not None
    assert mirror.objection(target, seen["a"], seen["theirs"], 0) is None


def test_a_file_that_the_system_does_not_delete_is_told_and_stays_listed(
    mirror: IcsSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A file that may be read and not deleted cannot be had as root.
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    write(mirror, {"a.ics": event("a")}, FAMILY)
    target = mirror.target("source", FAMILY)
    (seen,) = mirror.present(target)
    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(ItemError, match=r"a\.ics is not deleted: operation not permitted"):
        put(mirror, target, None, b"", seen)
    mirror.finish(target)
    assert mirror.present(target) == [seen]
    assert mirror.objection(target, None, seen, 0) is None


def test_a_folders_calendars_are_not_listed_for_deletion(mirror: IcsSink) -> None:
    assert mirror.calendars() == ()


def test_only_an_empty_calendar_is_deleted(mirror: IcsSink, tmp_path: Path) -> None:
    write(mirror, {"a.ics": event("a")}, FAMILY)
    calendar = mirror.target("source", FAMILY).calendar
    with pytest.raises(CalendarError, match="is not deleted: directory not empty"):
        mirror.remove(calendar)
    folder = tmp_path / "out" / calendar.id
    assert (folder / "a.ics").exists()
    assert (folder / ".calendar.json").exists()
    (folder / "a.ics").unlink()
    mirror.remove(calendar)
    assert not folder.exists()


def test_a_file_that_cannot_be_read_again_is_told(mirror: IcsSink, tmp_path: Path) -> None:
    write(mirror, {"a.ics": event("a")}, FAMILY)
    target = mirror.target("source", FAMILY)
    (seen,) = mirror.present(target)
    (file := tmp_path / "out" / target.calendar.id / "a.ics").unlink()
    file.mkdir()
    (held,) = mirror.reread(target, [seen.href])
    assert held.version is None
    assert held.error is not None
