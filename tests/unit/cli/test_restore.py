from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer
from tests.unit.cli.conftest import event, row

from caldav_run.cli import restore as restore_verb
from caldav_run.model import Change, Op
from caldav_run.testing.vault import Vault, calendar_row

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Call

BEFORE = "latest~1"


def files(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*.ics")}


@pytest.mark.usefixtures("vault")
def test_everything_comes_back_into_a_folder(call: "Call", here: Path) -> None:
    done = call("restore", "nightly.yaml", "--to", "./out", "--as-of", BEFORE)
    assert (done.status, done.out) == (0, "restore: done: 2 items read, 3 changes written\n")
    assert done.err.startswith("cloud as of 2026-05-01 08:01:00 UTC")
    assert files(here / "out") == {"cloud/family/lunch.ics", "cloud/family/concert.ics"}


@pytest.mark.usefixtures("vault")
def test_a_second_restore_changes_nothing(call: "Call") -> None:
    assert call("restore", "nightly.yaml", "--to", "./out").status == 0
    done = call("restore", "nightly.yaml", "--to", "./out")
    assert done.out == "restore: done: 1 item read, nothing written\n"


@pytest.mark.usefixtures("vault")
def test_the_folder_that_was_backed_up_gets_its_files_back(call: "Call", here: Path) -> None:
    done = call("restore", "nightly.yaml", "--to", "cloud", "--source", "vault")
    assert done.status == 0
    assert files(here / "calendars") == {"family/lunch.ics"}


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize("name", ["concert", "family/concert.ics"])
def test_one_event_comes_back_by_its_uid_or_place(call: "Call", here: Path, name: str) -> None:
    done = call("restore", "nightly.yaml", "--to", "./out", "--as-of", BEFORE, "--uid", name)
    assert done.status == 0
    assert "+ cloud/family: Concert (Fri 8 May 2026, 10:00 UTC)\n" in done.out
    assert files(here / "out") == {"cloud/family/concert.ics"}


@pytest.mark.usefixtures("vault")
def test_an_event_comes_back_by_what_it_says(call: "Call", here: Path) -> None:
    done = call("restore", "nightly.yaml", "--to", "./out", "--as-of", BEFORE, "--text", "CONC")
    assert done.status == 0
    assert files(here / "out") == {"cloud/family/concert.ics"}


@pytest.mark.parametrize(
    ("span", "found"),
    [
        (["--from", "2026-05-07", "--until", "2026-05-08"], True),
        (["--from", "2026-05-09"], False),
        (["--until", "2026-05-07"], False),
    ],
)
@pytest.mark.usefixtures("vault")
def test_a_time_span_takes_its_last_day_in(call: "Call", span: list[str], *, found: bool) -> None:
    done = call("restore", "nightly.yaml", "--to", "./out", *span)
    assert done.status == (0 if found else 2)
    assert ("no item takes place" in done.err) is not found


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize("since", ["2026-04-30", "2026-05-01T08:01:30+00:00"])
def test_what_was_deleted_since_comes_back(call: "Call", here: Path, since: str) -> None:
    done = call("restore", "nightly.yaml", "--to", "./out", "--deleted-since", since)
    assert done.status == 0
    assert files(here / "out") == {"cloud/family/concert.ics"}


@pytest.mark.usefixtures("vault")
def test_what_was_deleted_before_does_not_count(call: "Call") -> None:
    since = "2026-05-01T08:02:00+00:00"
    done = call("restore", "nightly.yaml", "--to", "./out", "--deleted-since", since)
    assert done.status == 2
    assert f"nothing that was deleted since {since} fits" in done.err


def test_what_moved_or_was_left_out_was_not_deleted(call: "Call", here: Path, vault: Vault) -> None:
    vault.run(
        calendar_row("work"),
        row("lunch2.ics", event("lunch", "Lunch", hour=12), "work", "lunch"),
        Change(op=Op.GONE, calendar="family", href="lunch.ics"),
        row("secret.ics", event("secret", "Secret")),
    )
    vault.run(Change(op=Op.EXCLUDED, calendar="family", href="secret.ics"))
    done = call("restore", "nightly.yaml", "--to", "./out", "--deleted-since", "2026-04-30")
    assert done.status == 0
    assert files(here / "out") == {"cloud/family/concert.ics"}


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize(
    "words",
    [
        ["--calendar", "family=Old"],
        ["--calendar", "fam*=Old"],
        ["--rename", "family=Old"],
        ["--rename", "Fam*=Old"],
    ],
)
def test_what_was_deleted_comes_back_under_another_name(
    call: "Call", here: Path, words: list[str]
) -> None:
    since = ("--deleted-since", "2026-04-30")
    assert call("restore", "nightly.yaml", "--to", "./out", *since, *words).status == 0
    assert files(here / "out") == {"cloud/Old/concert.ics"}


def test_events_of_a_deleted_calendar_were_deleted(call: "Call", here: Path, vault: Vault) -> None:
    vault.run(Change(op=Op.CALENDAR_GONE, calendar="family"))
    done = call("restore", "nightly.yaml", "--to", "./out", "--deleted-since", "2026-04-30")
    assert done.status == 0
    assert files(here / "out") == {"cloud/family/concert.ics", "cloud/family/lunch.ics"}
    assert (here / "out/cloud/family/displayname").read_text().strip() == "Familie"


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize(
    "words", [["--calendar", "Familie=Old"], ["--calendar", "fam*", "--rename", "Familie=Old"]]
)
def test_a_calendar_comes_back_under_another_name(
    call: "Call", here: Path, words: list[str]
) -> None:
    assert call("restore", "nightly.yaml", "--to", "./out", *words).status == 0
    assert files(here / "out") == {"cloud/Old/lunch.ics"}


@pytest.mark.usefixtures("vault")
def test_a_plan_writes_nothing(call: "Call", here: Path) -> None:
    words = ["restore", "nightly.yaml", "--to", "./out", "--plan"]
    assert call(*words).status == 0
    done = call(*words, "--detailed-exitcode")
    assert done.status == 10
    assert "+ Familie: Lunch (Fri 8 May 2026, 12:00 UTC)\n" in done.out
    assert not (here / "out").exists()


@pytest.mark.usefixtures("vault")
def test_a_named_event_wins_over_what_is_there(call: "Call", here: Path) -> None:
    lunch = here / "out/cloud/family/lunch.ics"
    words = ["restore", "nightly.yaml", "--to", "./out", "--as-of"]
    assert call(*words, "latest").status == 0
    newest = lunch.read_bytes()
    # Neither says that it is newer.
    assert call(*words, BEFORE).status == 0
    assert lunch.read_bytes() == newest
    assert call(*words, BEFORE, "--uid", "lunch", "--on-conflict", "newest").status == 0
    assert lunch.read_bytes() == newest
    assert call(*words, BEFORE, "--uid", "lunch").status == 0
    assert lunch.read_bytes() == event("lunch", "Lunch")


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize(
    ("words", "message", "mend"),
    [
        (["--uid", "concert"], "no item is called concert", "the last snapshot that has one: --as"),
        (["--text", "Concert"], 'no item says "Concert"', "the last snapshot that has one: --as-"),
        (["--uid", "nobody"], "no item is called nobody", "it holds 1 item: `caldav-run show"),
        (["--uid", "lunch", "--uid", "nobody"], "no item is called nobody in", "it holds 1 item"),
        (["--uid", "lunch", "--uid", "concert"], "no item is called concert in", "the last snap"),
        (
            ["--deleted-since", "2026-04-30", "--uid", "concert", "--uid", "nobody"],
            "nothing that was deleted since 2026-04-30 is called nobody",
            "`caldav-run find --deleted` shows",
        ),
        (["--calendar", "work"], "no calendar of the snapshot is called work", "it has: Familie"),
        (["--rename", "work=a"], "no calendar of the snapshot is called work", "it has: Familie"),
        (
            ["--deleted-since", "2026-04-30", "--rename", "familly=Old"],
            "no calendar of cloud was ever called familly",
            "`caldav-run find --deleted` shows",
        ),
        (["--rename", "work"], '--rename "work" has no new name', "write --rename OLD=NEW"),
        (["--as-of", "latest~9"], "there is no snapshot latest~9", ""),
        (["--account", "home"], "there is no account 'home'", ""),
        (["--source", "cave"], 'has no repository "cave"', "choose one with --source: vault"),
        (["--on-conflict", "x"], "--on-conflict x is nothing for", "choose: newest, keep_source"),
        (["--scheduling", "allow"], "--scheduling allow is nothing for", "leave --scheduling out"),
        (["--text", " "], "--text is empty", ""),
        (["--text", ""], "--text is empty", ""),
        (["--from", ""], "--from and --until:", "write a date (2026-05-01)"),
        (["--deleted-since", ""], '"" is no time', "give a date (2026-05-01)"),
        (["--as-of", ""], "there is no snapshot", "give latest"),
        (["--from", "soon"], "--from and --until:", "write a date (2026-05-01)"),
        (["--as-of", "latest", "--deleted-since", "today"], "--as-of and --deleted-since", ""),
    ],
)
def test_what_is_not_there_is_said_with_what_is(
    call: "Call", here: Path, words: list[str], message: str, mend: str
) -> None:
    done = call("restore", "nightly.yaml", "--to", "./out", *words)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert mend in done.err
    assert not (here / "out").exists()


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize(
    ("to", "message", "folder"),
    [
        ("vault", '"vault" is a repository', "calendars"),
        ("./repository", '"./repository" is a repository', "calendars"),
        ("moon", '"moon" is neither a sink nor a source', "moon"),
        ("", '"" is neither a sink nor a source', "calendars"),
    ],
)
def test_a_destination_that_is_none_is_told_what_there_is(
    call: "Call", to: str, message: str, folder: str
) -> None:
    done = call("restore", "nightly.yaml", "--to", to)
    assert done.status == 2
    assert message in done.err
    assert f"choose: cloud, or a folder such as ./{folder}" in done.err


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{type: ics, path: all.ics}", "reads one file"),
        ("{type: ics, url: https://example.org/all.ics}", "reads one file"),
        ('{type: ics, path: "my calendars"}', 'no sink writes into a folder that is called "my'),
    ],
)
def test_a_source_that_nothing_can_be_written_into_is_none(
    call: "Call", here: Path, source: str, message: str
) -> None:
    text = (here / "nightly.yaml").read_text()
    (here / "nightly.yaml").write_text(text.replace("{type: ics, path: calendars}", source))
    done = call("restore", "nightly.yaml", "--to", "cloud")
    assert done.status == 2
    assert message in done.err


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize("answer", [True, False])
def test_who_sits_at_a_terminal_is_asked(
    call: "Call", here: Path, monkeypatch: pytest.MonkeyPatch, *, answer: bool
) -> None:
    monkeypatch.setattr(restore_verb, "at_terminal", lambda: True)
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: answer)
    done = call("restore", "nightly.yaml", "--to", "./out")
    assert done.status == (0 if answer else 2)
    assert "+ Familie: Lunch (Fri 8 May 2026, 12:00 UTC)\n" in done.out
    assert (here / "out").exists() is answer


@pytest.mark.usefixtures("vault")
def test_nobody_is_asked_when_there_is_nothing_to_do(
    call: "Call", monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("restore", "nightly.yaml", "--to", "./out", "--yes").status == 0
    monkeypatch.setattr(restore_verb, "at_terminal", lambda: True)
    assert call("restore", "nightly.yaml", "--to", "./out").status == 0


def test_a_pipeline_without_a_repository_has_nothing_to_give(call: "Call", here: Path) -> None:
    (here / "plain.yaml").write_text(
        "version: 1\nname: plain\nsources: {a: {type: ics, path: a}}\n"
        "sinks: {b: {type: ics, path: b}}\n"
    )
    done = call("restore", "plain.yaml", "--to", "b")
    assert done.status == 2
    assert "plain.yaml has no sink or source of type snapshot" in done.err


def test_a_damaged_item_is_told_and_the_rest_comes_back(
    call: "Call", here: Path, vault: Vault
) -> None:
    packs = set(vault.packs())
    vault.run(row("dinner.ics", event("dinner", "Dinner")))
    for name in set(vault.packs()) - packs:
        (vault.root / name).write_bytes(b"")
    done = call("restore", "nightly.yaml", "--to", "./out", "--from", "2026-05-01")
    assert done.status == 3
    assert "family/dinner.ics" in done.err
    assert files(here / "out") == {"cloud/family/lunch.ics"}


@pytest.mark.usefixtures("vault")
def test_a_source_that_reads_an_old_snapshot_gives_that_one(call: "Call", here: Path) -> None:
    (here / "may.yaml").write_text(
        "version: 1\nname: may\n"
        f"sources: {{old: {{type: snapshot, repository: repository, as_of: {BEFORE}}}}}\n"
        "sinks: {plain: {type: ics, path: plain}}\n"
    )
    assert call("restore", "may.yaml", "--to", "plain").status == 0
    assert files(here / "plain") == {"cloud/family/lunch.ics", "cloud/family/concert.ics"}
    assert call("restore", "may.yaml", "--to", "./now", "--as-of", "latest").status == 0
    assert files(here / "now") == {"cloud/family/lunch.ics"}
