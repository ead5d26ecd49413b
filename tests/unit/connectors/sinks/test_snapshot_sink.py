import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from caldav_run.connectors.sinks.snapshot import SnapshotSink
from caldav_run.errors import SetupError
from caldav_run.repository import keys
from caldav_run.testing.contracts import context
from caldav_run.testing.vault import Vault, added, calendar_row


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


def sink(vault: Vault, *, adopt_origin: bool = False, **options: Any) -> SnapshotSink:
    given = {
        "repository": str(vault.root),
        "recipients": [{"file": str(vault.keys / keys.RECIPIENTS)}, *vault.recipients],
        "signer": {"file": str(vault.keys / keys.WRITER)},
        **options,
    }
    return SnapshotSink.from_options(
        given, replace(context(vault.state), adopt_origin=adopt_origin)
    )


def run(made: SnapshotSink, origin: str = "home") -> str | None:
    account = made.open_account("cloud", origin)
    for change in (calendar_row("family"), added("a")):
        account.append(change)
    committed = account.commit("f", guarded=False)
    made.close({"cloud": "ok"})
    return committed.snapshot


def test_options_are_enough_for_a_snapshot(vault: Vault) -> None:
    assert run(sink(vault)) == vault.reader().resolve("latest").id
    assert set(vault.held()) == {("family", "a.ics")}


@pytest.mark.parametrize(("text", "days"), [("7d", 7), ("2w", 14), ("3m", 90), ("1y", 365)])
def test_the_age_of_a_full_backup_is_given_in_units(vault: Vault, text: str, days: int) -> None:
    assert sink(vault, full_every=text)._settings.full_every.days == days


def test_an_account_can_be_adopted(vault: Vault) -> None:
    run(sink(vault))
    with pytest.raises(SetupError, match="--adopt-origin"):
        run(sink(vault), "elsewhere")
    assert run(sink(vault, adopt_origin=True), "elsewhere")


def test_a_missing_signer_is_said_when_the_run_needs_it(vault: Vault) -> None:
    made = sink(vault, signer={"file": str(vault.folder / "none.key")})
    with pytest.raises(SetupError, match=r"none\.key"):
        made.open_account("cloud", "home")
    made.close({})


def test_a_wrong_recipient_is_said_when_the_run_needs_it(vault: Vault) -> None:
    with pytest.raises(SetupError, match="is no age recipient"):
        sink(vault, recipients=["age1wrong"]).open_account("cloud", "home")


KEEP = {"within": "1d", "min_generations": 1, "auto": True}


@pytest.fixture
def old(vault: Vault) -> Vault:
    """Two full backups, both a year old."""
    for _ in range(2):
        vault.clock.forward(days=100)
        vault.fill()
    for each in vault.local.list():
        os.utime(vault.root / each.name, (0, 0))
    return vault


def end(made: SnapshotSink, *, words: str = "ok", guarded: bool = False) -> None:
    made.open_account("cloud", "home").commit("f", guarded=guarded)
    made.close({"cloud": words})


def marked(vault: Vault) -> int:
    return sum(len(each.tombstones) for each in vault.generations())


def test_a_good_run_expires_where_the_pipeline_says_so(
    old: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "caldav_run")
    end(sink(old, keep=KEEP))
    assert marked(old) == 1
    assert f"expiry: mark: {old.generations()[0].name.name}" in caplog.text


def test_a_run_only_says_what_has_expired_unless_told_otherwise(
    old: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    end(sink(old, keep={**KEEP, "auto": False}))
    assert marked(old) == 0
    assert "1 full backups in" in caplog.text
    assert "caldav-run expire" in caplog.text


@pytest.mark.parametrize("words", ["guarded", "failed: no answer", "skipped"])
def test_a_run_that_did_not_go_well_expires_nothing(old: Vault, words: str) -> None:
    end(sink(old, keep=KEEP), words=words)
    assert marked(old) == 0


def test_a_run_whose_commit_failed_or_another_account_expires_nothing(old: Vault) -> None:
    made = sink(old, keep=KEEP)
    made.open_account("cloud", "home").abandon()
    made.close({"cloud": "ok"})
    made = sink(old, keep=KEEP)
    made.open_account("cloud", "home").commit("f", guarded=False)
    made.close({"cloud": "ok", "work": "ok"})
    assert marked(old) == 0


def test_a_run_that_keeps_everything_looks_for_nothing(old: Vault) -> None:
    end(sink(old))
    assert marked(old) == 0
    assert {each.why for each in sink(old).look_for_expired(old.clock).verdicts} == {
        "everything is kept"
    }
