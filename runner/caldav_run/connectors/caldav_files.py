"""What becomes of managed attachments when their item goes onto a server."""

from collections.abc import Mapping
from functools import cached_property
from typing import Final, NamedTuple

from caldav_run.connectors.mirroring import Order
from caldav_run.dav import attaching
from caldav_run.dav.attaching import File, PutWithFiles
from caldav_run.dav.collections import Collection
from caldav_run.dav.discovery import Account
from caldav_run.dav.writer import Job
from caldav_run.ical.attachments import Managed, inlined, managed, without

_LARGEST: Final = 10_000_000
"""How many bytes an item may have in all with its files in it; few servers take more."""


class Packed(NamedTuple):
    """An item as it is sent.

    Attributes:
        body: Its bytes.
        files: What is to be attached to it afterwards.
        notes: What a person should know.
    """

    body: bytes
    files: tuple[File, ...] = ()
    notes: tuple[str, ...] = ()

    def around(self, job: Job, headers: Mapping[str, str]) -> Job:
        """Return the write of the item with what follows it."""
        if not self.files and not self.notes:
            return job
        return PutWithFiles(
            job=job, files=self.files, headers=headers, there=_names, notes=self.notes
        )


class Files:
    """Packs items for one server.

    A server refuses a MANAGED-ID that it did not give (RFC 8607 section 3.4), and the address of a
    file is of no use once its item is gone.

    Args:
        account: The account; its connection is only used where an item has files.
    """

    def __init__(self, account: Account) -> None:
        """Ask nothing yet."""
        self._account = account

    @cached_property
    def _beside(self) -> bool:
        """Whether the server keeps files beside items."""
        return attaching.offered(self._account.connection, self._account.homes[0])

    def packed(self, order: Order, collection: Collection) -> Packed:
        """Return how an item with managed attachments is sent; any other one as it is."""
        body = order.body()
        known = [
            (each, content)
            for each in managed(body)
            if (content := order.file(each.managed_id)) is not None
        ]
        if not known:
            return Packed(body)
        # Attaching is a change, which the server might tell people of.
        if self._beside and order.wanted is not None and not order.wanted.scheduled:
            files = tuple(File(_name(each), each.kind, content) for each, content in known)
            return Packed(without(body, [each.managed_id for each, _ in known]), files)
        return _within(body, known, min(collection.largest or _LARGEST, _LARGEST))


def _within(body: bytes, known: list[tuple[Managed, bytes]], limit: int) -> Packed:
    notes = []
    for each, content in known:
        larger = inlined(body, {each.managed_id: content})
        if len(larger) <= limit:
            body = larger
            notes.append(f"the attachment {_name(each)} lies in the item itself now")
        else:
            body = without(body, [each.managed_id])
            notes.append(
                f"the attachment {_name(each)} of {len(content):,} bytes is left out: it is too"
                " large to lie in the item itself"
            )
    return Packed(body, (), tuple(notes))


def _names(body: bytes) -> frozenset[str]:
    return frozenset(each.name for each in managed(body))


def _name(attachment: Managed) -> str:
    return attachment.name or attachment.managed_id
