"""Which requests a reading needs, and in which order they are made."""

from collections import deque
from collections.abc import Collection as Container
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import partial
from itertools import islice
from typing import Final, Protocol

from caldav_run.dav import members, syncing
from caldav_run.dav.collections import Collection
from caldav_run.dav.connection import Connection
from caldav_run.dav.failures import TROUBLE
from caldav_run.dav.fetching import Fetcher
from caldav_run.dav.lanes import Lanes, Task
from caldav_run.dav.members import Members
from caldav_run.dav.patience import patiently
from caldav_run.dav.profiles import Profile, Sync
from caldav_run.dav.syncing import Changes
from caldav_run.model import Mark

_SPARE: Final = 4
"""How many answers may wait to be used while as many requests are made as the server bears."""
_AHEAD: Final = 16
"""How many calendars ahead of the one at hand may be asked for."""
_CLOCKS_S: Final = 3600.0
"""By how much a server's clock may be behind, where an item has to be read anew by its time."""


class Known(Protocol):
    """What need not be read again; see `connectors.protocol.Baseline`."""

    def etag(self, calendar: str, href: str) -> str | None:
        """Return the etag whose bytes are held."""

    def knows(self, calendar: str) -> bool:
        """Return whether anything of the calendar is held."""

    def mark(self, calendar: str) -> Mark | None:
        """Return how far it was read."""

    def doubtful(self, calendar: str) -> Container[str]:
        """Return what has to be read again whether it changed or not."""

    def hrefs(self, calendar: str) -> Container[str]:
        """Return the names that are held."""


class Way(Enum):
    """How to learn what is in a calendar."""

    SKIP = "nothing has changed"
    SYNC = "ask what has changed"
    LIST = "list all members, fetch what is not known"
    FETCH = "list all members, fetch all"


@dataclass(slots=True)
class Track:
    """One calendar on its way."""

    collection: Collection
    way: Way
    task: Task[Members | Changes | Exception | None] | None = None
    fetcher: Fetcher | None = None
    named: frozenset[str] = frozenset()
    """What the server names as changed though its etag is the held one."""
    taken: bool = False
    """Whether this is the calendar at hand, so that what is known of it is looked at here."""

    @property
    def under_way(self) -> int:
        """How many requests were begun whose answers have not been looked at."""
        fetching = self.fetcher.under_way if self.fetcher else 0
        listing = self.task is not None and self.fetcher is None and not self.taken
        return fetching + listing


class Tracks:
    """The calendars of an account in order: the one at hand first, later ones asked for ahead."""

    def __init__(
        self,
        collections: Sequence[Collection],
        known: Known,
        now: datetime,
        profile: Profile,
        lanes: Lanes,
    ) -> None:
        """Ask for nothing yet."""
        self._known = known
        self._now = now.timestamp()
        self._profile = profile
        self._lanes = lanes
        # A calendar of which nothing is needed costs no memory, however many there are.
        guesses = ((each, self._way(each)) for each in collections)
        self._tracks = deque(Track(each, way) for each, way in guesses if way is not Way.SKIP)

    def _way(self, collection: Collection) -> Way:
        calendar = collection.calendar.id
        mark = self._known.mark(calendar)
        if mark is None:
            return Way.LIST if self._known.knows(calendar) else Way.FETCH
        age = self._now - mark.audited
        if not 0 <= age < self._profile.audit_every.total_seconds():
            return Way.LIST
        if collection.seen is not None and collection.seen == mark.seen:
            return Way.SKIP
        asked = mark.token and self._profile.sync is not Sync.NONE
        return Way.SYNC if asked else Way.LIST

    def turn_to(self, collection: Collection) -> Track:
        """Return the calendar's track; what was guessed of it is looked at again."""
        way = self._way(collection)
        if self._tracks and self._tracks[0].collection is collection:
            track = self._tracks[0]
            if track.fetcher is not None:
                way = Way.FETCH
            if (track.way is Way.SYNC) != (way is Way.SYNC):
                track.task = None
            track.way = way
        else:
            track = Track(collection, way)
            self._tracks.appendleft(track)
        track.taken = True
        return track

    def drop(self, track: Track) -> None:
        """Turn away from a calendar."""
        if self._tracks and self._tracks[0] is track:
            self._tracks.popleft()

    def go_on(self) -> None:
        """Begin as many requests as the server bears and memory holds, the nearest first."""
        ahead = list(islice(self._tracks, _AHEAD))
        room = self._lanes.pace.width + _SPARE - sum(each.under_way for each in ahead)
        for track in ahead:
            while room > 0 and self._begin_one(track):
                room -= 1

    def _begin_one(self, track: Track) -> bool:
        if track.task is None and track.fetcher is None:
            return self._ask_for(track)
        if track.fetcher is None and track.way is Way.FETCH and track.task and track.task.good:
            self.fetch_all(track)
        return track.fetcher is not None and track.fetcher.begin_one()

    def _ask_for(self, track: Track) -> bool:
        url = track.collection.url
        if track.way is Way.SKIP:
            return False
        if track.way is Way.SYNC:
            mark = self._known.mark(track.collection.calendar.id)
            token = (mark.token if mark else None) or ""
            track.task = self._lanes.submit(partial(syncing.changes, url=url, token=token))
        else:
            settled = self._settled(track.collection.calendar.id)
            track.task = self._lanes.submit(
                partial(listed, url=url, settled=settled, costly=self._profile.costly)
            )
        return True

    def _settled(self, calendar: str) -> float | None:
        """Return before when (in Unix time) an etag that is held was that of the held item."""
        if not self._profile.etags_recur:
            return None
        mark = self._known.mark(calendar)
        return 0.0 if mark is None else mark.audited - _CLOCKS_S

    def fetch_all(self, track: Track) -> None:
        """Have all members of a calendar fetched that was listed."""
        found = track.task.result() if track.task else None
        if track.task and isinstance(found, Members):
            self._lanes.pace.listed(len(found), track.task.seconds)
            track.fetcher = Fetcher(track.collection, found, self._lanes)

    def answer(self, track: Track) -> Members | Changes | None:
        """Return what the calendar at hand was asked for first.

        Raises:
            StatusError: It cannot be listed.
            ConnectorError: See `Connection.multistatus`.
        """
        # However much is under way for later ones.
        if track.task is None:
            self._ask_for(track)
        if track.task is None:
            return None
        found = self._lanes.wait(track.task, self.go_on)
        if isinstance(found, Exception):
            raise found
        if isinstance(found, Members):
            self._lanes.pace.listed(len(found), track.task.seconds)
        return found


def listed(
    connection: Connection,
    url: str,
    settled: float | None = None,
    costly: frozenset[str] = frozenset(),
) -> Members | Exception:
    """Return the members of a calendar, or what went wrong; see `members.listed`."""
    try:
        return patiently(lambda: members.listed(connection, url, settled, costly))
    except TROUBLE as error:
        return error
