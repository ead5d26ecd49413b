"""One item onto the server, never over something that was not seen before, and never twice."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, NamedTuple

from caldav_run.dav import fetching, hrefs, refusals
from caldav_run.dav.connection import Connection
from caldav_run.dav.reply import Reply
from caldav_run.errors import MovedError

ANY: Final = "*"
"""The etag of an item that is there, whatever etag it has."""

_CONTENT_TYPE: Final = "text/calendar; charset=utf-8"
_WRITTEN: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT})
_FAILED: Final = HTTPStatus.PRECONDITION_FAILED
_NOT_AS_PLANNED: Final = frozenset({_FAILED, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


class Done(NamedTuple):
    """What came of a write that was done.

    Attributes:
        url: Where the item lies now; None for a deleted one.
        etag: Its etag, where the server tells.
        notes: Steps that a person should know of.
    """

    url: str | None = None
    etag: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Put:
    """An item to be written.

    Attributes:
        url: Where to.
        body: Its exact bytes.
        etag: What must be there now: an etag, or `ANY`; None for a new item.
        alike: Tells whether some bytes are those that were sent, as a server may have changed
            them; only asked where no answer came.
        headers: Further headers.
        looks: Whether to look before, for a server that does not heed conditions.
    """

    url: str
    body: bytes = field(repr=False)
    etag: str | None
    alike: Callable[[bytes], bool]
    headers: Mapping[str, str] = field(default_factory=dict)
    looks: bool = False

    def attempt(self, connection: Connection, *, doubtful: bool) -> Done:
        """Write it.

        Args:
            connection: The account's connection.
            doubtful: Whether an earlier attempt may have been done, as no answer came.

        Raises:
            MovedError: The server does not hold what was seen there before.
            ItemError: It was refused.
            NotYetError: It was not written, and may be when it is tried again.
            InterruptedAnswerError: It is not known whether it was written.
            CalendarError: Any other item there would be refused as well.
            ConnectorError: Any other item would be.
        """
        if doubtful or self.looks or self._weak:
            there = self._found(connection, doubtful=doubtful)
            if there is not None:
                return there
        headers = {"Content-Type": _CONTENT_TYPE, **self._guard, **self.headers}
        with connection.send("PUT", self.url, self.body, headers) as reply:
            if reply.status in _WRITTEN:
                return self._written(reply)
            error = reply.error()
        if error.status in _NOT_AS_PLANNED and (self.etag is not None or error.status == _FAILED):
            # Some answer so, too, what they will not take however often it is looked at.
            there = self._found(connection, doubtful=doubtful)
            if there is not None:
                return there
        raise refusals.meaning(error, "written")

    @property
    def _weak(self) -> bool:
        """Whether the etag equals none, not even itself (RFC 9110 section 13.1.1)."""
        return self.etag is not None and self.etag.startswith("W/")

    @property
    def _guard(self) -> Mapping[str, str]:
        if self.etag is None:
            return {"If-None-Match": "*"}
        return {"If-Match": ANY if self._weak else self.etag}

    def _found(self, connection: Connection, *, doubtful: bool) -> Done | None:
        """Return what an earlier attempt has done; None when it is to be written now.

        Raises:
            MovedError: Somebody else has been there.
        """
        found = fetching.get(connection, self.url)
        if found is None:
            if self.etag is None:
                return None
            raise MovedError("it is gone since it was planned")
        if self.etag is not None and found.etag == self.etag:
            return None
        if doubtful and self.alike(found.data):
            return Done(self.url, found.etag)
        if self.etag == ANY:
            return None
        raise MovedError(
            "another item has appeared there" if self.etag is None else "it has changed meanwhile"
        )

    def _written(self, reply: Reply) -> Done:
        reply.drain()
        folder, place = self.url.rpartition("/")[0] + "/", reply.header("Location")
        name = hrefs.relative(hrefs.path_of(place), hrefs.path_of(folder)) if place else None
        # A few servers choose names themselves.
        url = hrefs.resolve(folder, name) if name and "/" not in name else self.url
        return Done(url, reply.header("ETag") or None)
