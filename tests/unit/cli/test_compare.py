import json
from typing import TYPE_CHECKING

import pytest

from caldav_run.model import Change, Op
from caldav_run.testing.vault import Vault, calendar_row
from caldav_run.testing.vault import added as plain_row

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call

LUNCH = "Lunch (Fri 8 May 2026, 12:00 UTC)"


@pytest.mark.usefixtures("vault")
def test_the_latest_is_compared_with_the_one_before_it(call: "Call") -> None:
    done = call("diff", "nightly.yaml")
    assert done.out.splitlines() == [
        (
            '~ calendar Familie: display name changed from none to "Familie", '
            'color changed from none to "#ff0000", read only changed from no to yes'
        ),
        "- Familie: Concert (Fri 8 May 2026, 10:00 UTC)",
        f"~ Familie: {LUNCH}: moved from 10:00 UTC to 12:00 UTC",
    ]
    told, age = done.err.splitlines()
    assert told.startswith("cloud: from 2026-05-01 08:01:00 UTC (")
    assert age.startswith("cloud: last read 2026-05-01 08:02:00 UTC (")


@pytest.mark.usefixtures("vault")
def test_backwards_what_went_comes(call: "Call") -> None:
    lines = call("diff", "nightly.yaml", "latest", "latest~1").out.splitlines()
    assert [each[0] for each in lines] == ["~", "+", "~"]


@pytest.mark.usefixtures("vault")
def test_a_patch_shows_each_property(call: "Call") -> None:
    lines = call("diff", "nightly.yaml", "--patch").out.splitlines()
    assert lines[-3:] == [
        "      @ VCALENDAR > VEVENT lunch",
        "      - DTSTART:20260508T100000Z",
        "      + DTSTART:20260508T120000Z",
    ]


@pytest.mark.usefixtures("vault")
def test_a_difference_as_json(call: "Call") -> None:
    found = json.loads(call("diff", "nightly.yaml", "--output", "json").out)
    assert [each["sign"] for each in found["changes"]] == ["~", "-", "~"]
    assert found["changes"][2]["label"] == LUNCH
    assert found["changes"][2]["patch"][0] == "@ VCALENDAR > VEVENT lunch"
    places = [
        (each["calendar"], each["calendar_name"], each["href"], each["uid"])
        for each in found["changes"]
    ]
    assert places == [
        ("family", "Familie", None, None),
        ("family", "Familie", "concert.ics", "concert"),
        ("family", "Familie", "lunch.ics", "lunch"),
    ]
    assert found["old"] != found["new"]


@pytest.mark.usefixtures("vault")
def test_nothing_changed_is_said(call: "Call") -> None:
    done = call("diff", "nightly.yaml", "latest", "latest")
    assert (done.status, done.out) == (0, "")
    assert done.err.splitlines()[-1] == "nothing changed"


def test_a_single_snapshot_has_nothing_to_be_compared_with(call: "Call", vault: Vault) -> None:
    vault.run(calendar_row("x"), account="phone")
    done = call("diff", "nightly.yaml", "--account", "phone")
    assert done.status == 2
    assert "phone has one snapshot only" in done.err


def test_two_accounts_are_not_compared(call: "Call", vault: Vault) -> None:
    vault.run(calendar_row("x"), account="phone")
    ids = [each.id for each in vault.reader().snapshots()]
    done = call("diff", "--repository", "repository", ids[0], ids[-1])
    assert done.status == 2
    assert "two accounts: cloud and phone" in done.err


def test_calendars_come_go_and_change(call: "Call", vault: Vault) -> None:
    vault.run(calendar_row("work", timezone="BEGIN:VCALENDAR", components=("VEVENT",), order=1))
    assert call("diff", "nightly.yaml").out == "+ calendar work\n"
    vault.run(
        calendar_row("work", timezone="BEGIN:V", components=("VEVENT", "VTODO"), order=2),
        Change(op=Op.CALENDAR_GONE, calendar="family"),
    )
    assert call("diff", "nightly.yaml").out.splitlines() == [
        "- calendar Familie",
        f"- Familie: {LUNCH}",
        (
            "~ calendar work: order changed from 1 to 2, timezone changed, "
            "components changed from VEVENT to VEVENT, VTODO"
        ),
    ]
    vault.run(Change(op=Op.EXCLUDED, calendar="work"))
    assert call("diff", "nightly.yaml").out == "~ calendar work: no longer selected\n"
    vault.run(calendar_row("work", timezone="BEGIN:V", components=("VEVENT", "VTODO"), order=2))
    assert call("diff", "nightly.yaml").out == "~ calendar work: selected again\n"


def test_what_cannot_be_read_is_still_told(call: "Call", vault: Vault) -> None:
    vault.run(plain_row("lunch", 2))
    for name in vault.packs():
        (vault.root / name).unlink()
    done = call("diff", "nightly.yaml", "--patch")
    assert done.out == "~ Familie: lunch.ics: changed, but not both versions can be read\n"
    assert done.status == 3
    assert "error: family/lunch.ics: " in done.err
    gone = call("diff", "nightly.yaml", "latest~2", "latest~1").out.splitlines()
    assert gone[1] == "- Familie: concert.ics"


def test_damage_on_the_way_is_told(call: "Call", vault: Vault) -> None:
    vault.run(calendar_row("work"))
    (run, *_) = sorted((vault.root / "runs").rglob("*.age"), reverse=True)
    run.write_bytes(b"")
    done = call("show", "nightly.yaml")
    assert done.status == 1
    assert "error: " in done.err
