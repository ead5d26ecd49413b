"""Orders as writes onto a server, and what became of them as outcomes."""

from dataclasses import dataclass, field
from functools import partial

from caldav_run.connectors.caldav_files import Files
from caldav_run.connectors.caldav_people import People, edited
from caldav_run.connectors.caldav_places import Place
from caldav_run.connectors.mirroring import Order, Outcome
from caldav_run.dav import hrefs, naming
from caldav_run.dav.connection import Connection
from caldav_run.dav.deleting import Delete
from caldav_run.dav.putting import ANY, Done, Put
from caldav_run.dav.scheduling import Refusal, Way
from caldav_run.dav.shelf import SetAside, Shelf
from caldav_run.dav.trash import Bin
from caldav_run.dav.writer import Job, Write
from caldav_run.errors import ItemError, MovedError
from caldav_run.ical.version import version
from caldav_run.model import Version


@dataclass(frozen=True, slots=True)
class Refused:
    """What is not done at all."""

    reason: str

    def attempt(self, connection: Connection, *, doubtful: bool) -> Done:
        """Say why.

        Raises:
            ItemError: Always.
        """
        del connection, doubtful
        raise ItemError(self.reason)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Desk:
    """Makes writes of the orders for one calendar.

    Attributes:
        place: The calendar.
        people: What is done with items that have people in them.
        looks: Whether to look before a write, for a server that does not heed conditions.
        shelf: Where items go that are moved aside.
        bin: The server's bin, where it has one.
        files: What becomes of managed attachments.
    """

    place: Place
    people: People
    looks: bool
    shelf: Shelf
    bin: Bin | None
    files: Files
    _named: dict[Order, str] = field(default_factory=dict, init=False)
    _tried: set[str] = field(default_factory=set, init=False)

    def write(self, order: Order) -> Write[Order]:
        """Return an order as a write; a new item is given its name."""
        if order.wanted is None:
            return Write(order, partial(self._deletion, order.replaces), "deleted")
        if order.replaces is not None:
            href = order.replaces.href
        else:
            href = naming.new_href(order.wanted.href, order.wanted.uid, self.place.taken)
            self.place.taken.add(hrefs.key(href))
            self._named[order] = href
        return Write(order, partial(self._put, order, order.wanted, href))

    def outcome(self, order: Order, done: Done | ItemError) -> Outcome:
        """Return what became of an order, and keep in mind what is there now."""
        named = self._named.pop(order, None)
        if isinstance(done, ItemError):
            moved = isinstance(done, MovedError)
            return Outcome(order, named if moved else None, error=done, moved=moved)
        uids = self.place.uids if self.place.uids is not None else {}
        if done.url is None:
            if order.replaces is not None:
                self.place.taken.discard(hrefs.key(order.replaces.href))
                uids.pop(order.replaces.uid, None)
            return Outcome(order, notes=done.notes)
        href = hrefs.relative(hrefs.path_of(done.url), hrefs.path_of(self._url)) or done.url
        self.place.taken.add(hrefs.key(href))
        way = self.people.way_of(order)
        notes = done.notes
        if order.wanted is not None:
            uids[order.wanted.uid] = href
        if isinstance(way, Way) and way.note is not None:
            notes = (*notes, way.note)
        return Outcome(order, href, done.etag, notes=notes)

    @property
    def _url(self) -> str:
        return self.place.collection.url

    def _deletion(self, present: Version | None) -> Job:
        way = self.people.way(None, present)
        if present is None or isinstance(way, Refusal):
            return Refused(way.reason if isinstance(way, Refusal) else "there is nothing to delete")
        url = hrefs.resolve(self._url, present.href)
        job = Delete(url=url, etag=present.etag, headers=way.headers, looks=self.looks)
        return self._aside(job, way)

    def _put(self, order: Order, wanted: Version, href: str) -> Job:
        present = order.replaces
        way = self.people.way_of(order)
        if isinstance(way, Refusal):
            return Refused(f"not written: {way.reason}")
        sent = self.files.packed(order, self.place.collection)
        body = edited(sent.body, way)
        job = Put(
            url=hrefs.resolve(self._url, href),
            body=body,
            etag=None if present is None else present.etag or ANY,
            alike=partial(_alike, body),
            headers=way.headers,
            looks=self.looks,
        )
        over = self._aside(job, way) if present is not None else self._over_trashed(job, wanted.uid)
        return sent.around(over, way.headers)

    def _over_trashed(self, job: Put, uid: str) -> Job:
        """Return a new item as a write over what the server's bin has of it, if anything."""
        if self.bin is None:
            return job
        if job.url in self._tried:
            # It was refused once: perhaps somebody has deleted such an item meanwhile.
            self.bin.forget()
        self._tried.add(job.url)
        return self.bin.over(job, uid)

    def _aside(self, job: Put | Delete, way: Way) -> Job:
        return SetAside(job=job, shelf=self.shelf) if way.aside else job


def _alike(sent: bytes, found: bytes) -> bool:
    """Return whether some bytes are those that were sent, perhaps as the server rewrote them."""
    one, other = version(sent, "", None), version(found, "", None)
    if one.digest == other.digest:
        return True
    same = (one.uid, one.stamp, one.label) == (other.uid, other.stamp, other.label)
    return bool(one.uid) and same
