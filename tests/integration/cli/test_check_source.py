"""Level S of `check` against a real server: what nobody changed comes back as it is held."""

import json

from tests.integration.cli.conftest import Desk


def test_unchanged_items_are_the_same_at_the_server_and_changed_ones_are_left_out(
    desk: Desk,
) -> None:
    desk.create()
    desk.put("work/own.ics", "Own")
    desk.back_up()
    desk.put("work/own.ics", "Own, moved", hour=12, sequence=1)
    done = desk.run("check", "quickstart.yaml", "--deep", "--reread", "100", "--output", "json")
    assert done.status == 0, done
    told = json.loads(done.out)
    *_, source = told["levels"]
    assert (source["level"], source["checked"]) == ("S", True)
    assert source["about"].startswith("12 unchanged items read again; 1 more have changed since")
    assert [each for each in told["findings"] if each["severity"] != "note"] == []


def test_a_backup_host_without_an_identity_compares_as_well(desk: Desk) -> None:
    desk.create()
    desk.back_up()
    (desk.folder / "keys" / "identity.txt").unlink()
    done = desk.run("check", "quickstart.yaml", "--reread", "5")
    assert done.status == 0, done
    assert "S  the source: checked: 5 unchanged items read again" in done.out
