"""Files that a server keeps beside its items: managed attachments (RFC 8607)."""

from http import HTTPStatus

from caldav_run.dav.connection import Connection
from caldav_run.dav.failures import MalformedAnswerError


def fetch(connection: Connection, url: str, kind: str) -> bytes:
    """Return what a file holds.

    Args:
        connection: The account's connection.
        url: The file.
        kind: The media type that it is to have.

    Raises:
        StatusError: It is not given.
        MalformedAnswerError: It is too long to be held, or a web page is given instead.
        ConnectorError: See `Connection.send`.
    """
    with connection.send("GET", url) as reply:
        if reply.status != HTTPStatus.OK:
            raise reply.error()
        if "html" in reply.header("Content-Type") and "html" not in kind:
            raise MalformedAnswerError(f"{url} gave a web page")
        return reply.read()
