"""Nextcloud's bin: what lies in it is in the way of a new item with its UID.

Such a PUT is answered 500 or 400 for as long as the old item stays there, which is 30 days. It is
brought back and written over, so that nothing is lost when the new one is refused.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from caldav_run.dav import bodies, failures, fetching, hrefs, names, refusals
from caldav_run.dav.connection import Connection
from caldav_run.dav.deleting import Delete
from caldav_run.dav.discovery import describe
from caldav_run.dav.multistatus import Response
from caldav_run.dav.putting import Done, Put
from caldav_run.errors import ItemError

NOTE: Final = "an old version was taken out of the server's trash bin first"
_TOLD: Final = (names.CALENDAR_URI, names.CALENDAR_DATA)
_FOLD: Final = re.compile(r"\r?\n[ \t]")
_UID: Final = re.compile(r"^UID(?:;[^:\r\n]*)?:(.*?)\r?$", re.IGNORECASE | re.MULTILINE)
_KIND: Final = re.compile(r"^BEGIN:(VEVENT|VTODO|VJOURNAL)\b", re.IGNORECASE | re.MULTILINE)
_RESTORED: Final = frozenset({HTTPStatus.CREATED, HTTPStatus.NO_CONTENT})


@dataclass(frozen=True, slots=True)
class Trashed:
    """An item in the bin.

    Attributes:
        url: Where it lies.
        component: What it is.
    """

    url: str
    component: str


def lying(connection: Connection, home: str) -> Mapping[tuple[str, str], Trashed]:
    """Return what the bin holds, by the `key` of its calendar and UID; nothing without a bin.

    Args:
        connection: The account's connection.
        home: The calendar home, with a final slash.

    Raises:
        ConnectorError: The server is gone, or refuses the credentials.
    """
    found: dict[tuple[str, str], Trashed] = {}
    url = f"{home}trashbin/objects/"
    with suppress(failures.StatusError, failures.MalformedAnswerError):
        for response in connection.multistatus("REPORT", url, bodies.query(_TOLD)):
            text = response.text(names.CALENDAR_DATA) or ""
            uid, kind = uid_of(text), _KIND.search(text)
            if uid and kind:
                where = key(response.text(names.CALENDAR_URI) or "")
                found[where, uid] = Trashed(response.url, kind[1].upper())
    return found


def key(calendar: str) -> str:
    """Return what a calendar is told by in the bin: the last part of its URL."""
    return hrefs.key(urlsplit(calendar).path.rstrip("/").rpartition("/")[2])


def is_deleted(connection: Connection, url: str) -> bool:
    """Return whether a calendar lies in the bin: its address goes on taking what is written.

    Raises:
        ConnectorError: The server does not say.
    """
    found = describe(connection, url, bodies.propfind([names.RESOURCETYPE]))
    kinds = found.properties.get(names.RESOURCETYPE)
    return kinds is not None and kinds.find(names.DELETED_CALENDAR) is not None


def uid_of(text: str) -> str:
    """Return the first UID in an item's text; empty when there is none."""
    found = _UID.search(_FOLD.sub("", text))
    return found[1].strip() if found else ""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PutOverTrashed:
    """A new item whose UID lies in the bin.

    Attributes:
        put: The item, as if nothing were in its way.
        trashed: What is in its way.
        uid: Its UID.
        home: The calendar home, with a final slash.
        headers: What goes with the deletion of what was brought back, if it comes to that.
    """

    put: Put
    trashed: Trashed
    uid: str
    home: str
    headers: Mapping[str, str]

    def attempt(self, connection: Connection, *, doubtful: bool) -> Done:
        """Bring the old item back, and write over it; see `Put.attempt`."""
        self._bring_back(connection)
        there = self._there(connection)
        if there is None:
            return self.put.attempt(connection, doubtful=doubtful)
        found = fetching.get(connection, there.url)
        if found is None:
            raise ItemError("not written: it lies in the server's trash bin", mend="empty it there")
        if found.data == self.put.body or (doubtful and self.put.alike(found.data)):
            return Done(there.url, found.etag, (NOTE,))
        over = replace(self.put, url=there.url, etag=found.etag)
        try:
            done = over.attempt(connection, doubtful=doubtful)
        except ItemError:
            self._throw_away_again(connection, over)
            raise
        return done._replace(notes=(*done.notes, NOTE))

    def _bring_back(self, connection: Connection) -> None:
        target = f"{self.home}trashbin/restore/file"
        with connection.send("MOVE", self.trashed.url, headers={"Destination": target}) as reply:
            if reply.status in _RESTORED or reply.status == HTTPStatus.NOT_FOUND:
                reply.drain()
                return
            error = reply.error()
        raise refusals.meaning(error, "taken out of the server's trash bin")

    def _there(self, connection: Connection) -> Response | None:
        """Return the item with this UID that is there now."""
        folder = self.put.url.rpartition("/")[0] + "/"
        body = bodies.query([names.CALENDAR_DATA], self.trashed.component, self.uid)
        for response in connection.multistatus("REPORT", folder, body):
            if uid_of(response.text(names.CALENDAR_DATA) or "") == self.uid:
                return response
        return None

    def _throw_away_again(self, connection: Connection, over: Put) -> None:
        job = Delete(url=over.url, etag=over.etag, headers=self.headers)
        try:
            job.attempt(connection, doubtful=False)
        except (ItemError, refusals.NotYetError, *failures.TROUBLE) as error:
            raise ItemError(f"not written, and its old version is back: {error}") from error


class Bin:
    """What lies in an account's bin; looked at when it is needed first.

    Args:
        connection: The account's connection.
        home: The calendar home, with a final slash.
    """

    def __init__(self, connection: Connection, home: str) -> None:
        """Ask for nothing yet."""
        self._connection = connection
        self._home = home
        self._found: Mapping[tuple[str, str], Trashed] | None = None

    def over(self, put: Put, uid: str) -> Put | PutOverTrashed:
        """Return a new item, as a write over what lies in the bin of it where something does.

        Raises:
            ConnectorError: See `lying`.
        """
        if self._found is None:
            self._found = lying(self._connection, self._home)
        trashed = self._found.get((key(put.url.rpartition("/")[0]), uid))
        if trashed is None:
            return put
        return PutOverTrashed(
            put=put, trashed=trashed, uid=uid, home=self._home, headers=put.headers
        )

    def forget(self) -> None:
        """Look again when something is asked for next."""
        self._found = None
