"""A store that tells which of its objects were read."""

from collections.abc import Callable

from caldav_run.repository.store import Store


class ReadingStore:
    """Another store, as it is; see `Store` for the promises.

    Attributes:
        read: The names of the objects that were read.
    """

    def __init__(self, store: Store, told: Callable[[], None]) -> None:
        """Take the store, and whom to tell of each object that is read."""
        self.location = store.location
        self.list = store.list
        self.put = store.put
        self.delete = store.delete
        self.read: set[str] = set()
        self._get = store.get
        self._told = told

    def get(self, name: str) -> bytes:
        """Return an object's bytes; see `Store.get`."""
        self._told()
        self.read.add(name)
        return self._get(name)
