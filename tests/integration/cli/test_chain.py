"""The quick start as a person types it: create, plan, run, look, compare, take out, restore."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Desk

SECOND = """\
version: 1
name: second
sources: {files: {type: ics, path: nowhere}}
sinks: {copy: {type: ics, path: copy}}
"""


def test_a_plan_before_there_is_a_repository_names_create(desk: "Desk") -> None:
    done = desk.run("plan", "quickstart.yaml")
    assert done.status == 78
    assert "caldav-run create" in done.err
    assert not (desk.folder / "vault").exists()


def test_a_new_repository_says_that_it_is_empty(desk: "Desk") -> None:
    desk.create()
    assert desk.run("snapshots", "quickstart.yaml").status == 0
    done = desk.run("show", "quickstart.yaml")
    assert done.status == 2
    assert "holds no snapshot yet" in done.err


def test_keys_and_repository_need_no_account(desk: "Desk") -> None:
    del desk.environment["CALDAV_URL"], desk.environment["CALDAV_PASSWORD"]
    desk.create()
    # Neither does looking into it.
    assert desk.run("snapshots", "quickstart.yaml").status == 0


def test_a_plan_shows_every_change_and_writes_nothing(desk: "Desk") -> None:
    desk.create()
    done = desk.run("plan", "quickstart.yaml", "--detailed-exitcode")
    assert done.status == 10
    assert "+ Work: calendar (new)\n" in done.out
    assert done.out.endswith("quickstart: planned: 12 items read, 16 changes to write\n")
    assert desk.snapshots() == []
    desk.back_up()
    done = desk.run("run", "--check", "-q", "quickstart.yaml")
    assert (done.status, done.text) == (0, "")


def test_a_second_backup_reads_what_is_new_and_diff_says_it_in_words(desk: "Desk") -> None:
    desk.create()
    desk.put("family/dentist.ics", "Dentist")
    desk.put("family/lunch.ics", "Lunch")
    first = desk.back_up()
    assert "14 items read, 18 changes written" in first.out
    done = desk.run("diff", "quickstart.yaml")
    assert done.status == 2
    assert "one snapshot only" in done.err
    desk.put("family/dentist.ics", "Dentist", hour=14, sequence=1)
    desk.delete("family/lunch.ics")
    second = desk.back_up()
    assert "1 read anew" in second.err
    done = desk.run("diff", "quickstart.yaml", "--patch")
    assert done.out.splitlines() == [
        "~ Familie 🏡: Dentist (Fri 8 May 2026, 14:00 UTC): moved from 10:00 UTC to 14:00 UTC",
        "      @ VCALENDAR > VEVENT family-dentist.ics",
        "      - DTEND:20260508T110000Z",
        "      + DTEND:20260508T150000Z",
        "      - DTSTART:20260508T100000Z",
        "      + DTSTART:20260508T140000Z",
        "      - SEQUENCE:0",
        "      + SEQUENCE:1",
        "- Familie 🏡: Lunch (Fri 8 May 2026, 10:00 UTC)",
    ]
    found = json.loads(desk.run("diff", "quickstart.yaml", "--output", "json").out)
    assert [each["sign"] for each in found["changes"]] == ["~", "-"]
    assert found["changes"][0]["changes"] == ["moved from 10:00 UTC to 14:00 UTC"]
    same = desk.run("diff", "quickstart.yaml", "latest", "latest")
    assert (same.out, same.err.splitlines()[-1]) == ("", "nothing changed")


def test_a_snapshot_is_shown_by_id_time_and_distance(desk: "Desk") -> None:
    desk.create()
    desk.back_up()
    desk.put("work/later.ics", "Later")
    desk.back_up()
    old, new = desk.snapshots()
    for ref, expected in [
        (old["id"][:8], old),
        ("latest~1", old),
        (old["time"], old),
        ("latest", new),
        ("2999-01-01", new),
    ]:
        done = desk.run("show", "quickstart.yaml", ref, "--output", "json")
        assert json.loads(done.out)["id"] == expected["id"], ref
    for ref in ("latest~2", "2001-01-01", "yesterday"):
        assert desk.run("show", "quickstart.yaml", ref).status == 2
    items = desk.run("show", "quickstart.yaml", "--items").out
    assert "work/later.ics" in items
    assert "Later (Fri 8 May 2026, 10:00 UTC)" in items
    listed = desk.run("show", "--repository", "vault", "--items", "--output", "json").out
    uids = [item["uid"] for part in json.loads(listed)["contents"] for item in part["items"]]
    assert "work-later.ics" in uids


def test_an_item_comes_out_byte_by_byte(desk: "Desk") -> None:
    desk.create()
    desk.put("work/zoë.ics", "Zoë")
    desk.back_up()
    by_uid = desk.run("cat", "quickstart.yaml", "work-zoë.ics")
    by_place = desk.run("cat", "--repository", "vault", "work/zo%C3%AB.ics")
    assert by_uid.status == by_place.status == 0
    assert by_uid.out == by_place.out
    # XML has turned CR LF into LF on its way; that is what the server gave.
    assert "\nSUMMARY:Zoë\n" in by_uid.out
    done = desk.run("cat", "quickstart.yaml", "nobody")
    assert (done.status, done.out) == (2, "")


def test_an_export_writes_files_and_overwrites_nothing(desk: "Desk") -> None:
    desk.create()
    desk.back_up()
    assert desk.run("export", "quickstart.yaml", "--to", "out").status == 0
    files = sorted((desk.folder / "out" / "personal").rglob("*.ics"))
    assert len(files) == 12
    body = desk.run("cat", "quickstart.yaml", f"{files[0].parent.name}/{files[0].name}").out
    assert files[0].read_bytes() == body.encode()
    again = desk.run("export", "quickstart.yaml", "--to", "out")
    assert (again.status, again.out) == (2, "")
    assert "--force" in again.err
    assert desk.run("export", "quickstart.yaml", "--to", "out", "--force").status == 0
    merged = desk.folder / "all.ics"
    assert desk.run("export", "quickstart.yaml", "--to", "all.ics").out == f"{merged}: 12 items\n"
    assert merged.read_bytes().count(b"BEGIN:VCALENDAR") == 1
    merged.write_text("mine")
    assert desk.run("export", "quickstart.yaml", "--to", "all.ics").status == 2
    assert merged.read_text() == "mine"
    some = desk.run("export", "quickstart.yaml", "--to", "all.ics", "--force", "--calendar", "W*")
    assert some.out == f"{merged}: 3 items\n"
    assert not list(desk.folder.glob(".all*"))


def test_a_deleted_event_comes_back(desk: "Desk") -> None:
    desk.create()
    desk.put("family/dentist.ics", "Dentist")
    desk.back_up()
    desk.delete("family/dentist.ics")
    desk.back_up()
    done = desk.run("run", "restore.yaml", "--set", "as_of=latest~1")
    assert (done.status, done.out) == (0, "restore: done: 13 items read, 1 change written\n")
    assert desk.server.send("GET", "family/dentist.ics") == 200


def test_a_mistake_in_the_last_file_shows_before_the_first_runs(desk: "Desk") -> None:
    desk.create()
    (desk.folder / "broken.yaml").write_text("version: 1\nname: broken\nsinks: {}\n")
    done = desk.run("quickstart.yaml", "broken.yaml", "nofile.yaml")
    assert done.status == 78
    assert "broken.yaml" in done.err
    assert "nofile.yaml" in done.err
    assert "in 3 files; nothing was run" in done.err
    assert desk.snapshots() == []


def test_several_pipelines_run_in_order_and_the_worst_status_counts(desk: "Desk") -> None:
    desk.create()
    (desk.folder / "second.yaml").write_text(SECOND)
    done = desk.run("second.yaml", "quickstart.yaml", "--output", "json")
    document = json.loads(done.out)
    assert done.status == document["status"] == 1
    assert [each["pipeline"] for each in document["runs"]] == ["second", "quickstart"]
    assert [each["status"] for each in document["runs"]] == [1, 0]
    assert len(desk.snapshots()) == 1


def test_only_the_named_source_is_read(desk: "Desk") -> None:
    desk.create()
    assert desk.run("run", "quickstart.yaml", "--limit", "personal").status == 0
    done = desk.run("run", "quickstart.yaml", "--limit", "other")
    assert done.status == 2
    assert "it has: personal" in done.err


def test_an_account_that_moved_is_adopted_only_when_told_so(desk: "Desk") -> None:
    desk.create()
    desk.back_up()
    # The same server under another name is another origin.
    desk.environment["CALDAV_URL"] = desk.server.url.replace("127.0.0.1", "localhost")
    done = desk.run("quickstart.yaml")
    assert done.status == 78
    assert "--adopt-origin" in done.err
    assert desk.run("plan", "quickstart.yaml", "--adopt-origin").status == 0
    assert desk.run("run", "quickstart.yaml", "--adopt-origin").status == 0
    # From now on this is where the account is.
    assert desk.run("quickstart.yaml").status == 0


def test_a_guard_holds_back_and_says_so(desk: "Desk") -> None:
    desk.create()
    desk.back_up()
    for name in ("work", "family", "birthdays"):
        desk.delete(f"{name}/")
    done = desk.run("quickstart.yaml")
    assert done.status == 4
    assert "held back by a guard" in done.out
    listed = desk.run("snapshots", "quickstart.yaml").out
    assert "guarded" in listed.splitlines()[-1]


def test_verbose_shows_changes_and_quiet_only_trouble(desk: "Desk") -> None:
    desk.create()
    assert "+ Work: " in desk.run("run", "-v", "quickstart.yaml").out
    assert desk.run("run", "-q", "quickstart.yaml").text == ""
    done = desk.run("run", "-q", "quickstart.yaml", CALDAV_URL="http://127.0.0.1:9/")
    assert done.status == 75
    assert done.err.startswith("error: personal: ")
    assert done.out.startswith("quickstart: failed for now")
