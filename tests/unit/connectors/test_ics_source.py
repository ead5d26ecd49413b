import os
from pathlib import Path

import pytest

from caldav_run.connectors import vdir
from caldav_run.connectors.sources import ics
from caldav_run.connectors.sources.ics import IcsSource
from caldav_run.connectors.vdir_folder import Folder
from caldav_run.errors import AccessError, ConnectorError, SetupError
from caldav_run.model import (
    Calendar,
    CalendarDone,
    CalendarStart,
    Changed,
    Failed,
    Provenance,
    Reading,
)
from caldav_run.secret import Secret
from caldav_run.testing.contracts import context, event
from caldav_run.testing.contracts.sources import Held, Seen

MERGED = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nX-WR-CALNAME:Feiertage\\, Berlin\r\n"
    b"X-WR-CALDESC:Freie Ta\r\n ge\r\nX-APPLE-CALENDAR-COLOR:#00FF00\r\n"
    b"BEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20260101\r\nX-WR-CALNAME:no\r\nEND:VEVENT\r\n"
    b"BEGIN:VEVENT\r\nUID:2\r\nDTSTART;VALUE=DATE:20260501\r\nEND:VEVENT\r\n"
    b"END:VCALENDAR\r\n"
)


def source(path: Path, **options: object) -> IcsSource:
    return IcsSource.from_options({"type": "ics", "path": str(path), **options}, context(path))


def seen(path: Path, **options: object) -> Seen:
    return Seen.of(source(path, **options).read(Held()))


def readings(path: Path) -> list[Reading]:
    return list(source(path).read(Held()))


def reasons(path: Path) -> dict[str | None, str]:
    return {each.href: each.reason for each in readings(path) if isinstance(each, Failed)}


# ---------------------------------------------------------------- folders


def test_a_flat_folder_is_one_calendar(tmp_path: Path) -> None:
    folder = tmp_path / "Büro"
    folder.mkdir()
    (folder / "a.ics").write_bytes(event("a"))
    (folder / "notes.txt").write_text("not an item")
    (folder / ".hidden.ics").write_bytes(event("b"))
    found = seen(folder)
    assert found.calendars == {"B%C3%BCro": Calendar(id="B%C3%BCro", display_name="Büro")}
    assert set(found.changed) == {("B%C3%BCro", "a.ics")}


def test_bytes_are_passed_on_whatever_they_are(tmp_path: Path) -> None:
    bodies = {"empty.ics": b"", "latin.ICS": b"\xe9\xff\x00", "lf.ics": b"BEGIN:VCALENDAR\n"}
    for name, body in bodies.items():
        (tmp_path / name).write_bytes(body)
    found = seen(tmp_path)
    assert {href: each.body for (_, href), each in found.changed.items()} == bodies
    assert {each.provenance for each in found.changed.values()} == {Provenance.FILE}


def test_folders_below_are_calendars_and_deeper_ones_are_not(tmp_path: Path) -> None:
    for folder in ("a", "s/b", "s/t/deep", ".git"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "x.ics").write_bytes(event("x"))
    assert set(seen(tmp_path).calendars) == {"a", "s/b"}


def test_a_copied_folder_is_another_calendar(tmp_path: Path) -> None:
    for name in ("family", "a-copy"):
        (tmp_path / name).mkdir()
        index = vdir.Index(Calendar(id="family", order=2))
        (tmp_path / name / vdir.INDEX).write_bytes(index.to_json())
    found = seen(tmp_path).calendars
    assert set(found) == {"family", "a-copy"}
    assert {each.order for each in found.values()} == {2}


def test_a_single_calendar_may_be_moved_and_stays_itself(tmp_path: Path) -> None:
    (tmp_path / vdir.INDEX).write_bytes(vdir.Index(Calendar(id="family")).to_json())
    assert set(seen(tmp_path).calendars) == {"family"}


def test_folders_that_claim_one_calendar_stay_apart(tmp_path: Path) -> None:
    names = ["x", "x-2d711642", "x-2d711642-12345678"]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / vdir.INDEX).write_bytes(vdir.Index(Calendar(id="x")).to_json())
    assert len(seen(tmp_path).calendars) == len(names)


def test_a_touched_file_is_not_a_changed_one(tmp_path: Path) -> None:
    (tmp_path / "a.ics").write_bytes(event("a"))
    before = seen(tmp_path).changed
    os.utime(tmp_path / "a.ics", (1, 1))
    again = Seen.of(source(tmp_path).read(Held(before.values())))
    assert again.unchanged == set(before)


def test_a_same_sized_edit_with_the_old_time_is_a_changed_file(tmp_path: Path) -> None:
    file = tmp_path / "a.ics"
    file.write_bytes(event("a", "Lunch"))
    os.utime(file, (1, 1))
    before = seen(tmp_path).changed
    file.write_bytes(event("a", "Punch"))
    os.utime(file, (1, 1))
    assert len(Seen.of(source(tmp_path).read(Held(before.values()))).changed) == 1


def test_a_link_to_an_item_is_named_as_unread(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(event("secret"))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.ics").symlink_to("../outside")
    assert "links are not followed" in reasons(tmp_path / "in")["a.ics"]


def test_a_pipe_and_a_huge_file_are_named_as_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vdir, "MAX_ITEM_BYTES", 1 << 20)
    os.mkfifo(tmp_path / "pipe.ics")
    (tmp_path / "huge.ics").write_bytes(bytes((1 << 20) + 1))
    found = reasons(tmp_path)
    assert found["pipe.ics"].endswith("pipe.ics: not a regular file")
    assert found["huge.ics"].endswith("huge.ics: larger than 1 MiB")


def test_a_file_that_vanishes_while_reading_is_gone(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.ics").write_bytes(event(name))
    reading = iter(source(tmp_path).read(Held()))
    next(reading)
    (tmp_path / "b.ics").unlink()
    assert "b" not in str([each for each in reading if isinstance(each, Failed)])


def test_a_linked_folder_is_named_as_unread(tmp_path: Path) -> None:
    (tmp_path / "root" / "real").mkdir(parents=True)
    (tmp_path / "root" / "real" / "displayname").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "root" / "linked").symlink_to("../elsewhere")
    (tmp_path / "root" / "dangling").symlink_to("../nothing")
    failed = [each for each in readings(tmp_path / "root") if isinstance(each, Failed)]
    assert [(each.calendar, each.href) for each in failed] == [("linked", None)]


def test_a_damaged_calendar_stops_the_account_after_the_others_were_read(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.ics").write_bytes(event("x"))
    (tmp_path / "b" / vdir.INDEX).write_text("{")
    found: list[Reading] = []
    with pytest.raises(ConnectorError, match=r"b/\.calendar\.json is damaged"):
        found.extend(source(tmp_path).read(Held()))
    started = [each.calendar.id for each in found if isinstance(each, CalendarStart)]
    assert started == ["a", "c"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_entered_stops_the_account(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    with pytest.raises(ConnectorError, match="permission denied"):
        readings(tmp_path)


def test_a_folder_that_breaks_while_it_is_listed_stops_the_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A disk that fails, which no test can have.
    def fail(_: Folder) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Folder, "entries", fail)
    with pytest.raises(ConnectorError, match="input/output error"):
        readings(tmp_path)


def test_a_folder_that_vanishes_stops_the_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Between its listing and its opening.
    (tmp_path / "a").mkdir()

    def vanish(_: Folder, name: str) -> None:
        raise FileNotFoundError(2, "No such file or directory", name)

    monkeypatch.setattr(Folder, "enter", vanish)
    with pytest.raises(ConnectorError, match="a: no such file or directory"):
        readings(tmp_path)


def test_a_folder_without_calendars_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConnectorError, match=r"holds no calendar.*may not be mounted"):
        readings(tmp_path)


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConnectorError, match="no such file"):
        readings(tmp_path / "none")
    with pytest.raises(ConnectorError, match="no such file"):
        source(tmp_path / "none").origin()


def test_the_origin_has_no_links(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert source(tmp_path / "link").origin() == str(tmp_path.resolve())


# ---------------------------------------------------------------- merged files


def test_a_merged_file_is_one_calendar_with_an_item_for_each_uid(tmp_path: Path) -> None:
    file = tmp_path / "holidays.ics"
    file.write_bytes(MERGED)
    found = seen(file)
    assert found.calendars == {
        "holidays": Calendar(
            id="holidays",
            display_name="Feiertage, Berlin",
            color="#00FF00",
            description="Freie Tage",
        )
    }
    assert len(found.changed) == 2
    again = Seen.of(source(file).read(Held(found.changed.values())))
    assert again.unchanged == set(found.changed)


def test_a_merged_file_that_is_not_selected_is_excluded(tmp_path: Path) -> None:
    file = tmp_path / "holidays.ics"
    file.write_bytes(MERGED)
    assert seen(file, calendars=["other"]).excluded == {"holidays"}


@pytest.mark.parametrize("body", [b"", b"<html>", b"BEGIN:VCARD\r\nEND:VCARD\r\n"])
def test_a_file_that_is_no_calendar_is_an_error(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "a.ics").write_bytes(body)
    with pytest.raises(ConnectorError, match=r"a\.ics is no calendar"):
        readings(tmp_path / "a.ics")


def test_a_file_may_start_with_a_mark_and_blank_lines(tmp_path: Path) -> None:
    (tmp_path / "a.ics").write_bytes(b"\xef\xbb\xbf\r\n" + MERGED)
    assert len(seen(tmp_path / "a.ics").changed) == 2


def test_a_merged_file_that_breaks_off_is_not_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "holidays.ics"
    file.write_bytes(MERGED.replace(b"END:VCALENDAR\r\n", b""))
    *_, item, last = readings(file)
    assert isinstance(item, Changed)
    assert isinstance(last, Failed)
    assert last.href is None
    assert "does not end with END:VCALENDAR" in last.reason
    file.write_bytes(MERGED[: MERGED.rindex(b"END:VEVENT")])
    cut, rest = readings(file)[-2:]
    assert isinstance(cut, Failed)
    assert isinstance(rest, Failed)
    assert cut.href is not None
    file.write_bytes(MERGED.replace(b"END:VCALENDAR\r\n", b"end:vcalendar\n\n\x1a"))
    assert isinstance(readings(file)[-1], CalendarDone)


def test_a_merged_file_is_read_up_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ics, "MAX_MERGED_BYTES", 1 << 20)
    (tmp_path / "a.ics").write_bytes(bytes((1 << 20) + 1))
    with pytest.raises(ConnectorError, match="larger than 1 MiB"):
        readings(tmp_path / "a.ics")


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.ics")
    with pytest.raises(ConnectorError, match="not a regular file"):
        readings(tmp_path / "a.ics")


def test_what_may_not_be_read_is_an_access_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root, as which tests may run, is refused nothing.
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(AccessError, match="check its owner and mode"):
        readings(tmp_path)


# ---------------------------------------------------------------- options


def test_the_account_is_called_like_the_source_unless_told(tmp_path: Path) -> None:
    assert source(tmp_path).account == "contract"
    assert source(tmp_path, account="alice").account == "alice"


@pytest.mark.parametrize("options", [{}, {"path": "/a", "url": "https://a.example/b.ics"}])
def test_either_a_path_or_a_url_is_needed(tmp_path: Path, options: dict[str, object]) -> None:
    with pytest.raises(SetupError, match="either `path` or `url`"):
        IcsSource.from_options(options, context(tmp_path))


@pytest.mark.parametrize("options", [{"username": "a"}, {"password": Secret.of("b")}])
def test_credentials_come_in_pairs(tmp_path: Path, options: dict[str, object]) -> None:
    with pytest.raises(SetupError, match="together"):
        IcsSource.from_options({"url": "https://a.example/", **options}, context(tmp_path))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://calendars.example/a.ics", "not encrypted"),
        ("https://me:pw@calendars.example/a.ics", "credentials stand in the URL"),
        ("ftp://calendars.example/a.ics", "not an http or https URL"),
        ("https://", "not an http or https URL"),
        ("https://[::1/a.ics", "not a URL"),
    ],
)
def test_an_unfit_address_is_refused_before_anything_is_sent(
    tmp_path: Path, url: str, message: str
) -> None:
    with pytest.raises(SetupError, match=message):
        IcsSource.from_options({"url": url}, context(tmp_path))


def test_plain_http_can_be_allowed(tmp_path: Path) -> None:
    options = {"url": "http://calendars.example/a.ics", "insecure": True}
    origin = IcsSource.from_options(options, context(tmp_path)).origin()
    assert origin.startswith("http://calendars.example/")


def test_the_origin_tells_private_addresses_apart_but_does_not_tell_them(
    tmp_path: Path,
) -> None:
    def origin(secret: str) -> str:
        url = f"https://calendars.example/private-{secret}/a.ics?token={secret}"
        return IcsSource.from_options({"url": url}, context(tmp_path)).origin()

    assert origin("s3cret") == origin("s3cret") != origin("other")
    assert "s3cret" not in origin("s3cret")
