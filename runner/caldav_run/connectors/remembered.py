"""Where an account's calendars were last time, and how the server is, so that nobody asks again."""

import hashlib
import json
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

from caldav_run.dav.collections import Collection
from caldav_run.dav.connection import Connection
from caldav_run.dav.discovery import Account
from caldav_run.dav.probing import probed
from caldav_run.dav.profiles import UNKNOWN, Profile, Sync
from caldav_run.dav.settings import Settings
from caldav_run.dav.signpost import leads_home

_VERSION: Final = 3
_LIFETIME: Final = timedelta(days=7)
_BLIND_LIFETIME: Final = timedelta(days=1)
"""How long it is believed where no home would tell of another one."""
_PRIVATE: Final = 0o600
_WORST_LAST: Final = (Sync.TRUSTED, Sync.STALE_TOKENS, Sync.NONE)


class Remembered:
    """A small file in the state folder; safe to lose, and never believed against the server."""

    def __init__(self, path: Path, settings: Settings, now: datetime) -> None:
        """Take where the file is; it need not be there."""
        self._path = path
        self._settings = settings
        self._now = now
        self._sync: Sync | None = None
        self._found = self._probed = now
        self._told: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings, state_dir: Path, now: datetime) -> Self:
        """Return what is remembered of the account that these settings lead to."""
        # With the trust: where a host no longer has it, nothing found by it is believed.
        asked = json.dumps([settings.url, settings.username, settings.trust_hosts])
        name = hashlib.sha256(asked.encode()).hexdigest()[:32]
        return cls(state_dir / "accounts" / f"{name}.json", settings, now)

    def account(self) -> Account | None:
        """Return the account as it was found not long ago, without asking anybody."""
        try:
            return self._account(json.loads(self._path.read_bytes()))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def keep(self, account: Account, told: tuple[str, ...]) -> None:
        """Remember where an account's calendars were found just now, and what its server is.

        Args:
            account: The account.
            told: What its homes say of where they are, see `Signpost.told`.
        """
        self._found, self._told = self._now, told
        self._keep(account)

    def agrees(self, told: tuple[str, ...]) -> bool:
        """Return whether the homes say what they said when the account was found."""
        return told == self._told

    def _keep(self, account: Account) -> None:
        found = {
            "version": _VERSION,
            "found": self._found.isoformat(),
            "told": self._told,
            "base": account.connection.base,
            "identity": account.identity,
            # A single calendar is its own place; only its server is remembered.
            "homes": () if account.single else account.homes,
            "principal": account.principal,
            "signs": account.signs,
            "sync": self._sync,
            "probed": self._probed.isoformat(),
        }
        # Without it the next run looks again.
        with suppress(OSError):
            self._write(json.dumps(found))

    def forget(self) -> None:
        """Have the next run look for the calendars again."""
        self._sync = None
        self._found, self._told = self._now, ()
        with suppress(OSError):
            self._path.unlink()

    def profile(self, account: Account, calendars: Iterable[Collection]) -> Profile:
        """Return how to treat a server; one of which nothing is known is probed once in a while.

        Args:
            account: The account, whose connection nobody else uses at the time.
            calendars: Its calendars, one of which may be asked.
        """
        profile = account.profile
        if account.connection.profile is not None:
            return profile
        if self._sync is None and profile.name == UNKNOWN.name:
            self.probe(account, calendars)
        return profile if self._sync is None else corrected(profile, self._sync)

    def probe(self, account: Account, calendars: Iterable[Collection]) -> Sync | None:
        """Ask the server how far its sync-collection goes, and remember the answer."""
        chosen = next((each for each in calendars if each.sync_token is not None), None)
        self._sync = None if chosen is None else probed(account.connection, chosen)
        self._probed = self._now
        if self._sync is not None:
            self._keep(account)
        return self._sync

    def _account(self, found: dict[str, Any]) -> Account | None:
        if found["version"] != _VERSION:
            return None
        probed_at, sync = datetime.fromisoformat(found["probed"]), found["sync"]
        if sync is not None and self._holds(probed_at, _LIFETIME):
            self._sync, self._probed = Sync(sync), probed_at
        when, told = datetime.fromisoformat(found["found"]), tuple(map(str, found["told"]))
        if not self._holds(when, _LIFETIME if leads_home(told) else _BLIND_LIFETIME):
            return None
        self._found, self._told = when, told
        base, identity, *homes = map(str, (found["base"], found["identity"], *found["homes"]))
        principal = found["principal"]
        # Only a bare host leads elsewhere; else the password goes where the user sends it.
        if not homes or (not self._settings.bare and base != self._settings.base):
            return None
        return Account(
            Connection(self._settings, base),
            identity,
            tuple(homes),
            principal=None if principal is None else str(principal),
            signs=str(found["signs"]),
        )

    def _holds(self, since: datetime, lifetime: timedelta) -> bool:
        return timedelta(0) <= self._now - since < lifetime

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


def corrected(profile: Profile, sync: Sync) -> Profile:
    """Return a profile after a probe.

    A probe shows one fault of several: it takes trust away from a server that is known, and gives
    none back.
    """
    if profile.name != UNKNOWN.name:
        sync = max(sync, profile.sync, key=_WORST_LAST.index)
    return profile if sync is profile.sync else profile.with_sync(sync)
