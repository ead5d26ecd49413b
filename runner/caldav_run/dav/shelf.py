"""Items moved aside, onto a calendar of their own that is deleted with all that lies on it.

For servers that tell people of every item that is changed or deleted, whatever the request asks
for. Of an item that is moved they tell nobody, and of a deleted calendar neither.
"""

import contextlib
import logging
import secrets
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from threading import Lock
from typing import Final

from caldav_run.dav import creating, deleting, fetching, refusals
from caldav_run.dav.connection import Connection
from caldav_run.dav.deleting import Delete
from caldav_run.dav.failures import TROUBLE, MalformedAnswerError, StatusError
from caldav_run.dav.putting import ANY, Done, Put
from caldav_run.dav.scheduling import SILENT
from caldav_run.errors import ConnectorError, ItemError, MovedError
from caldav_run.model import Calendar

_TITLE: Final = "Set aside by caldav-run"
_MOVED: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT})
_log: Final = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Shelf:
    """Where the items of one calendar are moved to; made with the first one.

    A calendar of its own for each, since a server may take a UID only once in a calendar.

    Attributes:
        home: The calendar home, with a final slash.
        components: What lies in the calendar.
    """

    home: str
    components: tuple[str, ...]
    _url: str | None = field(default=None, init=False)
    _owed: dict[str, str] = field(default_factory=dict, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def take(self, connection: Connection, url: str) -> None:
        """Move an item here; it is owed until it is settled.

        Raises:
            ItemError: It cannot be moved, or there is no calendar to move it to.
            NotYetError: It was not moved, and may be when it is tried again.
            ConnectorError: See `Connection.send`.
        """
        place = f"{self._folder(connection)}{secrets.token_hex(8)}.ics"
        # Kept in mind before: it may have been moved though no answer comes.
        self._owed[url] = place
        try:
            _move(connection, url, place)
        except (ItemError, refusals.NotYetError):
            self.settle(url)
            raise

    def owes(self, url: str) -> bool:
        """Return whether what was at this place lies here, and what is to be there does not yet."""
        return url in self._owed

    def settle(self, url: str) -> None:
        """Take note that the item that was here may go."""
        self._owed.pop(url, None)

    def give_back(self, connection: Connection, url: str) -> None:
        """Move an item to where it was.

        Raises:
            ItemError: It stays where it is.
        """
        if url in self._owed:
            _move(connection, self._owed[url], url)
            self.settle(url)

    def clear(self, connection: Connection) -> None:
        """Delete the calendar, but not what is owed; what goes wrong is only logged."""
        if self._url is None:
            return
        for url in list(self._owed):
            self._bring_home(connection, url)
        if self._owed:
            number = len(self._owed)
            _log.warning("%s holds %d item(s) whose new version was not written", self._url, number)
            return
        try:
            deleting.delete_collection(connection, self._url, SILENT)
        except (StatusError, ConnectorError) as error:
            _log.warning("%s is left over, delete it: %s", self._url, error)
        self._url = None

    def _bring_home(self, connection: Connection, url: str) -> None:
        """Give back what nothing has come for, as far as that can be told and done."""
        with contextlib.suppress(ItemError, refusals.NotYetError, ConnectorError, *TROUBLE):
            if fetching.get(connection, url) is None:
                self.give_back(connection, url)

    def _folder(self, connection: Connection) -> str:
        with self._lock:
            if self._url is None:
                name = f"caldav-run-{secrets.token_hex(4)}"
                made = Calendar(id=name, display_name=_TITLE, components=self.components)
                try:
                    self._url = creating.create(connection, self.home, made)[0].url
                except (StatusError, MalformedAnswerError) as error:
                    raise ItemError(f"there is nowhere to set it aside: {error.message}") from error
            return self._url


def _move(connection: Connection, url: str, target: str) -> None:
    headers = {**SILENT, "Destination": target, "Overwrite": "F"}
    with connection.send("MOVE", url, headers=headers) as reply:
        if reply.status in _MOVED:
            reply.drain()
            return
        error = reply.error()
    raise refusals.meaning(error, "moved aside")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SetAside:
    """A write over, or a deletion of, an item with people, which is moved away before.

    Attributes:
        job: The write itself.
        shelf: Where the item goes.
    """

    job: Put | Delete
    shelf: Shelf

    def attempt(self, connection: Connection, *, doubtful: bool) -> Done:
        """Move the item away, then write the new one in its place; see `Put.attempt`."""
        found = fetching.get(connection, self.job.url)
        if found is not None:
            if doubtful and isinstance(self.job, Put) and self.job.alike(found.data):
                self.shelf.settle(self.job.url)
                return Done(self.job.url, found.etag)
            if self.job.etag not in {None, ANY, found.etag}:
                raise MovedError("it has changed meanwhile")
            self.shelf.take(connection, self.job.url)
        elif isinstance(self.job, Put) and not self.shelf.owes(self.job.url):
            raise MovedError("it is gone since it was planned")
        done = self._put(connection, self.job) if isinstance(self.job, Put) else Done()
        self.shelf.settle(self.job.url)
        return done

    def _put(self, connection: Connection, job: Put) -> Done:
        try:
            return replace(job, etag=None).attempt(connection, doubtful=False)
        except ItemError:
            self.shelf.give_back(connection, job.url)
            raise
