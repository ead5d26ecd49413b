"""A store whose program dies at a chosen call."""

from collections.abc import Iterator

from caldav_run.repository.store import Store, Stored


class CrashError(Exception):
    """The program was killed."""


class CrashingStore:
    """Wraps a store; the writing call with the chosen number, from 0 on, is the last one.

    Attributes:
        calls: How many writing calls there were.
    """

    def __init__(self, store: Store, at: int, *, after: bool) -> None:
        """Take the store, and whether to die after the call's work rather than before it."""
        self._store = store
        self._at = at
        self._after = after
        self.location = store.location
        self.calls = 0

    def list(self, prefix: str = "", after: str = "") -> Iterator[Stored]:
        """List as the store does."""
        return self._store.list(prefix, after)

    def get(self, name: str) -> bytes:
        """Read as the store does."""
        return self._store.get(name)

    def put(self, name: str, data: bytes) -> None:
        """Store, or die."""
        self._count(before=True)
        self._store.put(name, data)
        self._count(before=False)

    def delete(self, name: str) -> None:
        """Delete, or die."""
        self._count(before=True)
        self._store.delete(name)
        self._count(before=False)

    def _count(self, *, before: bool) -> None:
        if self.calls == self._at and before is not self._after:
            raise CrashError
        self.calls += not before
