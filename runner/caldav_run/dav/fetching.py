"""The bodies of a calendar's members: in large batches, and alone where a batch fails."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import Final, NamedTuple

from caldav_run.dav import bodies, cut, failures, hrefs, multistatus, names
from caldav_run.dav.collections import Collection
from caldav_run.dav.connection import Connection
from caldav_run.dav.failures import TROUBLE
from caldav_run.dav.lanes import Lanes, Task
from caldav_run.dav.members import Member, Members
from caldav_run.dav.pace import BATCH_BYTES
from caldav_run.model import Changed, Failed, Item, Provenance, Reading

_PIECE: Final = 64 * 1024
PATIENCE: Final = 5
"""How many answers of one calendar may fail to come before the rest is given up."""

_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_UNSUPPORTED: Final = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})


class Body(NamedTuple):
    """What was fetched for one member."""

    data: bytes
    etag: str | None
    provenance: Provenance


class Asked(NamedTuple):
    """A request under way.

    Attributes:
        batch: The members that it asks for.
        report: The answer to a multiget, or what went wrong with it; None for a GET.
        single: The answer to a GET of the only member, None in it for one that is not there.
    """

    batch: Sequence[Member]
    report: Task[bytes | Exception] | None = None
    single: Task[Body | Exception | None] | None = None


class Fetcher:
    """Reads members of one calendar, in the order of their listing.

    What a multiget leaves out is asked for by a second one, then by a GET each.

    Args:
        collection: The calendar.
        wanted: The members; emptied on the way, so that memory is free again for what comes.
        lanes: What makes the requests.

    Attributes:
        vanished: The members that the server says it does not have, though it had listed them.
    """

    def __init__(self, collection: Collection, wanted: Members, lanes: Lanes) -> None:
        """Ask for nothing yet."""
        self.vanished: list[Member] = []
        self._collection = collection
        self._wanted = wanted
        self._lanes = lanes
        self._patience = PATIENCE
        self._asked: deque[Asked] = deque()
        self._parts: deque[Sequence[Member]] = deque()
        self._missing: list[Member] = []
        self._asked_twice: set[str] = set()
        self._alone: deque[Member] = deque()

    @property
    def under_way(self) -> int:
        """How many requests were begun whose answers have not been looked at."""
        return len(self._asked)

    def begin_one(self) -> bool:
        """Begin one more request; return whether there was one to make."""
        batch = self._next_batch()
        if batch:
            self._asked.append(Asked(batch, report=self._lanes.submit(self._report_of(batch))))
        elif self._alone and not self._reports_are_out():
            member = self._alone.popleft()
            self._asked.append(Asked([member], single=self._lanes.submit(self._get_of(member))))
        else:
            return False
        return True

    def fetch(self, meanwhile: Callable[[], None]) -> Iterator[Reading]:
        """Yield each member as `Changed` or `Failed`, but for those that `vanished`.

        Args:
            meanwhile: Begins requests, of this fetcher and perhaps of others; called whenever
                there may be room for more.

        Raises:
            InterruptedAnswerError: Too many answers failed to come.
            StatusError: The server stays busy.
            ConnectorError: See `Connection.send`.
        """
        pace = self._lanes.pace
        while self._asked or self.begin_one():
            asked = self._asked[0]
            if asked.report is not None:
                answer = self._lanes.wait(asked.report, meanwhile)
                self._asked.popleft()
                if isinstance(answer, bytes):
                    task = asked.report
                    pace.went_well(len(asked.batch), len(answer), task.seconds, task.width)
                meanwhile()
                yield from self._take(asked.batch, answer)
            elif asked.single is not None:
                body = self._lanes.wait(asked.single, meanwhile)
                self._asked.popleft()
                meanwhile()
                if (reading := self._taken_alone(asked.batch[0], body)) is not None:
                    yield reading

    # ------------------------------------------------------------ what to ask for

    def _next_batch(self) -> Sequence[Member]:
        if self._parts:
            return self._parts.popleft()
        pace = self._lanes.pace
        if self._wanted:
            # How the first report fares decides how large the others are.
            if not pace.proven and self._asked:
                return ()
            return self._cut(pace.size, pace.mean_bytes)
        if self._missing and not self._reports_are_out():
            batch, self._missing = self._missing[: pace.size], self._missing[pace.size :]
            self._asked_twice.update(member.spelled for member in batch)
            return batch
        return ()

    def _cut(self, most: int, usual: int) -> Sequence[Member]:
        batch: list[Member] = []
        room = BATCH_BYTES
        while len(batch) < most and (member := self._wanted.take()) is not None:
            room -= usual if member.size is None else member.size
            if room < 0 and batch:
                self._wanted.put_back(member)
                break
            batch.append(member)
        return batch

    def _reports_are_out(self) -> bool:
        return any(each.report is not None for each in self._asked)

    # ------------------------------------------------------------ asking, in other threads

    def _report_of(self, batch: Sequence[Member]) -> Callable[[Connection], bytes | Exception]:
        body = bodies.multiget(member.spelled for member in batch)
        url = self._collection.url

        def ask(connection: Connection) -> bytes | Exception:
            try:
                return connection.answer("REPORT", url, body)
            except TROUBLE as error:
                return error

        return ask

    def _get_of(self, member: Member) -> Callable[[Connection], Body | Exception | None]:
        url = hrefs.resolve(self._collection.url, member.spelled)

        def ask(connection: Connection) -> Body | Exception | None:
            try:
                return get(connection, url, member.size)
            except TROUBLE as error:
                return error

        return ask

    # ------------------------------------------------------------ what came

    def _take(self, batch: Sequence[Member], answer: bytes | Exception) -> Iterator[Reading]:
        """Yield what came of a batch; what cannot be read together is left to be read in halves."""
        try:
            found = self._found(batch, answer)
        except TROUBLE as error:
            self._endure(error)
            self._split(batch, error)
            return
        # One item that makes every report on it break off must not use it up for all.
        self._patience = min(PATIENCE, self._patience + 1)
        missing = [member for member in batch if member.spelled not in found]
        for member in batch:
            if member.spelled in found:
                yield self._changed(member, found.pop(member.spelled))
        # One or two may just have been deleted; more is an answer that was cut.
        if len(missing) * 10 > len(batch):
            self._lanes.pace.went_badly(len(batch))
        for member in missing:
            again = member.spelled in self._asked_twice or len(batch) == 1
            (self._alone if again else self._missing).append(member)

    def _split(self, batch: Sequence[Member], error: Exception) -> None:
        middle = len(batch) // 2
        if not middle or _unsupported(error):
            self._alone += batch
            return
        if not isinstance(error, failures.MalformedAnswerError):
            self._lanes.pace.went_badly(len(batch))
        self._parts += (batch[:middle], batch[middle:])

    def _found(self, batch: Sequence[Member], answer: bytes | Exception) -> dict[str, Body]:
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

    def _taken_alone(self, member: Member, body: Body | Exception | None) -> Reading | None:
        """Return a member that was read by itself; None when the server says there is none."""
        if body is None:
            self.vanished.append(member)
            return None
        if isinstance(body, Exception):
            self._endure(body)
            return Failed(self._collection.calendar.id, member.href, str(body))
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
        if in_vain(error):
            self._patience -= 1
            if self._patience == 0:
                raise error


def in_vain(error: Exception) -> bool:
    """Return whether a failure comes after a wait that was for nothing."""
    busy = isinstance(error, failures.StatusError) and error.status in _BUSY
    return busy or isinstance(error, failures.InterruptedAnswerError)


def _unsupported(error: Exception) -> bool:
    return isinstance(error, failures.StatusError) and error.status in _UNSUPPORTED


def _key(url: str, href: str) -> str:
    return hrefs.key(hrefs.path_of(hrefs.resolve(url, href)))


def get(connection: Connection, url: str, size: int | None = None) -> Body | None:
    """Read one member by itself; None when the server says that there is none.

    Args:
        connection: The account's connection.
        url: The member.
        size: Its length as the listing says, as far as that is known.

    Raises:
        StatusError: It is not given.
        MalformedAnswerError: What is given is empty, or ends too early.
        ConnectorError: See `Connection.send`.
    """
    with connection.send("GET", url) as reply:
        if reply.status in _GONE:
            return None
        if reply.status != HTTPStatus.OK or "html" in reply.header("Content-Type"):
            raise reply.error()
        data = reply.read()
        if not data:
            raise failures.MalformedAnswerError(f"{url} gave an empty body")
        if cut.breaks_off(data, size):
            raise failures.MalformedAnswerError(f"{url} gave an item without its end")
        return Body(data, reply.header("ETag") or None, Provenance.GET)
