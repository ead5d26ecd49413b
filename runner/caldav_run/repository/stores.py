"""Which store a location means."""

from pathlib import Path

from caldav_run.repository.local import LocalStore
from caldav_run.repository.store import Store


def open_store(location: str) -> Store:
    """Return the store at a location, without touching it.

    Args:
        location: A folder's path.
    """
    return LocalStore(Path(location))
