"""One item off the server, if it still is the one that was seen; and whole calendars."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from caldav_run.dav import fetching, refusals
from caldav_run.dav.connection import Connection
from caldav_run.dav.putting import ANY, Done
from caldav_run.errors import MovedError

_DELETED: Final = frozenset(
    {
        HTTPStatus.OK,
        HTTPStatus.ACCEPTED,
        HTTPStatus.NO_CONTENT,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.GONE,
    }
)
_CHANGED: Final = "not deleted, it has changed meanwhile"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Delete:
    """An item to be deleted.

    Attributes:
        url: Where it is.
        etag: The etag that it must still have; None for any.
        headers: Further headers.
        looks: Whether to look before, for a server that does not heed conditions.
    """

    url: str
    etag: str | None
    headers: Mapping[str, str] = field(default_factory=dict)
    looks: bool = False

    def attempt(self, connection: Connection, *, doubtful: bool) -> Done:
        """Delete it; what is gone already is deleted.

        Args:
            connection: The account's connection.
            doubtful: Whether an earlier attempt may have been done, as no answer came.

        Raises:
            MovedError: It is not the one that was seen.
            ItemError: The server refuses.
            NotYetError: It was not deleted, and may be when it is tried again.
            InterruptedAnswerError: It is not known whether it was deleted.
            CalendarError: Any other item there would be refused as well.
            ConnectorError: Any other item would be.
        """
        weak = self.etag is not None and self.etag.startswith("W/")
        if doubtful or self.looks or weak:
            found = fetching.get(connection, self.url)
            if found is None:
                return Done()
            if self.etag not in {None, ANY, found.etag}:
                raise MovedError(_CHANGED)
        guard = {} if self.etag is None or weak else {"If-Match": self.etag}
        with connection.send("DELETE", self.url, headers={**guard, **self.headers}) as reply:
            if reply.status in _DELETED:
                reply.drain()
                return Done()
            error = reply.error()
        if refusals.moved(error):
            if fetching.get(connection, self.url) is None:
                return Done()
            raise MovedError(f"{_CHANGED}: {error.message}")
        raise refusals.meaning(error, "deleted")


def delete_collection(connection: Connection, url: str, headers: Mapping[str, str]) -> None:
    """Delete a calendar with all that lies in it.

    Args:
        connection: The account's connection.
        url: The calendar, with a final slash.
        headers: Further headers.

    Raises:
        StatusError: The server refuses.
        ConnectorError: See `Connection.send`.
    """
    with connection.send("DELETE", url, headers=headers) as reply:
        if reply.status not in _DELETED:
            raise reply.error()
        reply.drain()
