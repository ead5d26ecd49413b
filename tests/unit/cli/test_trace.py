import json
from typing import TYPE_CHECKING

import pytest
from tests.unit.cli.conftest import event, row

from caldav_run.model import Change, Op
from caldav_run.testing.vault import Vault, calendar_row

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call

LUNCH = "Lunch (Fri 8 May 2026, 12:00 UTC)"
GONE = Change(op=Op.GONE, calendar="family", href="lunch.ics")


def happened(out: str) -> list[str]:
    """Return the lines of a history without ids and times."""
    return [line[35:] for line in out.splitlines()[1:]]


@pytest.mark.usefixtures("vault")
def test_an_event_is_shown_through_time(call: "Call") -> None:
    done = call("history", "nightly.yaml", "lunch")
    head, first, second = done.out.splitlines()
    assert head == f"cloud: {LUNCH}, UID lunch"
    assert first[12:] == (
        "  2026-05-01 08:01:00  + appeared in family: Lunch (Fri 8 May 2026, 10:00 UTC)"
    )
    assert second[12:] == "  2026-05-01 08:02:00  ~ moved from 10:00 UTC to 12:00 UTC"
    assert done.err.startswith("cloud: last read 2026-05-01 08:02:00 UTC (")
    assert done.status == 0


def test_an_event_goes_comes_back_and_moves(call: "Call", vault: Vault) -> None:
    vault.run(GONE)
    vault.run(row("lunch.ics", event("lunch", "Lunch", hour=12)))
    vault.run(
        calendar_row("work", display_name="Arbeit"),
        GONE,
        row("lunch.ics", event("lunch", "Lunch", hour=13), "work"),
    )
    vault.run(
        Change(op=Op.GONE, calendar="work", href="lunch.ics"),
        row("meal.ics", event("lunch", "Lunch", hour=13), "work", uid="lunch"),
    )
    vault.run(Change(op=Op.EXCLUDED, calendar="work", href="meal.ics", etag='"2"'))
    vault.run(row("meal.ics", event("lunch", "Lunch", hour=13), "work", uid="lunch"))
    vault.run(Change(op=Op.CALENDAR_GONE, calendar="work"))
    later = "Lunch (Fri 8 May 2026, 13:00 UTC)"
    assert happened(call("history", "nightly.yaml", "lunch").out)[2:] == [
        "- deleted from Familie",
        f"+ came back in Familie: {LUNCH}",
        "~ moved from calendar Familie to Arbeit, moved from 12:00 UTC to 13:00 UTC",
        "~ stored as meal.ics instead of lunch.ics",
        "x left out by the selection or a filter (Arbeit)",
        f"+ came back in Arbeit: {later}",
        "- deleted with its calendar (Arbeit)",
    ]


def test_an_event_in_two_calendars_is_one(call: "Call", vault: Vault) -> None:
    vault.run(calendar_row("work"), row("lunch.ics", event("lunch", "Lunch", hour=12), "work"))
    vault.run(GONE)
    assert happened(call("history", "nightly.yaml", "lunch").out)[2:] == [
        f"+ also in work: {LUNCH}",
        "- deleted from Familie",
    ]


@pytest.mark.usefixtures("vault")
def test_a_place_names_an_event(call: "Call") -> None:
    done = call("history", "nightly.yaml", "family/concert.ics")
    assert happened(done.out)[1] == "- deleted from Familie"


@pytest.mark.usefixtures("vault")
def test_a_text_that_one_event_says_names_it(call: "Call") -> None:
    done = call("history", "nightly.yaml", "CONC")
    assert done.out.splitlines()[0].endswith("UID concert")


def test_several_events_that_say_a_text_are_listed(call: "Call", vault: Vault) -> None:
    vault.run(row("brunch.ics", event("brunch", "Long lunch")))
    done = call("history", "nightly.yaml", "lunch ")
    assert done.status == 2
    assert [line for line in done.out.splitlines() if "UID" in line] == [
        "  in Familie, UID lunch",
        "  in Familie, UID brunch",
    ]
    assert "error: 2 events say so" in done.err
    found = json.loads(call("history", "nightly.yaml", "lunch ", "--output", "json").out)
    assert found["events"] == []
    assert [each["uid"] for each in found["matches"]] == ["lunch", "brunch"]


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nightly.yaml"], "no event is named"),
        (["nightly.yaml", " "], "no event is named"),
        (["--repository", "repository"], "no event is named"),
        (["nightly.yaml", "nothing"], 'no snapshot has an event with the UID "nothing"'),
        (["nightly.yaml", "tests.org"], "caldav-run find looks into everything"),
    ],
)
def test_there_has_to_be_such_an_event(call: "Call", arguments: list[str], message: str) -> None:
    done = call("history", *arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.err


@pytest.mark.usefixtures("vault")
def test_a_patch_shows_each_property(call: "Call") -> None:
    lines = call("history", "nightly.yaml", "lunch", "--patch").out.splitlines()
    assert lines[-3:] == [
        "      @ VCALENDAR > VEVENT lunch",
        "      - DTSTART:20260508T100000Z",
        "      + DTSTART:20260508T120000Z",
    ]


@pytest.mark.usefixtures("vault")
def test_a_history_as_json(call: "Call") -> None:
    found = json.loads(call("history", "nightly.yaml", "concert", "--output", "json").out)
    (only,) = found["events"]
    assert (only["account"], only["uid"]) == ("cloud", "concert")
    assert only["title"] == "Concert (Fri 8 May 2026, 10:00 UTC)"
    versions = only["versions"]
    assert [(each["sign"], each["calendar_name"]) for each in versions] == [
        ("+", "family"),
        ("-", "Familie"),
    ]
    assert {(each["calendar"], each["href"]) for each in versions} == {("family", "concert.ics")}
    assert only["versions"][0]["sha256"]
    assert only["versions"][1]["sha256"] is None


def test_an_event_of_two_accounts_is_shown_for_each(call: "Call", vault: Vault) -> None:
    vault.run(calendar_row("x"), row("lunch.ics", event("lunch", "Lunch"), "x"), account="phone")
    done = call("history", "--repository", "repository", "lunch")
    heads = [line for line in done.out.splitlines() if "UID" in line]
    assert [head.split(":")[0] for head in heads] == ["cloud", "phone"]
    done = call("history", "--repository", "repository", "lunch", "--account", "phone")
    assert done.out.startswith("phone: ")


def test_damage_costs_the_words_and_is_told(call: "Call", vault: Vault) -> None:
    for name in vault.packs():
        (vault.root / name).unlink()
    done = call("history", "nightly.yaml", "lunch", "--patch")
    assert happened(done.out) == [
        "+ appeared in family: lunch.ics",
        "~ changed, but not both versions can be read",
    ]
    assert done.status == 3
    assert "error: family/lunch.ics: " in done.err


def test_other_bytes_that_say_the_same_are_a_version(call: "Call", vault: Vault) -> None:
    same = event("lunch", "Lunch", hour=12).replace(b"DTSTAMP", b"dtstamp")
    vault.run(row("lunch.ics", same))
    assert happened(call("history", "nightly.yaml", "lunch").out)[-1] == (
        "~ other bytes that say the same"
    )


def test_no_event_writes_a_line_of_ours(call: "Call", vault: Vault) -> None:
    evil = "Evil\x1b[2J\u202etxt\\nerror: all is lost"
    vault.run(row("evil.ics", event("evil", evil)))
    done = call("history", "nightly.yaml", "evil")
    assert not {"\x1b", "\u202e"} & set(done.out)
    assert len(done.out.splitlines()) == 2
    found = call("history", "nightly.yaml", "evil", "--output", "json").out
    assert not {"\x1b", "\u202e"} & set(found)
    json.loads(found)


def test_an_event_that_is_not_found_beside_damage_may_be_in_that(
    call: "Call", vault: Vault
) -> None:
    for name in vault.packs():
        (vault.root / name).unlink()
    done = call("history", "nightly.yaml", "dinner")
    assert done.status == 3
    assert "versions cannot be read: " in done.err
    assert 'no snapshot has an event with the UID "dinner"' in done.err
