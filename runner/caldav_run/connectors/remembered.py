"""Where an account's calendars were found last time, so that a run need not look for them again."""

import hashlib
import json
import os
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

from caldav_run.dav.connection import Connection
from caldav_run.dav.discovery import Account
from caldav_run.dav.settings import Settings

_VERSION: Final = 1
_LIFETIME: Final = timedelta(days=7)
_PRIVATE: Final = 0o600


class Remembered:
    """A small file in the state folder; safe to lose, and never believed against the server."""

    def __init__(self, path: Path, settings: Settings, now: datetime) -> None:
        """Take where the file is; it need not be there."""
        self._path = path
        self._settings = settings
        self._now = now

    @classmethod
    def of(cls, settings: Settings, state_dir: Path, now: datetime) -> Self:
        """Return what is remembered of the account that these settings lead to."""
        asked = json.dumps([settings.url, settings.username])
        name = hashlib.sha256(asked.encode()).hexdigest()[:32]
        return cls(state_dir / "accounts" / f"{name}.json", settings, now)

    def account(self) -> Account | None:
        """Return the account as it was found not long ago, without asking anybody."""
        try:
            return self._account(json.loads(self._path.read_bytes()))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def keep(self, account: Account) -> None:
        """Remember where an account's calendars are."""
        if account.single is not None:
            return
        found = {
            "version": _VERSION,
            "found": self._now.isoformat(),
            "base": account.connection.base,
            "identity": account.identity,
            "homes": account.homes,
        }
        # Without it the next run looks again.
        with suppress(OSError):
            self._write(json.dumps(found))

    def forget(self) -> None:
        """Have the next run look for the calendars again."""
        with suppress(OSError):
            self._path.unlink()

    def _account(self, found: dict[str, Any]) -> Account | None:
        age = self._now - datetime.fromisoformat(found["found"])
        base, identity, *homes = map(str, (found["base"], found["identity"], *found["homes"]))
        usable = found["version"] == _VERSION and timedelta(0) <= age < _LIFETIME and homes
        # Only a bare host leads elsewhere; else the password goes where the user sends it.
        if not usable or (not self._settings.bare and base != self._settings.base):
            return None
        return Account(Connection(self._settings, base), identity, tuple(homes))

    def _write(self, text: str) -> None:
        for folder in (self._path.parent.parent, self._path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self._path.with_name(f".tmp-{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT, _PRIVATE), "w") as file:
                file.write(text)
            temporary.replace(self._path)
        finally:
            temporary.unlink(missing_ok=True)
