"""The bodies of a calendar's members: in large batches, and alone where a batch fails."""

from collections import deque
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Final, NamedTuple

from caldav_run.dav import bodies, failures, hrefs, multistatus, names
from caldav_run.dav.ahead import ahead
from caldav_run.dav.collections import Collection
from caldav_run.dav.connection import Connection
from caldav_run.model import Changed, Failed, Item, Provenance, Reading

FIRST_BATCH: Final = 100
LARGEST_BATCH: Final = 1000
BATCH_BYTES: Final = 2 * 1024 * 1024
_GROWTH: Final = 4
_PIECE: Final = 64 * 1024
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


Answer = bytes | Exception
"""A multistatus as it came, or what went wrong with this one request."""


def next_size(size: int, mean_bytes: int) -> int:
    """Return how many members to ask for next, after a batch of this size and mean length."""
    fitting = BATCH_BYTES // max(mean_bytes, 1)
    return max(1, min(size * _GROWTH, LARGEST_BATCH, fitting))


class Fetcher:
    """Reads members of one calendar.

    Args:
        connection: The account's connection.
        collection: The calendar.

    Attributes:
        vanished: The members that the server says it does not have, though it had listed them.
    """

    def __init__(self, connection: Connection, collection: Collection) -> None:
        """Fetch nothing yet."""
        self.vanished: list[Member] = []
        self._connection = connection
        self._collection = collection
        self._patience = _PATIENCE
        self._again: deque[Sequence[Member]] = deque()
        self._missing: list[Member] = []

    def fetch(self, wanted: list[Member]) -> Iterator[Reading]:
        """Yield each member as `Changed` or `Failed`, but for those that `vanished`.

        While an answer is being used the next one is fetched; nobody else may use the connection.

        Args:
            wanted: The members; emptied on the way, so that memory is free again for what comes.

        Raises:
            InterruptedAnswerError: Too many answers failed to come.
            StatusError: The server stays busy.
            ConnectorError: See `Connection.send`.
        """
        answers = self._answers(wanted)
        if len(wanted) > FIRST_BATCH:
            answers = ahead(answers)
        for batch, answer in answers:
            yield from self._take(batch, answer)
        # What needs further requests has waited until the connection is free.
        while self._again:
            batch = self._again.popleft()
            yield from self._take(batch, self._ask(batch))
        for member in self._missing:
            if (reading := self._alone(member)) is not None:
                yield reading

    def _take(self, batch: Sequence[Member], answer: Answer) -> Iterator[Reading]:
        """Yield what came of a batch; what cannot be read together is left to be read in halves."""
        try:
            found = self._found(batch, answer)
        except TROUBLE as error:
            self._endure(error)
            middle = len(batch) // 2
            if middle and not _unsupported(error):
                self._again += (batch[:middle], batch[middle:])
            else:
                self._missing += batch
            return
        for member in batch:
            if member.spelled in found:
                yield self._changed(member, found.pop(member.spelled))
            else:
                self._missing.append(member)

    def _answers(self, wanted: list[Member]) -> Iterator[tuple[Sequence[Member], Answer]]:
        """Yield one batch after the other with its answer, which is read but not looked into."""
        size = FIRST_BATCH
        while wanted:
            batch = wanted[:size]
            del wanted[:size]
            answer = self._ask(batch)
            if isinstance(answer, bytes):
                size = next_size(size, len(answer) // len(batch))
            yield batch, answer

    def _ask(self, batch: Sequence[Member]) -> Answer:
        body = bodies.multiget(member.spelled for member in batch)
        try:
            return self._connection.answer("REPORT", self._collection.url, body)
        except TROUBLE as error:
            return error

    def _found(self, batch: Sequence[Member], answer: Answer) -> dict[str, Body]:
        """Return what an answer holds, by the spelling that was asked for."""
        if isinstance(answer, Exception):
            raise answer
        url = self._collection.url
        asked = {member.spelled for member in batch}
        spellings: dict[str, str] = {}
        found: dict[str, Body] = {}
        # Piece by piece, so that no tree of all of it is built.
        pieces = (answer[at : at + _PIECE] for at in range(0, len(answer), _PIECE))
        for response in multistatus.parse(pieces, url):
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
        """Read one member by itself; None when the server says that there is none."""
        url = hrefs.resolve(self._collection.url, member.spelled)
        try:
            with self._connection.send("GET", url) as reply:
                if reply.status in _GONE:
                    self.vanished.append(member)
                    return None
                if reply.status != HTTPStatus.OK or "html" in reply.header("Content-Type"):
                    raise reply.error()
                data = reply.read()
                if not data:
                    raise failures.MalformedAnswerError(f"{url} gave an empty body")
                body = Body(data, reply.header("ETag") or None, Provenance.GET)
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
