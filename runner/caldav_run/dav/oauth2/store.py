"""Where tokens are kept: a file that nobody else may read, or the desktop's keyring."""

import fcntl
import json
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from caldav_run.dav.oauth2.grant import Grant
from caldav_run.errors import SetupError, TemporaryError

_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600
_SERVICE: Final = "caldav-run"
_DAMAGED_MEND: Final = "log in again with caldav-run login"
_POLL_S: Final = 0.05
LOCK_LIMIT_S: Final = 150.0
"""Longer than one renewal takes with its timeouts and its second try."""


class DamagedLoginError(SetupError):
    """What is kept is no login; a new one mends it."""


class Store(Protocol):
    """Keeps the tokens of one login."""

    @property
    def place(self) -> str:
        """Where they are, for messages."""

    def load(self) -> Grant | None:
        """Return what is kept.

        Raises:
            SetupError: It cannot be read.
        """

    def save(self, grant: Grant) -> None:
        """Keep these from now on, all or nothing.

        Raises:
            SetupError: They could not be kept; what was kept before still is.
        """

    def delete(self) -> None:
        """Keep nothing any more."""

    def lock(self) -> "Lock":
        """Return what keeps two runs from renewing at the same time."""


@dataclass(frozen=True, slots=True)
class FileStore:
    """A JSON file of mode 0600 in a folder of mode 0700.

    Attributes:
        path: The file.
    """

    path: Path

    @property
    def place(self) -> str:
        """Where they are, for messages."""
        return str(self.path)

    def load(self) -> Grant | None:
        """Return what is kept."""
        try:
            with self.path.open(encoding="utf-8") as file:
                if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & ~_PRIVATE_FILE:
                    os.fchmod(file.fileno(), _PRIVATE_FILE)
                return _read(file.read(), self.place)
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise DamagedLoginError(
                f"cannot read the login in {self.path}: it is no text", mend=_DAMAGED_MEND
            ) from None
        except OSError as error:
            raise SetupError(f"cannot read the login in {self.path}: {error.strerror}") from error

    def save(self, grant: Grant) -> None:
        """Keep these from now on, all or nothing."""
        with _writing(self.path):
            _make(self.path.parent)
            temporary = self.path.with_name(f".tmp-{secrets.token_hex(8)}")
            try:
                _write(temporary, json.dumps({"version": 1, **grant.document()}))
                temporary.replace(self.path)
            finally:
                temporary.unlink(missing_ok=True)
            _sync(self.path.parent)

    def delete(self) -> None:
        """Keep nothing any more."""
        with _writing(self.path):
            self.path.unlink(missing_ok=True)

    def lock(self) -> "Lock":
        """Return what keeps two runs from renewing at the same time."""
        return Lock(self.path.with_suffix(".lock"))


@dataclass(frozen=True, slots=True)
class KeyringStore:
    """An entry of the desktop's keyring.

    Attributes:
        key: The entry's user name.
        folder: Where its lock lies.
    """

    key: str
    folder: Path

    @property
    def place(self) -> str:
        """Where they are, for messages."""
        return f"the keyring, {_SERVICE} {self.key}"

    def load(self) -> Grant | None:
        """Return what is kept."""
        with _keyring() as keyring:
            text = keyring.get_password(_SERVICE, self.key)
        return _read(text, self.place) if text else None

    def save(self, grant: Grant) -> None:
        """Keep these from now on, all or nothing."""
        with _keyring() as keyring:
            keyring.set_password(_SERVICE, self.key, json.dumps({"version": 1, **grant.document()}))

    def delete(self) -> None:
        """Keep nothing any more."""
        with _keyring() as keyring, suppress(keyring.errors.PasswordDeleteError):
            keyring.delete_password(_SERVICE, self.key)

    def lock(self) -> "Lock":
        """Return what keeps two runs from renewing at the same time."""
        return Lock(self.folder / f"{self.key}.lock")


class Lock:
    """Held by one run of this machine at a time; let go when the process ends, however it does.

    Args:
        path: Its file, which stays.
    """

    def __init__(self, path: Path) -> None:
        """Take nothing yet."""
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> None:
        """Wait for it.

        Raises:
            TemporaryError: Another run does not let go.
            SetupError: There is nowhere to put it.
        """
        with _writing(self._path):
            _make(self._path.parent)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, _PRIVATE_FILE)
        limit = time.monotonic() + LOCK_LIMIT_S
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > limit:
                    self.__exit__()
                    raise TemporaryError(
                        "another run is renewing the login and does not end",
                        mend="see which process holds it: fuser " + str(self._path),
                    ) from None
                time.sleep(_POLL_S)
            else:
                return

    def __exit__(self, *_: object) -> None:
        """Let go."""
        os.close(self._descriptor)
        self._descriptor = -1


def intact(store: Store) -> Grant | None:
    """Return what is kept; None also where it is damaged.

    Raises:
        SetupError: It cannot be read.
    """
    try:
        return store.load()
    except DamagedLoginError:
        return None


def _read(text: str, place: str) -> Grant:
    try:
        return Grant.of_document(json.loads(text))
    except (ValueError, SetupError):
        raise DamagedLoginError(f"the login in {place} is damaged", mend=_DAMAGED_MEND) from None


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SetupError(
            f"cannot keep the login in {path}: {error.strerror}",
            mend="make room, or name another folder in CALDAV_RUN_CONFIG_DIR",
        ) from error


@contextmanager
def _keyring() -> Iterator[Any]:
    try:
        import keyring
    except ImportError:
        raise SetupError(
            "the keyring is not installed", mend="pip install 'caldav-run[keyring]'"
        ) from None
    try:
        yield keyring
    except keyring.errors.KeyringError as error:
        # Its words may hold anything; its kind says enough.
        raise SetupError(
            f"the keyring cannot be used for the login: {type(error).__name__}",
            mend="unlock it, or write token_store: file",
        ) from None


def _make(folder: Path) -> None:
    # What lies above is the user's own, with the user's own mode.
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)


def _write(path: Path, text: str) -> None:
    # The mode is given at creation: nobody may read the file for an instant either.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
