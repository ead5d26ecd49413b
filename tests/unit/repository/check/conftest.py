"""Vaults to be harmed, and what the checks say of them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from caldav_run.repository import segment
from caldav_run.repository.check.deep import check_deep
from caldav_run.repository.check.findings import Finding, Severity
from caldav_run.repository.check.inventory import inventory
from caldav_run.repository.check.known import check_known
from caldav_run.repository.check.structure import check_structure
from caldav_run.repository.keys import IDENTITY, load_keyring
from caldav_run.repository.sshsig import Signer
from caldav_run.repository.tombstone import Reason, Tombstone, build
from caldav_run.testing.vault import Vault, added

Check = Callable[..., list[Finding]]


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """Two snapshots of one account."""
    vault = Vault(tmp_path)
    vault.fill()
    vault.run(added("c"))
    return vault


@pytest.fixture
def short_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every third segment a cumulative one."""
    monkeypatch.setattr(segment, "CUMULATIVE_EVERY", 3)
    monkeypatch.setattr("caldav_run.repository.account.CUMULATIVE_EVERY", 3)
    monkeypatch.setattr("caldav_run.repository.check.generations.CUMULATIVE_EVERY", 3)


def structure(vault: Vault, after: timedelta = timedelta(minutes=1)) -> list[Finding]:
    """Check level 1, some time after the last run."""
    return check_structure(vault.local.list(), vault.clock.now + after)


def known(vault: Vault) -> list[Finding]:
    """Check level 0."""
    return list(check_known(vault.local, inventory(vault.local.list()), vault.writer))


def deep(vault: Vault, *trust: str) -> list[Finding]:
    """Check level 3."""
    keyring = load_keyring([vault.keys / IDENTITY], trust)
    return list(check_deep(vault.local, keyring, inventory(vault.local.list())))


def bad(findings: list[Finding]) -> list[Finding]:
    """Return the findings that are not only worth knowing."""
    return [each for each in findings if each.severity is not Severity.NOTE]


def bury(vault: Vault, signer: Signer) -> str:
    """Put a tombstone on the newest generation, and return its name."""
    told = Tombstone(
        repository=vault.reader().repository,
        generation=vault.segments()[-1].generation,
        time=vault.clock.now,
        reason=Reason.EXPIRED,
    )
    name, stored = build(told, signer)
    vault.local.put(name, stored)
    return name
