"""What a run with a fault should come to, and what the healthy run after it should."""

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

from tests.integration.faults.account import (
    Account,
    Picture,
    Ran,
    Shown,
    change,
    fill,
)
from tests.integration.faults.places import Place, Strikes

from caldav_run.model import Options
from caldav_run.testing.holding import Holding, Key
from caldav_run.testing.vault import Vault


class When(Enum):
    """Which run a fault strikes.

    Attributes:
        FIRST: The first backup.
        LATER: An incremental one after a healthy one.
        AUDIT: One a week later, which lists all members.
    """

    FIRST = "first"
    LATER = "later"
    AUDIT = "audit"


@dataclass(frozen=True)
class Kept:
    """A vault as it was at some time.

    Attributes:
        folder: A copy of it.
        now: Its clock.
        shown: What its snapshot gives back.
        holding: What its snapshot holds; None where there is none.
    """

    folder: Path
    now: datetime
    shown: Picture
    holding: Holding | None = None

    @classmethod
    def of(cls, account: Account, folder: Path) -> "Kept":
        """Keep a vault as it is."""
        vault = account.vault
        shutil.copytree(vault.folder, folder)
        holding = account.holding() if vault.segments() else None
        return cls(folder, vault.clock.now, account.shown(), holding)

    def back(self, vault: Vault) -> None:
        """Put a vault back to how it was."""
        shutil.rmtree(vault.folder)
        shutil.copytree(self.folder, vault.folder)
        vault.clock.now = self.now


@dataclass(frozen=True)
class Stage:
    """An account that has changed since its last healthy backup.

    Attributes:
        account: The account.
        new: The vault without any snapshot.
        before: The vault after the healthy backup.
        after: The vault after another one, which no fault ever touched.
    """

    account: Account
    new: Kept
    before: Kept
    after: Kept

    @classmethod
    def of(cls, account: Account, folder: Path) -> "Stage":
        """Fill the account, back it up, change it, and back it up again."""
        new = Kept.of(account, folder / "new")
        fill(account.server)
        assert account.back_up().status == 0
        before = Kept.of(account, folder / "before")
        change(account.server)
        assert account.back_up().status == 0
        return cls(account, new, before, Kept.of(account, folder / "after"))

    def strike(self, when: When, fault: Strikes, options: Options | None = None) -> Ran:
        """Run a backup that meets a fault."""
        account = self.account
        self.kept(when).back(account.vault)
        if when is When.AUDIT:
            account.vault.clock.forward(days=8)
        if fault.place is Place.DISCOVERY:
            account.forget_where_it_was()
        account.fault, account.options = fault, options or {}
        ran = account.back_up()
        account.heal()
        return ran

    def kept(self, when: When) -> Kept:
        """Return the vault before a run."""
        return self.new if when is When.FIRST else self.before

    def carried(self, when: When, *unread: str) -> Picture:
        """Return what a snapshot shows of which some could not be read.

        Args:
            when: Which run made it.
            unread: The calendars, and the items as `calendar/name`, that could not be read.
        """
        found: dict[Key, Shown] = {}
        before = self.kept(when)
        for key, known in self.after.shown.items():
            if key[0] not in unread:
                found[key] = Shown(None) if "/".join(key) in unread else known
        for key, known in before.shown.items():
            if key[0] in unread or "/".join(key) in unread:
                found[key] = Shown(known.body, before.now)
        return found

    def assert_heals(self) -> None:
        """Run a healthy backup; it comes to what one comes to that no fault ever touched."""
        ran = self.account.back_up()
        assert ran.status == 0, ran.said
        assert ran.errors == []
        assert self.account.shown() == self.after.shown
        assert self.account.holding() == self.after.holding


def named(ran: Ran, places: Collection[str]) -> bool:
    """Return whether the errors of a run name these places, and nothing else."""
    return len(ran.errors) == len(places) and all(
        any(f"{place}: " in each for each in ran.errors) for place in places
    )
