"""A run asks the store for no more than the budget allows."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from caldav_run.repository import create
from caldav_run.repository.store import Store, Stored
from caldav_run.testing.vault import START, Vault, added, calendar_row


class CountingStore:
    """Counts what another store is asked for."""

    def __init__(self, store: Store, asked: Counter[str]) -> None:
        self._store = store
        self._asked = asked
        self.location = store.location

    def list(self, prefix: str = "", after: str = "") -> Iterator[Stored]:
        self._asked["LIST"] += 1
        return self._store.list(prefix, after)

    def get(self, name: str) -> bytes:
        self._asked[f"GET {name}" if name == "format.json" else "GET"] += 1
        return self._store.get(name)

    def put(self, name: str, data: bytes) -> None:
        self._asked["PUT"] += 1
        self._store.put(name, data)

    def delete(self, name: str) -> None:
        self._asked["DELETE"] += 1
        self._store.delete(name)


Counted = Callable[..., dict[str, int]]


@pytest.fixture
def asked() -> Counter[str]:
    return Counter()


@pytest.fixture
def vault(tmp_path: Path, asked: Counter[str]) -> Vault:
    return Vault(tmp_path, wrap=lambda store: CountingStore(store, asked))


@pytest.fixture
def counted(vault: Vault, asked: Counter[str]) -> Counted:
    def run(*changes: object) -> dict[str, int]:
        """Back up, and return what that asked for."""
        asked.clear()
        vault.run(*changes)  # type: ignore[arg-type]
        return dict(asked)

    return run


ONE_CHANGE = {"LIST": 1, "GET format.json": 1, "PUT": 3}


def test_making_a_repository_lists_once_and_stores_two_objects(
    vault: Vault, tmp_path: Path, asked: Counter[str]
) -> None:
    store = CountingStore(type(vault.local)(tmp_path / "other"), asked)
    create.create(store, vault.recipients, vault.writer, START)
    assert asked == {"LIST": 1, "PUT": 2, "GET format.json": 1}


def test_a_backup_stores_a_pack_a_segment_and_a_record(counted: Counted) -> None:
    assert counted(calendar_row("family"), *map(added, "abc")) == ONE_CHANGE
    assert counted(added("d")) == ONE_CHANGE
    assert counted(*(added(f"e{number}") for number in range(80))) == ONE_CHANGE


def test_nothing_changed_stores_a_record_only(counted: Counted) -> None:
    counted(calendar_row("family"), added("a"))
    assert counted() == {"LIST": 1, "GET format.json": 1, "PUT": 1}


def test_a_machine_without_its_cache_reads_what_it_lacks_once(
    vault: Vault, counted: Counted
) -> None:
    counted(calendar_row("family"), added("a"))
    counted(added("b"))
    vault.forget()
    # Base and the segment after it, by the writer's own key.
    assert counted(added("c")) == ONE_CHANGE | {"GET": 2}
    assert counted(added("d")) == ONE_CHANGE


def test_a_restore_after_the_first_backup_reads_four_objects_at_most(
    vault: Vault, counted: Counted, asked: Counter[str]
) -> None:
    counted(calendar_row("family"), *map(added, "abc"))
    asked.clear()
    assert len(vault.held()) == 3
    assert asked["LIST"] <= 2
    assert asked["GET"] + asked["GET format.json"] <= 4
    assert set(asked) == {"LIST", "GET", "GET format.json"}
