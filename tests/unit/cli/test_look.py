import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.cli.conftest import event, row

from caldav_run.model import Change, Op
from caldav_run.testing.vault import Vault, calendar_row

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call


@pytest.mark.usefixtures("vault")
def test_snapshots_are_listed_oldest_first(call: "Call") -> None:
    done = call("snapshots", "nightly.yaml")
    head, first, second = done.out.splitlines()
    assert head.split() == ["SNAPSHOT", "TIME", "(UTC)", "ACCOUNT", "CALENDARS", "ITEMS"]
    assert first.split()[1:] == ["2026-05-01", "08:01:00", "cloud", "1", "2"]
    assert second.split()[1:] == ["2026-05-01", "08:02:00", "cloud", "1", "1"]
    assert done.err.startswith("cloud: last read 2026-05-01 08:02:00 UTC (")


@pytest.mark.usefixtures("vault")
def test_snapshots_as_json(call: "Call") -> None:
    listed = json.loads(call("snapshots", "nightly.yaml", "--output", "json").out)
    assert [each["counts"]["items"] for each in listed] == [2, 1]
    assert [each["time"] for each in listed] == [
        "2026-05-01T08:01:00+00:00",
        "2026-05-01T08:02:00+00:00",
    ]


def test_a_snapshot_says_what_is_the_matter_with_it(call: "Call", vault: Vault) -> None:
    vault.run(
        Change(op=Op.UNREAD, calendar="family", href="lunch.ics", reason="500"),
        Change(op=Op.EXCLUDED, calendar="family", href="party.ics", etag='"1"'),
        guarded=True,
    )
    last = call("snapshots", "nightly.yaml").out.splitlines()[-1]
    assert last.endswith("1 not readable, 1 left out, guarded")


def test_a_damaged_snapshot_is_listed_and_told(call: "Call", vault: Vault) -> None:
    last = vault.segments()[-1]
    path = vault.root / last.name
    path.write_bytes(path.read_bytes()[:-10])
    done = call("snapshots", "nightly.yaml")
    assert done.status == 1
    assert "incomplete: " in done.out
    assert done.out.splitlines()[-1].split()[4:6] == ["?", "?"]
    assert "error: " in done.err
    found = json.loads(call("snapshots", "nightly.yaml", "--output", "json").out)
    assert found[-1]["problem"]


@pytest.mark.usefixtures("vault")
def test_a_snapshots_calendars_and_items_are_shown(call: "Call") -> None:
    done = call("show", "nightly.yaml")
    assert done.out.splitlines() == ["CALENDAR  NAME     ITEMS", "family    Familie  1"]
    assert done.err.startswith("cloud as of 2026-05-01 08:02:00 UTC (")
    done = call("show", "nightly.yaml", "latest~1", "--items")
    assert done.out.splitlines() == [
        "CALENDAR  NAME    ITEMS",
        "family    family  2",
        "",
        "family: 2 events",
        "family/concert.ics  Concert (Fri 8 May 2026, 10:00 UTC)",
        "family/lunch.ics    Lunch (Fri 8 May 2026, 10:00 UTC)",
    ]


def test_a_day_ends_in_the_pipelines_time_zone(call: "Call", vault: Vault, here: Path) -> None:
    vault.clock.forward(hours=3)
    vault.run(calendar_row("work"))
    pipeline = here / "nightly.yaml"
    pipeline.write_text(f"timezone: Pacific/Kiritimati\n{pipeline.read_text()}")
    assert "work" not in call("show", "nightly.yaml", "2026-05-01").out
    assert "work" in call("show", "--repository", "repository", "2026-05-01").out


@pytest.mark.usefixtures("vault")
def test_a_reference_in_no_known_form_lists_the_forms(call: "Call") -> None:
    done = call("show", "nightly.yaml", "2 weaks ago")
    assert done.status == 2
    assert "error: there is no snapshot 2 weaks ago\n" in done.err
    assert "a date means its end" in done.err


@pytest.mark.usefixtures("vault")
def test_a_snapshot_as_json(call: "Call") -> None:
    plain = json.loads(call("show", "nightly.yaml", "--output", "json").out)
    (calendar,) = plain["contents"]
    assert (calendar["id"], calendar["count"]) == ("family", 1)
    assert "items" not in calendar
    full = json.loads(call("show", "nightly.yaml", "--items", "--output", "json").out)
    assert full["contents"][0]["color"] == "#ff0000"
    assert full["contents"][0]["counts"] == {"VEVENT": 1}
    (item,) = full["contents"][0]["items"]
    assert (item["href"], item["uid"], item["stale_since"]) == ("lunch.ics", "lunch", None)
    assert (item["label"], item["components"]) == ("Lunch (Fri 8 May 2026, 12:00 UTC)", ["VEVENT"])


def test_items_are_counted_by_their_kind(call: "Call", vault: Vault) -> None:
    task = event("task", "Shop").replace(b"VEVENT", b"VTODO")
    note = event("note", "Diary").replace(b"VEVENT", b"VJOURNAL")
    vault.run(row("task.ics", task), row("note.ics", note), row("x.ics", b"BEGIN:VX\r\nEND:VX\r\n"))
    lines = call("show", "nightly.yaml", "--items").out.splitlines()
    assert lines[3] == "Familie: 1 event, 1 journal entry, 1 task, 1 VX"


def test_items_whose_pack_is_damaged_are_named(call: "Call", vault: Vault) -> None:
    for name in vault.packs():
        (vault.root / name).write_bytes(b"")
    done = call("show", "nightly.yaml", "--items")
    assert done.status == 3
    assert "family/lunch.ics  not readable: " in done.out
    assert "error: family/lunch.ics: " in done.err


@pytest.mark.usefixtures("vault")
def test_only_the_newest_snapshots_are_listed_when_asked(call: "Call") -> None:
    lines = call("snapshots", "nightly.yaml", "--limit", "1").out.splitlines()
    assert [line.split()[2] for line in lines[1:]] == ["08:02:00"]
    found = json.loads(call("snapshots", "nightly.yaml", "--limit", "9", "--output", "json").out)
    assert [each["last_read"] for each in found] == ["2026-05-01T08:02:00+00:00"] * 2
    assert call("snapshots", "nightly.yaml", "--limit", "0").status == 2


def test_what_could_not_be_read_shows_its_reason_and_its_age(call: "Call", vault: Vault) -> None:
    vault.run(
        calendar_row("work"),
        calendar_row("secret"),
        Change(op=Op.UNREAD, calendar="family", reason="the server is tired"),
        Change(op=Op.UNREAD, calendar="family", href="lunch.ics", reason="500"),
        Change(op=Op.UNREAD, calendar="work", href="never.ics", reason="404"),
        Change(op=Op.EXCLUDED, calendar="secret"),
    )
    lines = call("show", "nightly.yaml", "--items").out.splitlines()
    assert lines[1].startswith(
        "family    Familie  1      not readable: the server is tired, last read 2026-05-01 08:02"
    )
    assert lines[2].split() == ["secret", "secret", "0", "not", "selected"]
    assert "family/lunch.ics  Lunch (Fri 8 May 2026, 12:00 UTC) (last read 2026-05-01" in lines[6]
    assert lines[-2:] == [
        "work: nothing that can be read",
        "work/never.ics  not readable: 404",
    ]
    full = json.loads(call("show", "nightly.yaml", "--items", "--output", "json").out)
    family = full["contents"][0]
    assert (family["reason"], family["unread"]) == ("the server is tired", True)
    assert family["stale_since"] == "2026-05-01T08:02:00+00:00"
    assert family["items"][0]["stale_since"] == "2026-05-01T08:02:00+00:00"


def test_an_account_that_was_never_read_whole_says_so(call: "Call", vault: Vault) -> None:
    for path in (vault.root / "runs").rglob("*.age"):
        path.unlink()
    assert call("snapshots", "nightly.yaml").err == "cloud: never read whole\n"
    assert "last read" not in call("show", "nightly.yaml").err


def test_no_server_writes_a_line_of_ours(call: "Call", vault: Vault) -> None:
    vault.run(calendar_row("family", display_name="A\nerror: \x1b[31mall is lost\x1b[0m"))
    done = call("show", "nightly.yaml")
    assert done.out.splitlines()[1] == "family    A error: \\x1b[31mall is lost\\x1b[0m  1"


@pytest.mark.usefixtures("vault")
def test_nothing_is_written_by_looking(call: "Call", here: Path) -> None:
    before = sorted(each for each in here.rglob("*"))
    for verb in ("snapshots", "show", "diff"):
        assert call(verb, "nightly.yaml").status == 0
    assert sorted(each for each in here.rglob("*")) == before


@pytest.mark.usefixtures("vault")
def test_a_signer_that_is_no_fingerprint_is_refused(call: "Call") -> None:
    done = call("snapshots", "nightly.yaml", "--trust", "SHA256:abc")
    assert (done.status, done.out) == (2, "")
    assert 'error: "SHA256:abc" is no fingerprint' in done.err


def test_an_empty_place_is_not_the_current_folder(call: "Call") -> None:
    for words in (["snapshots", "--repository", ""], ["check", "--repository="]):
        done = call(*words)
        assert (done.status, done.out) == (2, "")
        assert "the place of a repository is empty" in done.err
