import json
import shlex
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.unit.cli.conftest import event, row

from caldav_run.model import Change, Op
from caldav_run.testing.vault import Vault, calendar_row

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call


def ids(vault: Vault) -> list[str]:
    """Return the beginnings of all snapshots' ids, oldest first."""
    return [each.id[:12] for each in vault.reader().snapshots()]


def uids(out: str) -> list[str]:
    return [line.rpartition(" ")[2] for line in out.splitlines() if " UID " in line]


def test_what_is_gone_is_found_with_the_command_that_brings_it_back(
    call: "Call", vault: Vault
) -> None:
    first, _ = ids(vault)
    done = call("find", "nightly.yaml", "cONCERT")
    title, where, span, command = done.out.splitlines()
    assert title == "Concert (Fri 8 May 2026, 10:00 UTC)"
    assert where == "  in family, UID concert"
    assert span.startswith(
        f"  first in {first} (2026-05-01), last in {first} (2026-05-01), "
        "deleted since 2026-05-01 08:02:00 UTC ("
    )
    assert command == f"  caldav-run cat nightly.yaml concert --snapshot {first}"
    assert done.err.startswith("cloud: last read ")
    back = call(*shlex.split(command)[1:])
    assert back.out.encode() == event("concert", "Concert")


def test_the_command_opens_the_repository_as_it_was_opened(call: "Call", vault: Vault) -> None:
    vault.run(calendar_row("x"), row("tea.ics", event("tea", "Tea"), "x"), account="phone")
    more = ("--account", "phone", "--set", "place=repository", "-i", "keys/identity.txt")
    command = call("find", "nightly.yaml", "tea", *more).out.splitlines()[-1].strip()
    assert command.endswith(" --account=phone --set=place=repository --identity=keys/identity.txt")
    assert "SUMMARY:Tea" in call(*shlex.split(command)[1:]).out


def test_what_is_there_says_so(call: "Call", vault: Vault) -> None:
    first, second = ids(vault)
    done = call("find", "--repository", "repository", "lunch")
    assert done.out.splitlines()[2:] == [
        f"  first in {first} (2026-05-01), still there",
        f"  caldav-run cat --repository repository lunch --snapshot {second}",
    ]


def test_what_only_an_older_version_says_is_found_in_that(call: "Call", vault: Vault) -> None:
    vault.run(row("lunch.ics", event("lunch", "Dinner")))
    _, second, third = ids(vault)
    done = call("find", "nightly.yaml", "lunch", "--output", "json")
    assert json.loads(done.out)[0]["current"] is True  # by its UID
    vault.run(row("lunch.ics", event("lunch", "Supper")))
    lines = call("find", "nightly.yaml", "dinner").out.splitlines()
    assert lines[0].startswith("Dinner")
    assert lines[-2:] == [
        f"  says so in {third} (2026-05-01), and not any more",
        f"  caldav-run cat nightly.yaml lunch --snapshot {third}",
    ]
    assert second != third


def test_only_what_is_gone_or_was_there_lately(call: "Call", vault: Vault) -> None:
    vault.clock.forward(days=10)
    vault.run(Change(op=Op.GONE, calendar="family", href="lunch.ics"))
    vault.run(row("brunch.ics", event("brunch", "Brunch at 10")))
    find = ("find", "nightly.yaml", "UTC", "--since")
    assert uids(call("find", "nightly.yaml", "c", "--deleted").out) == ["concert", "lunch"]
    found = call("find", "nightly.yaml", "c", "--deleted", "--since", "2026-05-11").out
    assert uids(found) == ["lunch"]
    assert uids(call("find", "nightly.yaml", "c", "--since", "2026-05-11").out) == [
        "lunch",
        "brunch",
    ]
    done = call(*find, "soon")
    assert done.status == 2
    assert '"soon" is no time' in done.err


def test_only_in_some_calendars(call: "Call", vault: Vault) -> None:
    vault.run(calendar_row("work"), row("plan.ics", event("plan", "Plan"), "work"))
    assert uids(call("find", "nightly.yaml", "n", "--calendar", "w*").out) == ["plan"]
    # It was called by its id at first.
    for pattern in ("family", "Familie"):
        assert uids(call("find", "nightly.yaml", "lunch", "--calendar", pattern).out) == ["lunch"]
    assert uids(call("find", "nightly.yaml", "lunch", "--calendar", "Work").out) == []


@pytest.mark.usefixtures("vault")
def test_what_is_found_as_json(call: "Call") -> None:
    (found,) = json.loads(call("find", "nightly.yaml", "concert", "--output", "json").out)
    assert found["first"] == found["last"]
    assert (found["snapshot"], found["gone"]["why"]) == (found["first"]["id"], "deleted")
    assert found["gone"]["time"] == "2026-05-01T08:02:00+00:00"
    assert (found["summary"], found["start"]) == ("Concert", "20260508T100000Z")
    (lunch,) = json.loads(call("find", "nightly.yaml", "lunch", "--output", "json").out)
    assert lunch["gone"] is None
    assert json.loads(call("find", "nightly.yaml", "nothing", "--output", "json").out) == []


@pytest.mark.usefixtures("vault")
def test_nothing_found_is_said(call: "Call") -> None:
    done = call("find", "nightly.yaml", "nothing")
    assert (done.status, done.out) == (0, "")
    assert done.err.endswith("nothing found\n")


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize("arguments", [[], [""], [" "]])
def test_a_text_has_to_be_named(call: "Call", arguments: list[str]) -> None:
    done = call("find", "nightly.yaml", *arguments)
    assert done.status == 2
    assert "no text is named" in done.err


def test_accounts_are_told_apart_where_there_are_several(call: "Call", vault: Vault) -> None:
    vault.run(calendar_row("x"), row("lunch.ics", event("lunch", "Lunch"), "x"), account="phone")
    done = call("find", "--repository", "repository", "lunch")
    places = [line for line in done.out.splitlines() if "UID" in line]
    assert places == ["  in cloud, Familie, UID lunch", "  in phone, x, UID lunch"]
    assert len(done.err.splitlines()) == 2
    done = call("find", "--repository", "repository", "lunch", "--account", "phone")
    assert [line for line in done.out.splitlines() if "UID" in line] == ["  in x, UID lunch"]


def test_a_damaged_pack_is_named_and_the_rest_is_found(call: "Call", vault: Vault) -> None:
    reader = vault.reader()
    concert = next(reader.items(reader.resolve("latest~1")))
    lost = str(concert.object)
    vault.configure(full_every=timedelta(0))
    vault.run(calendar_row("family"), row("lunch.ics", event("lunch", "Lunch")))
    (vault.root / lost).unlink()
    done = call("find", "nightly.yaml", "c")
    assert done.status == 3
    assert "1 version cannot be read: " in done.err
    assert lost in done.err
    assert uids(done.out) == ["lunch"]


@pytest.mark.parametrize("uid", ["-rf", "a\x1b[2Jb", ""])
def test_a_uid_that_is_no_plain_word_is_no_argument(call: "Call", vault: Vault, uid: str) -> None:
    vault.run(replace(row("odd name.ics", event(uid, "Odd")), uid=uid))
    command = call("find", "nightly.yaml", "odd").out.splitlines()[-1].strip()
    assert shlex.split(command)[3] == "family/odd name.ics"
    assert call(*shlex.split(command)[1:]).status == 0


def test_what_lies_in_incomplete_snapshots_is_not_simply_not_there(
    call: "Call", vault: Vault
) -> None:
    base = vault.segments()[0]
    (vault.root / base.name).unlink()
    done = call("find", "nightly.yaml", "lunch")
    assert "nothing found" in done.err
    assert f"{base.sha256} is missing" in done.err
    assert done.status == 1
