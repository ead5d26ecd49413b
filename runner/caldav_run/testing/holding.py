"""What a vault holds of one account, in a form that compares with what another vault holds."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from caldav_run.connectors.sinks.snapshot import SnapshotSink
from caldav_run.model import Calendar, Item
from caldav_run.repository import keys
from caldav_run.testing.vault import Vault

Key = tuple[str, str]
"""A calendar's id and an item's href."""


def sink(vault: Vault) -> SnapshotSink:
    """Return a sink for one run into the vault."""
    signer = vault.keys / keys.WRITER
    return SnapshotSink(vault.local, vault.recipients, signer, vault.settings)


@dataclass(frozen=True, slots=True)
class Holding:
    """The latest snapshot of an account.

    Attributes:
        items: The hash of each item's bytes, as read back from its pack.
        excluded: The items that filters left out.
        calendars: The calendars with their properties; not the excluded ones.
    """

    items: Mapping[Key, str]
    excluded: frozenset[Key]
    calendars: Mapping[str, Calendar]

    @classmethod
    def of(cls, vault: Vault, account: str, origin: str) -> Self:
        """Read the latest snapshot, and what the next run would go by."""
        reader = vault.reader()
        latest = reader.resolve("latest", account)
        bodies = reader.bodies(each for each in reader.items(latest) if each.object is not None)
        calendars = (each for each in reader.calendars(latest) if not each.excluded)
        with vault.opened(account, origin) as opened:
            entries = {
                (calendar, href): entry
                for calendar in opened.ledger.calendars()
                for href, entry in opened.ledger.entries(calendar).items()
            }
        return cls(
            {(each.calendar, each.href): each.sha256 for each in bodies if isinstance(each, Item)},
            frozenset(key for key, entry in entries.items() if entry.excluded),
            # A token is of its time: two readings of one state may give two.
            {each.calendar.id: replace(each.calendar, token=None) for each in calendars},
        )
