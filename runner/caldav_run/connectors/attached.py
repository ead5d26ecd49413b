"""The files of managed attachments, read after the items that refer to them."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urljoin, urlsplit

from caldav_run import shelf
from caldav_run.connectors.protocol import Baseline
from caldav_run.dav import fetching, files, hrefs
from caldav_run.dav.connection import Connection
from caldav_run.dav.failures import TROUBLE
from caldav_run.errors import CaldavRunError, SetupError
from caldav_run.ical.attachments import Managed, managed
from caldav_run.model import (
    CalendarDone,
    CalendarStart,
    CalendarSynced,
    Changed,
    Failed,
    Gone,
    Item,
    Provenance,
    Reading,
    Unchanged,
)
from caldav_run.shelf import Place

Owner = tuple[str, str]

_log: Final = logging.getLogger(__name__)
_ELSEWHERE: Final = (
    "%s/%s: the attachment %s is not backed up: it lies on another server; if that belongs to the"
    " account, add: trust_hosts: [%s]"
)
_LOST: Final = "the item does not refer to it any more, or could not be read"
_UNREAD: Final = "its item could not be read"
_GIVEN_UP: Final = "it was not asked for, after others were waited for in vain"


@dataclass(slots=True)
class Attached:
    """Follows the reading of an account, and then gives the files that belong to its items.

    Attributes:
        connection: The account's connection, for use after the reading.
        baseline: What is held.
        urls: Where each calendar is, by its id.
        all_named: Whether a calendar that is not named is gone.
    """

    connection: Connection
    baseline: Baseline
    urls: Mapping[str, str]
    all_named: bool = True
    _held: dict[Owner, list[Place]] = field(default_factory=dict)
    _wanted: dict[Place, Managed] = field(default_factory=dict)
    _named: set[Owner] = field(default_factory=set)
    _left: set[Owner] = field(default_factory=set)
    _unread: set[Owner] = field(default_factory=set)
    _whole: set[str] = field(default_factory=set)
    _synced: set[str] = field(default_factory=set)
    _broken: set[str] = field(default_factory=set)
    _patience: int = fetching.PATIENCE

    def __post_init__(self) -> None:
        """Look at which files are held."""
        for name in self.baseline.hrefs(shelf.ID):
            if (known := shelf.place(name)) is not None:
                self._held.setdefault(known.owner, []).append(known)

    def follow(self, readings: Iterable[Reading]) -> Iterator[Reading]:
        """Yield readings as they are."""
        for each in readings:
            self._take(each)
            yield each

    def files(self) -> Iterator[Reading]:
        """Yield the shelf with the files of all items; nothing where no item has any.

        Raises:
            ConnectorError: See `Connection.send`; what was not asked for is named before.
        """
        kept = [each for owner, held in self._held.items() if self._stays(owner) for each in held]
        if not self._wanted and not kept:
            return
        yield CalendarStart(shelf.CALENDAR)
        try:
            for place, each in list(self._wanted.items()):
                yield self._fetched(place, each)
                del self._wanted[place]
            yield from map(self._kept, kept)
        except CaldavRunError as error:
            yield from self._owed(error)
            raise
        yield CalendarDone(shelf.ID)

    def owed(self, error: CaldavRunError) -> Iterator[Reading]:
        """Yield, where the reading of the items broke off, the files that are to be had later.

        Their items are held from now on, and nothing else would ask for the files again.
        """
        if self._wanted:
            yield CalendarStart(shelf.CALENDAR)
            yield from self._owed(error)

    def _owed(self, error: CaldavRunError) -> Iterator[Reading]:
        for place in self._wanted:
            yield Failed(shelf.ID, place.name, f"it was not asked for: {error.message}")

    def _take(self, reading: Reading) -> None:
        match reading:
            case Changed(item):
                owner = item.calendar, item.href
                self._left.update({owner} & self._held.keys())
                for each in self._own(owner, managed(item.body)):
                    self._wanted[Place(*owner, each.managed_id)] = each
            case Unchanged(calendar, href):
                self._named.update({(calendar, href)} & self._held.keys())
            case Gone(calendar, href):
                self._left.add((calendar, href))
            case Failed():
                self._take_failure(reading)
            case CalendarDone(calendar):
                self._whole.add(calendar)
            case CalendarSynced(calendar):
                self._synced.add(calendar)
            case _:
                pass

    def _take_failure(self, reading: Failed) -> None:
        if reading.href is None:
            self._broken.add(reading.calendar)
        else:
            self._unread.update({(reading.calendar, reading.href)} & self._held.keys())

    def _own(self, owner: Owner, found: Iterable[Managed]) -> Iterator[Managed]:
        """Yield the attachments that the account's server keeps.

        An item that came from another server may still say what that one kept, and where.
        """
        for each in found:
            host = self._elsewhere(owner, each)
            if host is None:
                yield each
            else:
                _log.warning(_ELSEWHERE, *owner, each.name or each.managed_id, host)

    def _elsewhere(self, owner: Owner, attachment: Managed) -> str | None:
        """Return the host of an attachment that is not asked for; None of one that is."""
        try:
            url = self._address(owner, attachment)
            allowed = self.connection.trust.allows(url)
        except (ValueError, SetupError):
            return "?"
        return None if allowed else urlsplit(url).netloc

    def _stays(self, owner: Owner) -> bool:
        """Return whether an item whose bytes were not read anew is as it was."""
        if owner in self._left:
            return False
        if owner[0] in self._whole:
            return owner in self._named or owner in self._unread
        return owner[0] in self._synced or self._is_unread(owner)

    def _is_unread(self, owner: Owner) -> bool:
        """Return whether nothing is known of an item, or of where it lies."""
        calendar, _ = owner
        unnamed = not self.all_named and calendar not in self._whole | self._synced
        return owner in self._unread or calendar in self._broken or unnamed

    def _kept(self, place: Place) -> Reading:
        if self.baseline.etag(shelf.ID, place.name) is not None:
            return Unchanged(shelf.ID, place.name)
        if self._is_unread(place.owner):
            return Failed(shelf.ID, place.name, _UNREAD)
        if self._patience == 0:
            return Failed(shelf.ID, place.name, _GIVEN_UP)
        # It could not be read last time, and where it is only its item says.
        try:
            found = fetching.get(self.connection, self._url(place.owner))
            attachments = managed(found.data) if found else ()
        except TROUBLE as error:
            return Failed(shelf.ID, place.name, self._endured(error))
        for each in self._own(place.owner, attachments):
            if each.managed_id == place.managed_id:
                return self._fetched(place, each)
        return Failed(shelf.ID, place.name, _LOST)

    def _fetched(self, place: Place, attachment: Managed) -> Reading:
        if self._patience == 0:
            return Failed(shelf.ID, place.name, _GIVEN_UP)
        try:
            url = self._address(place.owner, attachment)
            body = files.fetch(self.connection, url, attachment.kind)
        except TROUBLE as error:
            what = f"the attachment {attachment.name or attachment.managed_id} of {place.href}"
            return Failed(shelf.ID, place.name, f"{what}: {self._endured(error)}")
        self._patience = min(fetching.PATIENCE, self._patience + 1)
        etag = f'"{place.managed_id}"'
        return Changed(Item(shelf.ID, place.name, etag, body, Provenance.GET))

    def _endured(self, error: Exception) -> str:
        """Return an error in words; each wait in vain may last a minute, and files are many."""
        if fetching.in_vain(error):
            self._patience -= 1
        return str(error)

    def _address(self, owner: Owner, attachment: Managed) -> str:
        """Return where a file is.

        A server behind another one that speaks TLS for it may say `http:` of itself.

        Raises:
            ValueError: That is no address.
        """
        url, base = urlsplit(urljoin(self._url(owner), attachment.url)), self.connection.base
        here = urlsplit(base)
        if (url.scheme, here.scheme) == ("http", "https") and url.hostname == here.hostname:
            url = url._replace(scheme=here.scheme, netloc=here.netloc)
        return url.geturl()

    def _url(self, owner: Owner) -> str:
        calendar, href = owner
        return hrefs.resolve(self.urls.get(calendar, self.connection.base), href)
