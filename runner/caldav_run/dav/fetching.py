"""The bodies of a calendar's members: in large batches, and alone where a batch fails."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from itertools import chain
from typing import Final, NamedTuple

from caldav_run.dav import bodies, failures, hrefs, names
from caldav_run.dav.ahead import ahead
from caldav_run.dav.collections import Collection
from caldav_run.dav.connection import Connection
from caldav_run.model import Changed, Failed, Item, Provenance, Reading

FIRST_BATCH: Final = 100
LARGEST_BATCH: Final = 1000
BATCH_BYTES: Final = 2 * 1024 * 1024
_GROWTH: Final = 4
_PATIENCE: Final = 5
"""How many answers of one calendar may fail to come before the rest is given up."""

TROUBLE: Final = (
    failures.StatusError,
    failures.MalformedAnswerError,
    failures.InterruptedAnswerError,
)
"""What goes wrong with one request and leaves the others a chance."""

_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_UNSUPPORTED: Final = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})


class Member(NamedTuple):
    """One member of a calendar, as the listing names it.

    Attributes:
        spelled: The href as the server gave it; what a report must ask for.
        href: The same, relative to the calendar.
        etag: The etag that the listing gave.
    """

    spelled: str
    href: str
    etag: str | None


class Body(NamedTuple):
    """What was fetched for one member."""

    data: bytes
    etag: str | None
    provenance: Provenance


def next_size(size: int, mean_bytes: int) -> int:
    """Return how many members to ask for next, after a batch of this size and mean length."""
    fitting = BATCH_BYTES // max(mean_bytes, 1)
    return max(1, min(size * _GROWTH, LARGEST_BATCH, fitting))


class Fetcher:
    """Reads members of one calendar.

    Args:
        connection: The account's connection.
        collection: The calendar.
    """

    def __init__(self, connection: Connection, collection: Collection) -> None:
        """Fetch nothing yet."""
        self._connection = connection
        self._collection = collection
        self._patience = _PATIENCE

    def fetch(self, wanted: list[Member]) -> Iterator[Reading]:
        """Yield each member as `Changed` or `Failed`; one deleted meanwhile is not named.

        While a batch is being used the next one is fetched, and nobody else may use the connection.

        Args:
            wanted: The members; emptied on the way, so that memory is free again for what comes.

        Raises:
            InterruptedAnswerError: Too many answers failed to come.
            StatusError: The server stays busy.
            ConnectorError: See `Connection.send`.
        """
        batches = self._batches(wanted)
        yield from chain.from_iterable(ahead(batches) if len(wanted) > FIRST_BATCH else batches)

    def _batches(self, wanted: list[Member]) -> Iterator[Sequence[Reading]]:
        """Yield batch after batch; where one breaks off, what came of it before the error."""
        size = FIRST_BATCH
        while wanted:
            batch = wanted[:size]
            del wanted[:size]
            readings: list[Reading] = []
            try:
                readings.extend(self._batch(batch))
            except Exception:
                yield readings
                raise
            total = sum(len(each.item.body) for each in readings if isinstance(each, Changed))
            size = next_size(size, total // len(batch))
            yield readings

    def _batch(self, batch: Sequence[Member]) -> Iterator[Reading]:
        """Read one batch; what cannot be read together is read in halves, and at last alone."""
        found: dict[str, Body] = {}
        try:
            found = self._report(batch)
        except TROUBLE as error:
            self._endure(error)
            if len(batch) > 1 and not _unsupported(error):
                middle = len(batch) // 2
                yield from self._batch(batch[:middle])
                yield from self._batch(batch[middle:])
                return
        for member in batch:
            body = found.pop(member.spelled, None)
            if body is not None:
                yield self._changed(member, body)
            elif (reading := self._alone(member)) is not None:
                yield reading

    def _report(self, batch: Sequence[Member]) -> dict[str, Body]:
        """Ask for a batch; returns what came, by the spelling that was asked for."""
        url = self._collection.url
        asked = {member.spelled for member in batch}
        spellings: dict[str, str] = {}
        found: dict[str, Body] = {}
        body = bodies.multiget(member.spelled for member in batch)
        for response in self._connection.multistatus("REPORT", url, body):
            # Left out, refused or empty: the member itself will be asked.
            data = response.text(names.CALENDAR_DATA)
            if not data:
                continue
            href = response.href
            if href not in asked:
                spellings = spellings or {_key(url, spelled): spelled for spelled in asked}
                href = spellings.get(_key(url, href), href)
            found[href] = Body(data.encode(), response.text(names.GETETAG), Provenance.REPORT)
        return found

    def _alone(self, member: Member) -> Reading | None:
        """Read one member by itself; None when it was deleted since the listing."""
        url = hrefs.resolve(self._collection.url, member.spelled)
        try:
            with self._connection.send("GET", url) as reply:
                if reply.status in _GONE:
                    return None
                if reply.status != HTTPStatus.OK or "html" in reply.header("Content-Type"):
                    raise reply.error()
                body = Body(reply.read(), reply.header("ETag") or None, Provenance.GET)
        except TROUBLE as error:
            self._endure(error)
            return Failed(self._collection.calendar.id, member.href, str(error))
        return self._changed(member, body)

    def _changed(self, member: Member, body: Body) -> Changed:
        item = Item(
            calendar=self._collection.calendar.id,
            href=member.href,
            etag=body.etag or member.etag,
            body=body.data,
            provenance=body.provenance,
        )
        return Changed(item)

    def _endure(self, error: Exception) -> None:
        """Give up after waiting in vain too often: each wait may last a minute."""
        busy = isinstance(error, failures.StatusError) and error.status in _BUSY
        if busy or isinstance(error, failures.InterruptedAnswerError):
            self._patience -= 1
            if self._patience == 0:
                raise error


def _unsupported(error: Exception) -> bool:
    return isinstance(error, failures.StatusError) and error.status in _UNSUPPORTED


def _key(url: str, href: str) -> str:
    return hrefs.key(hrefs.path_of(hrefs.resolve(url, href)))
