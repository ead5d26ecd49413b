"""What a destination held before a run, out of its safety snapshot."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from caldav_run import shelf
from caldav_run.engine.identity import saved_as
from caldav_run.model import Item
from caldav_run.repository.reader import Reader
from caldav_run.repository.snapshots import SnapshotInfo


class KeptSnapshot:
    """One safety snapshot; see `engine.undoing.Kept`."""

    def __init__(self, reader: Reader, snapshot: SnapshotInfo) -> None:
        """Take the snapshot."""
        self._reader = reader
        self._snapshot = snapshot
        self._known = [each.calendar.id for each in reader.calendars(snapshot)]

    def hrefs(self, calendar: str) -> Sequence[str]:
        """Return the names of all that a calendar held."""
        identity = self._identity(calendar)
        return [each.href for each in self._reader.items(self._snapshot, identity)]

    def bodies(self, calendar: str, hrefs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the bytes of items by name; what is not there or damaged is left out."""
        identity = self._identity(calendar)
        named = (self._reader.item(self._snapshot, identity, href) for href in hrefs)
        for found in self._reader.bodies(filter(None, named)):
            if isinstance(found, Item):
                yield found.href, found.body

    def file(self, managed_id: str) -> bytes | None:
        """Return what a managed attachment held; None where that was not saved."""
        name = self._files.get(managed_id)
        for _, body in self.bodies(shelf.ID, [name] if name else []):
            return body
        return None

    def available(self) -> str:
        """Return when the user was available; empty for nothing."""
        every = (each.calendar for each in self._reader.calendars(self._snapshot))
        found = (each.availability for each in every if each.id == shelf.ACCOUNT)
        return next(found, None) or ""

    @cached_property
    def _files(self) -> Mapping[str, str]:
        """The names of the saved files, by their MANAGED-ID."""
        if shelf.ID not in self._known:
            return {}
        places = map(shelf.place, self.hrefs(shelf.ID))
        return {each.managed_id: each.name for each in places if each is not None}

    def _identity(self, calendar: str) -> str:
        return saved_as(calendar, self._known)
