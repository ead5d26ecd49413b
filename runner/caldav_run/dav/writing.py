"""Single items onto the server, never over something that was not seen before."""

import hashlib
import re
from collections.abc import Container
from http import HTTPStatus
from typing import Final

from caldav_run.dav import failures, hrefs
from caldav_run.dav.collections import Collection
from caldav_run.dav.connection import Connection
from caldav_run.errors import ItemError, MovedError

# What every server in the field takes as a name: no leading dot, nothing to escape.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@-]{0,95}\.ics")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_]+")
_SLUG_LENGTH: Final = 40
_CONTENT_TYPE: Final = "text/calendar; charset=utf-8"
_WRITTEN: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT})
_DELETED: Final = frozenset({HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT})
_MOVED: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.PRECONDITION_FAILED})
# These say no to every item alike.
_NO_TO_ALL: Final = frozenset({429, 503, 507})


def slug(text: str) -> str:
    """Return letters, digits, `_` and single `-` that remind of a text; may be empty."""
    return _UNSAFE.sub("-", text).strip("-")[:_SLUG_LENGTH].rstrip("-")


def digest(text: str) -> str:
    """Return eight hexadecimal digits that tell one text from another."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def new_href(href: str, uid: str, taken: Container[str]) -> str:
    """Return the name for an item that is not there yet.

    Args:
        href: Its name at the source, kept where it is plain.
        uid: Its UID; may be empty.
        taken: The keys (`hrefs.key`) of names in use: some servers overwrite in spite of
            If-None-Match.
    """
    if _PLAIN.fullmatch(href) and hrefs.key(href) not in taken:
        return href
    stem = slug(href.removesuffix(".ics")) or "item"
    hashed = f"{stem}-{digest(href)}.ics"
    if hrefs.key(hashed) not in taken:
        return hashed
    return f"{stem}-{digest(f'{href} {uid}')}.ics"


def put(
    connection: Connection, collection: Collection, href: str, body: bytes, condition: str | None
) -> str | None:
    """Write one item's exact bytes.

    Args:
        connection: The account's connection.
        collection: The calendar.
        href: The item's name, relative to the calendar.
        body: The bytes to store.
        condition: The etag that must still be there, `*` for any; None for a new item.

    Returns:
        The etag that it has now; None where the server does not say.

    Raises:
        MovedError: There is another one, or none.
        ItemError: It was not written, with the server's words.
        ConnectorError: The server would refuse any other item as well.
    """
    url = hrefs.resolve(collection.url, href)
    guard = {"If-None-Match": "*"} if condition is None else {"If-Match": condition}
    try:
        with connection.send("PUT", url, body, {"Content-Type": _CONTENT_TYPE, **guard}) as reply:
            if reply.status in _WRITTEN:
                return reply.header("ETag") or None
            error = reply.error()
    except failures.InterruptedAnswerError as broken:
        raise ItemError(f"it is not known whether it was written: {broken.message}") from broken
    if error.status in _NO_TO_ALL:
        raise failures.for_account(error, collection.url)
    said = failures.in_words(error.status, error.words)
    if error.status == HTTPStatus.PRECONDITION_FAILED:
        raise MovedError(f"not written, it changed meanwhile: the server says {said}")
    raise ItemError(f"not written: the server says {said}")


def delete(connection: Connection, url: str, condition: str | None) -> None:
    """Delete one item, or a whole calendar.

    Args:
        connection: The account's connection.
        url: Its URL.
        condition: The etag that must still be there; None for any.

    Raises:
        MovedError: There is another one, or none.
        ItemError: It was not deleted, with the server's words.
        ConnectorError: The server would refuse any other item as well.
    """
    guard = {} if condition is None else {"If-Match": condition}
    try:
        with connection.send("DELETE", url, headers=guard) as reply:
            if reply.status in _DELETED:
                return
            error = reply.error()
    except failures.InterruptedAnswerError as broken:
        raise ItemError(f"it is not known whether it was deleted: {broken.message}") from broken
    if error.status in _NO_TO_ALL:
        raise failures.for_account(error, url)
    said = failures.in_words(error.status, error.words)
    if error.status in _MOVED:
        raise MovedError(f"not deleted, it changed meanwhile: the server says {said}")
    raise ItemError(f"not deleted: the server says {said}")
