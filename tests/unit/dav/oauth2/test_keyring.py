"""Tokens in the desktop's keyring, played by one in memory."""

import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

from caldav_run.dav.oauth2.grant import Grant
from caldav_run.dav.oauth2.store import KeyringStore
from caldav_run.errors import SetupError, TemporaryError

GRANT = Grant(access="access-1", refresh="refresh-1", expires_at=7.0, lifetime_s=3600.0)


class InMemory(KeyringBackend):
    """A keyring that forgets all when the test ends."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self._open()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._open()
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("no such entry")

    def _open(self) -> None:
        if self.locked:
            raise KeyringLocked("its words, which may hold anything")


@pytest.fixture
def backend() -> Iterator[InMemory]:
    before, made = keyring.get_keyring(), InMemory()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def store(backend: InMemory, tmp_path: Path) -> KeyringStore:
    del backend
    return KeyringStore("a1b2", tmp_path / "tokens")


def test_what_is_saved_is_loaded_again(store: KeyringStore, backend: InMemory) -> None:
    assert store.load() is None
    store.save(GRANT)
    assert store.load() == GRANT
    assert list(backend.kept) == [("caldav-run", "a1b2")]


def test_what_is_deleted_is_gone_and_may_be_deleted_again(store: KeyringStore) -> None:
    store.save(GRANT)
    store.delete()
    store.delete()
    assert store.load() is None


def test_a_damaged_entry_says_to_log_in_again(store: KeyringStore, backend: InMemory) -> None:
    backend.kept["caldav-run", "a1b2"] = "{"
    with pytest.raises(SetupError, match="the keyring, caldav-run a1b2 is damaged; log in again"):
        store.load()


def test_a_locked_keyring_is_told_without_its_words(store: KeyringStore, backend: InMemory) -> None:
    backend.locked = True
    for use in (store.load, store.delete, lambda: store.save(GRANT)):
        with pytest.raises(SetupError, match="KeyringLocked; unlock it") as caught:
            use()
        assert "anything" not in str(caught.value)


def test_without_the_library_it_is_said_what_to_install(
    store: KeyringStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(SetupError, match=r"pip install 'caldav-run\[keyring\]'"):
        store.load()


def test_its_lock_is_a_file_of_this_machine(
    store: KeyringStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caldav_run.dav.oauth2.store.LOCK_LIMIT_S", 0.0)
    with store.lock(), pytest.raises(TemporaryError, match="another run"), store.lock():
        pass
    with store.lock():
        assert (store.folder / "a1b2.lock").exists()
