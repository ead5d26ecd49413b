"""Asking a server what a profile cannot know."""

from http import HTTPStatus
from typing import Final

from caldav_run.dav import bodies, names
from caldav_run.dav.collections import Collection
from caldav_run.dav.connection import Connection
from caldav_run.dav.failures import TROUBLE
from caldav_run.dav.profiles import Sync

# No server has issued it, and none can take it for one of its own.
_NEVER_ISSUED: Final = "http://caldav-run.invalid/never-issued"
_XML: Final = {"Content-Type": "application/xml; charset=utf-8", "Depth": "1"}
_UNSUPPORTED: Final = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
_NO_SUCH_REPORT: Final = b"supported-report"
# Said of the moment, or by a gateway that did not reach the server.
_BUSY: Final = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


def probed(connection: Connection, collection: Collection) -> Sync | None:
    """Return how far sync-collection can be relied on, by one report with an invalid token.

    RFC 6578 section 3.2 has it refused. A server that answers it cannot tell of deletions either
    when it has forgotten a token.

    Returns:
        None where the answer tells nothing, or where there is no token to go on from.
    """
    if collection.sync_token is None:
        return None
    body = bodies.sync_collection(_NEVER_ISSUED, [names.GETETAG])
    try:
        # The answer may list the whole calendar; its status is enough.
        with connection.send("REPORT", collection.url, body, _XML) as reply:
            if reply.status == HTTPStatus.MULTI_STATUS:
                return Sync.STALE_TOKENS
            if reply.status in _BUSY:
                return None
            unsupported = reply.status in _UNSUPPORTED or _NO_SUCH_REPORT in reply.read()
    except TROUBLE:
        return None
    # However a server refuses the token, it does refuse it.
    return Sync.NONE if unsupported else Sync.TRUSTED
