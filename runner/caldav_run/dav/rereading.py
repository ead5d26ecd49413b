"""Some members of a calendar, asked for by name."""

from collections.abc import Collection as Names
from collections.abc import Iterator

from caldav_run.dav.collections import Collection
from caldav_run.dav.connection import Connection
from caldav_run.dav.fetching import Fetcher
from caldav_run.dav.lanes import Lanes
from caldav_run.dav.members import Members, named
from caldav_run.dav.pace import Pace
from caldav_run.dav.profiles import Profile
from caldav_run.model import Changed, Failed, Gone


def reread(
    connection: Connection, collection: Collection, hrefs: Names[str], profile: Profile
) -> Iterator[Changed | Failed | Gone]:
    """Yield what is there under each of these names, by as few requests as the server bears.

    Raises:
        InterruptedAnswerError: Too many answers failed to come.
        StatusError: The server stays busy.
        ConnectorError: See `Connection.send`.
    """
    wanted = Members(collection.url)
    for href in hrefs:
        wanted.add(named(collection.url, href))
    with Lanes(connection, Pace(profile.concurrency, profile.multiget_limit)) as lanes:
        fetcher = Fetcher(collection, wanted, lanes)

        def go_on() -> None:
            while fetcher.under_way <= lanes.pace.width and fetcher.begin_one():
                pass

        for each in fetcher.fetch(go_on):
            if isinstance(each, Changed | Failed):
                yield each
        for member in fetcher.vanished:
            yield Gone(collection.calendar.id, member.href)
