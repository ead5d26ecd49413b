"""A store whose clock a test sets."""

from collections.abc import Callable, Iterator
from datetime import datetime

from caldav_run.repository.store import Store, Stored


class ClockedStore:
    """Wraps a store; `modified` follows a clock of its own."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        """Take the store, and the store's time."""
        self._store = store
        self._clock = clock
        self.location = store.location
        self.stored: dict[str, datetime] = {}

    def list(self, prefix: str = "", after: str = "") -> Iterator[Stored]:
        """Yield objects with the time at which they were stored here."""
        for each in self._store.list(prefix, after):
            yield each._replace(modified=self.stored.get(each.name, self._clock()))

    def get(self, name: str) -> bytes:
        """Return an object's bytes."""
        return self._store.get(name)

    def put(self, name: str, data: bytes) -> None:
        """Store an object; one that is there keeps its time."""
        self._store.put(name, data)
        self.stored.setdefault(name, self._clock())

    def delete(self, name: str) -> None:
        """Delete an object."""
        self._store.delete(name)
        self.stored.pop(name, None)
