"""A write that must not be heard of: the item that is there is made quiet first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from caldav_run.dav import fetching
from caldav_run.dav.connection import Connection
from caldav_run.dav.deleting import Delete
from caldav_run.dav.putting import ANY, Done, Put
from caldav_run.errors import MovedError


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class HushedFirst:
    """A write over, or a deletion of, an item with people, on a server that tells them of it.

    Attributes:
        job: The write itself.
        hush: Gives the bytes of an item as a server tells nobody of it.
        headers: What goes with the request before.
    """

    job: Put | Delete
    hush: Callable[[bytes], bytes]
    headers: Mapping[str, str]

    def attempt(self, connection: Connection, *, doubtful: bool) -> Done:
        """Put the item that is there once more, hushed, then do the write; see `Put.attempt`."""
        found = fetching.get(connection, self.job.url)
        quiet = None if found is None else self.hush(found.data)
        if found is None or quiet is None or quiet == found.data:
            return self.job.attempt(connection, doubtful=doubtful)
        if self.job.etag not in {None, ANY, found.etag}:
            raise MovedError("it has changed meanwhile")
        done = Put(
            url=self.job.url,
            body=quiet,
            etag=found.etag or ANY,
            alike=lambda there: self.hush(there) == there,
            headers=self.headers,
            looks=self.job.looks,
        ).attempt(connection, doubtful=False)
        again = fetching.get(connection, self.job.url) if done.etag is None else None
        etag = done.etag if again is None else again.etag
        return replace(self.job, etag=etag or ANY).attempt(connection, doubtful=doubtful)
