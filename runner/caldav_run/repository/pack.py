"""Packs: the bodies of one account, up to 16 MiB of them in one object."""

from typing import Final

from caldav_run.repository import names
from caldav_run.repository.envelope import Envelope

MAX_BYTES: Final = 16 << 20


class PackBuilder:
    """Collects bodies; compressed as they come, so that few of them are in memory."""

    def __init__(self, mtime: int) -> None:
        """Start an empty pack, whose files bear the given Unix time."""
        self._envelope = Envelope(mtime)
        self._bytes = 0
        self.count = 0

    def takes(self, body: bytes) -> bool:
        """Return whether the body belongs into this pack; a body too large for any gets its own."""
        return self.count == 0 or self._bytes + len(body) <= MAX_BYTES

    def add(self, calendar: str, href: str, body: bytes) -> str:
        """Add a body and return its name in the pack."""
        self.count += 1
        self._bytes += len(body)
        member = names.member(self.count, calendar, href)
        self._envelope.add(member, body)
        return member

    def seal(self, recipients: tuple[str, ...]) -> bytes:
        """Return the stored bytes; the builder is used up."""
        return self._envelope.seal(recipients)
