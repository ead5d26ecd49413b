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
from caldav_run.errors import SetupError
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


@dataclass(slots=True)
class Attached:
    """Follows the reading of an account, and then gives the files that belong to its items.

    Attributes:
        connection: The account's connection, for use after the reading.
        baseline: What is held.
        urls: Where each calendar is, by its id.
    """

    connection: Connection
    baseline: Baseline
    urls: Mapping[str, str]
    _held: dict[Owner, list[Place]] = field(default_factory=dict)
    _wanted: dict[Owner, tuple[Managed, ...]] = field(default_factory=dict)
    _named: set[Owner] = field(default_factory=set)
    _left: set[Owner] = field(default_factory=set)
    _whole: set[str] = field(default_factory=set)
    _partly: set[str] = field(default_factory=set)

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
        """Yield the shelf with the files of all items; nothing where no item has any."""
        kept = [each for owner, held in self._held.items() if self._stays(owner) for each in held]
        if not self._wanted and not kept:
            return
        yield CalendarStart(shelf.CALENDAR)
        for owner, attachments in self._wanted.items():
            for each in attachments:
                yield self._fetched(Place(*owner, each.managed_id), each)
        yield from map(self._kept, kept)
        yield CalendarDone(shelf.ID)

    def _take(self, reading: Reading) -> None:
        match reading:
            case Changed(item):
                owner = item.calendar, item.href
                self._left.update({owner} & self._held.keys())
                if found := tuple(self._own(owner, managed(item.body))):
                    self._wanted[owner] = found
            case Unchanged(calendar, href) | Failed(calendar, str(href), _):
                self._named.update({(calendar, href)} & self._held.keys())
            case Gone(calendar, href):
                self._left.add((calendar, href))
            case CalendarDone(calendar):
                self._whole.add(calendar)
            case CalendarSynced(calendar) | Failed(calendar, None, _):
                self._partly.add(calendar)
            case _:
                pass

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
            return owner in self._named
        return owner[0] in self._partly

    def _kept(self, place: Place) -> Reading:
        if self.baseline.etag(shelf.ID, place.name) is not None:
            return Unchanged(shelf.ID, place.name)
        # It could not be read last time, and where it is only its item says.
        try:
            found = fetching.get(self.connection, self._url(place.owner))
            attachments = managed(found.data) if found else ()
        except TROUBLE as error:
            return Failed(shelf.ID, place.name, str(error))
        for each in self._own(place.owner, attachments):
            if each.managed_id == place.managed_id:
                return self._fetched(place, each)
        return Failed(shelf.ID, place.name, _LOST)

    def _fetched(self, place: Place, attachment: Managed) -> Reading:
        try:
            url = self._address(place.owner, attachment)
            body = files.fetch(self.connection, url, attachment.kind)
        except TROUBLE as error:
            what = f"the attachment {attachment.name or attachment.managed_id} of {place.href}"
            return Failed(shelf.ID, place.name, f"{what}: {error}")
        etag = f'"{place.managed_id}"'
        return Changed(Item(shelf.ID, place.name, etag, body, Provenance.GET))

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
