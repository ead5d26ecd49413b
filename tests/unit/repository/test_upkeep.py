from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from caldav_run.errors import AccessError
from caldav_run.repository.names import RUNS
from caldav_run.repository.retention import Keep
from caldav_run.repository.upkeep import after_run
from caldav_run.testing.clocked import ClockedStore
from caldav_run.testing.vault import START, Vault

KEEP = Keep(within=timedelta(days=1), min_generations=1, auto=True)
LATER = datetime(2028, 1, 1, tzinfo=UTC)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """Two full backups and something new."""
    made = Vault(tmp_path)
    for _ in range(2):
        made.clock.forward(days=100)
        made.fill()
    return made


def now() -> datetime:
    return LATER


def store_of(vault: Vault) -> ClockedStore:
    store = ClockedStore(vault.local, now)
    store.stored = {each.name: START for each in vault.local.list()}
    store.put(f"{RUNS}tonight", b"")
    return store


def test_trouble_is_told_and_no_failure(vault: Vault, caplog: pytest.LogCaptureFixture) -> None:
    (vault.root / "format.json").unlink()
    after_run(store_of(vault), vault.writer, KEEP, now)
    assert "nothing expires in" in caplog.text


def test_nothing_ripe_is_no_work(vault: Vault, caplog: pytest.LogCaptureFixture) -> None:
    after_run(vault.local, vault.writer, KEEP, vault.clock)
    assert caplog.text == ""


def test_what_is_old_but_needed_is_not_worth_a_word(
    vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    keep = Keep(within=timedelta(days=1), min_generations=2)
    after_run(store_of(vault), vault.writer, keep, now)
    assert caplog.text == ""


def test_a_damaged_successor_is_told(vault: Vault, caplog: pytest.LogCaptureFixture) -> None:
    last = vault.generations()[1]
    pack = next(name for name in last.sizes if "/pack-" in name)
    (vault.root / pack).write_bytes(bytes(last.sizes[pack]))
    after_run(store_of(vault), vault.writer, KEEP, now)
    assert "stays: its successor is damaged" in caplog.text


def test_a_store_that_refuses_is_told(vault: Vault, caplog: pytest.LogCaptureFixture) -> None:
    class Refusing(ClockedStore):
        def put(self, name: str, data: bytes) -> None:
            raise AccessError(f"no room for {len(data)} bytes at {name}")

    refusing = Refusing(vault.local, now)
    refusing.stored = store_of(vault).stored
    after_run(refusing, vault.writer, KEEP, now)
    assert "cannot mark" in caplog.text


def test_a_tombstone_that_cannot_be_believed_is_told(
    vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    store = store_of(vault)
    store.put(vault.generations()[1].name.tombstone(START, "0" * 64), b"")
    after_run(store, vault.writer, KEEP, now)
    assert "a tombstone is ignored" in caplog.text


def test_nothing_is_looked_for_where_everything_is_kept(
    vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    (vault.root / "format.json").unlink()
    after_run(store_of(vault), vault.writer, Keep(), now)
    assert caplog.text == ""


def test_what_has_expired_is_told_where_a_run_deletes_nothing(
    vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    after_run(store_of(vault), vault.writer, Keep(within=KEEP.within, min_generations=1), now)
    assert "1 full backups in" in caplog.text
    assert not any(each.tombstones for each in vault.generations())
