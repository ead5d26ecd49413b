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
        if (doubtful or self.looks or self._weak) and self._is_gone(connection):
            return Done()
        guard = {} if self.etag is None or self._weak else {"If-Match": self.etag}
        with connection.send("DELETE", self.url, headers={**guard, **self.headers}) as reply:
            if reply.status in _DELETED:
                reply.drain()
                return Done()
            error = reply.error()
        if error.status == HTTPStatus.PRECONDITION_FAILED and self._is_gone(connection):
            return Done()
        raise refusals.meaning(error, "deleted")

    @property
    def _weak(self) -> bool:
        """Whether the etag equals none, not even itself (RFC 9110 section 13.1.1)."""
        return self.etag is not None and self.etag.startswith("W/")

    def _is_gone(self, connection: Connection) -> bool:
        """Return whether nothing is there any more.

        Raises:
            MovedError: There is another version.
        """
        found = fetching.get(connection, self.url)
        if found is None or self.etag in {None, ANY, found.etag}:
            return found is None
        raise MovedError("not deleted, it has changed meanwhile")


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
