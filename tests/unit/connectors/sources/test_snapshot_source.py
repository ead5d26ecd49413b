from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from caldav_run import shelf
from caldav_run.connectors.sources.snapshot import SnapshotSource
from caldav_run.errors import ConnectorError, DamageError, SetupError
from caldav_run.model import (
    CalendarDone,
    CalendarExcluded,
    CalendarStart,
    Changed,
    Failed,
    Op,
    Unchanged,
)
from caldav_run.repository import bundles, keys
from caldav_run.secret import Secret
from caldav_run.testing.contracts import context
from caldav_run.testing.contracts.sources import Held
from caldav_run.testing.vault import Vault, about, added, calendar_row


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


def source(vault: Vault, **options: Any) -> SnapshotSource:
    surroundings = replace(context(vault.folder), identities=(vault.keys / keys.IDENTITY,))
    return SnapshotSource.from_options({"repository": str(vault.root), **options}, surroundings)


def test_the_etag_of_an_item_is_its_hash(vault: Vault) -> None:
    vault.fill()
    first = [each for each in source(vault).read(Held()) if isinstance(each, Changed)]
    assert [each.item.etag for each in first] == [f'"{each.item.sha256}"' for each in first]
    second = list(source(vault).read(Held(each.item for each in first)))
    assert [type(each) for each in second] == [CalendarStart, Unchanged, Unchanged, CalendarDone]


def test_a_snapshot_is_read_as_of_a_time(vault: Vault) -> None:
    vault.fill()
    then = vault.clock.now
    vault.run(about(Op.GONE, "a"), about(Op.GONE, "b"))
    changed = [each for each in source(vault).read(Held()) if isinstance(each, Changed)]
    assert changed == []
    old = source(vault, as_of=then.isoformat(), account="cloud")
    assert len([each for each in old.read(Held()) if isinstance(each, Changed)]) == 2


def test_a_day_ends_in_the_pipelines_time_zone(vault: Vault) -> None:
    vault.fill()
    vault.clock.forward(hours=3)
    vault.run(added("c"))
    # It is 1 May until 10:00 UTC there, and the second snapshot is of 11:02.
    there = replace(
        context(vault.folder),
        identities=(vault.keys / keys.IDENTITY,),
        timezone=ZoneInfo("Pacific/Kiritimati"),
    )
    for as_of, items in (("2026-05-01", 2), ("2026-05-02", 3)):
        options = {"repository": str(vault.root), "as_of": as_of}
        readings = SnapshotSource.from_options(options, there).read(Held())
        assert len([each for each in readings if isinstance(each, Changed)]) == items


def test_a_calendar_that_was_not_read_is_not_called_done(vault: Vault) -> None:
    vault.fill()
    vault.run(about(Op.UNREAD, None, reason="503"))
    readings = list(source(vault).read(Held()))
    assert readings[-1] == Failed("family", None, "the backup could not read it: 503")
    stale = [each.item.stale_since for each in readings if isinstance(each, Changed)]
    assert all(stale)


def test_a_calendar_of_which_a_filter_left_something_out_says_so(vault: Vault) -> None:
    vault.run(calendar_row("family"), calendar_row("work"), added("a"), added("b", calendar="work"))
    vault.run(about(Op.EXCLUDED, "c"))
    ends = [each for each in source(vault).read(Held()) if isinstance(each, CalendarDone)]
    assert ends == [CalendarDone("family", filtered=True), CalendarDone("work")]


def test_calendars_that_were_left_out_are_named(vault: Vault) -> None:
    vault.run(calendar_row("family"), about(Op.EXCLUDED, None, "work"), added("a"))
    names = [
        each.calendar.id
        for each in source(vault, calendars=["x*"]).read(Held())
        if isinstance(each, CalendarExcluded)
    ]
    assert names == ["family", "work"]


def test_what_belongs_to_the_account_is_given_whatever_calendars_are_chosen(vault: Vault) -> None:
    vault.run(calendar_row(shelf.ACCOUNT), calendar_row("family"))
    found = list(source(vault, calendars=["x*"]).read(Held()))
    left = [each.calendar.id for each in found if isinstance(each, CalendarExcluded)]
    given = [each.calendar.id for each in found if isinstance(each, CalendarStart)]
    assert (given, left) == ([shelf.ACCOUNT], ["family"])


def test_a_lost_pack_costs_its_items_only(vault: Vault) -> None:
    vault.fill()
    (vault.root / vault.packs()[0]).unlink()
    readings = list(source(vault).read(Held()))
    assert [type(each) for each in readings] == [CalendarStart, Failed, Failed, CalendarDone]


@pytest.mark.parametrize("options", [{"account": "other"}, {"as_of": "latest~7"}])
def test_what_the_repository_does_not_hold_is_said(vault: Vault, options: dict[str, str]) -> None:
    vault.fill()
    with pytest.raises(ConnectorError, match=str(vault.root)):
        list(source(vault, **options).read(Held()))


def test_the_origin_is_the_repository_and_the_account(vault: Vault) -> None:
    vault.fill()
    made = source(vault, account="cloud")
    assert made.account == "cloud"
    assert source(vault).account == "contract"
    assert made.origin() == f"snapshot:{vault.reader().repository}:cloud"


def test_a_signer_is_trusted_by_option(vault: Vault) -> None:
    vault.fill()
    path = vault.keys / "plain.txt"
    path.write_text((vault.keys / keys.IDENTITY).read_text().splitlines()[-1])
    identity = {"file": str(path)}
    with pytest.raises(SetupError, match="--trust"):
        list(source(vault, identity=identity).read(Held()))
    trust = [vault.writer.signer.fingerprint]
    assert list(source(vault, identity=identity, trust=trust).read(Held()))


def test_without_an_identity_file_the_default_one_is_named(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALDAV_RUN_CONFIG_DIR", str(vault.folder / "none"))
    made = SnapshotSource.from_options({"repository": str(vault.root)}, context(vault.folder))
    with pytest.raises(SetupError, match=r"none/identity\.txt"):
        list(made.read(Held()))
    made.close()


def test_a_repository_that_is_not_whole_gives_what_it_has_and_fails(vault: Vault) -> None:
    vault.fill()
    vault.run(added("c"))
    max(vault.root.rglob("seg-*")).unlink()
    readings = source(vault).read(Held())
    seen = list(islice(readings, 4))
    assert [type(each) for each in seen] == [CalendarStart, Changed, Changed, CalendarDone]
    with pytest.raises(DamageError, match="is not whole: the newest snapshot of cloud is missing"):
        next(readings)


def test_a_passphrase_opens_instead_of_an_identity(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.fill()
    monkeypatch.setenv("CALDAV_RUN_CONFIG_DIR", str(vault.folder / "none"))
    text = (vault.keys / keys.IDENTITY).read_text()
    bundles.add(vault.local, text, "seven tame otters knit")
    passphrase = Secret.of("seven tame otters knit")
    options = {"repository": str(vault.root), "passphrase": passphrase}
    made = SnapshotSource.from_options(options, context(vault.folder))
    assert len([each for each in made.read(Held()) if isinstance(each, Changed)]) == 2


def test_an_identity_and_a_passphrase_are_one_too_many(vault: Vault) -> None:
    with pytest.raises(SetupError, match="identity and passphrase both open"):
        source(vault, identity={"file": "i"}, passphrase=Secret.of("x"))
