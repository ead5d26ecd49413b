"""Real servers with events in five calendars, filled by the quickest way that each of them has."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.integration.servers.starting import running

from caldav_run.testing.servers import Server, embedded_radicale

CALENDARS: Final = 5
EVENT: Final = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//caldav-run//benchmark//EN
BEGIN:VEVENT
UID:{number:06}@benchmark
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Berlin:20260501T120000
DTEND;TZID=Europe/Berlin:20260501T130000
SUMMARY:Meeting number {number}
LOCATION:Room {number}
DESCRIPTION:An agenda that is as long as agendas are\\, with some words about
  each of its points and a link https://example.org/agenda/{number}
CATEGORIES:work,meeting
END:VEVENT
END:VCALENDAR
"""
_WRITERS: Final = 4
# A PUT takes 50 ms there, and some fail while others write.
_NEXTCLOUD: Final = """
require '/var/www/html/lib/base.php';
[$_, $user, $from, $to, $calendars, $event] = $argv;
$dav = \\OCP\\Server::get(\\OCA\\DAV\\CalDAV\\CalDavBackend::class);
$database = \\OCP\\Server::get(\\OCP\\IDBConnection::class);
$ids = [];
foreach ($dav->getCalendarsForUser("principals/users/$user") as $each) {
  $ids[$each['uri']] = $each['id'];
}
$database->beginTransaction();
for ($number = (int)$from; $number < (int)$to; $number++) {
  $body = str_replace(['{number:06}', '{number}'], [sprintf('%06d', $number), $number], $event);
  $dav->createCalendarObject($ids['c' . $number % $calendars], sprintf('%06d.ics', $number), $body);
}
$database->commit();
"""

Put = Callable[[range], None]


@dataclass
class Filled:
    """A server that is filled further and further.

    Attributes:
        name: Its name in the harness of `tests/integration/servers`.
        server: The account.
        put: Stores the events of these numbers.
        items: How many there are.
    """

    name: str
    server: Server
    put: Put
    items: int = field(default=0, init=False)

    def fill(self, items: int) -> None:
        """Have so many events in the five calendars."""
        if not self.items:
            for number in range(CALENDARS):
                self.server.send("MKCALENDAR", f"c{number}/")
        self.put(range(self.items, items))
        self.items = items


def body_of(number: int, text: str = EVENT) -> bytes:
    """Return one event."""
    return text.format(number=number).replace("\n", "\r\n").encode()


@contextlib.contextmanager
def empty(name: str) -> Iterator[Filled]:
    """Run a server by its name, until the context ends."""
    if name == "radicale":
        with _radicale() as filled:
            yield filled
        return
    with running(name) as found:
        server = found.account

        def put(numbers: range) -> None:
            with ThreadPoolExecutor(_WRITERS) as pool:
                list(pool.map(lambda number: server.put(_path(number), body_of(number)), numbers))

        def put_inside(numbers: range) -> None:
            words = (numbers.start, numbers.stop, CALENDARS, EVENT.replace("\n", "\r\n"))
            arguments = (server.username, *map(str, words))
            found.command("php", "-r", _NEXTCLOUD, "--", *arguments, user="www-data")

        yield Filled(name, server, put_inside if name == "nextcloud" else put)


@contextlib.contextmanager
def _radicale() -> Iterator[Filled]:
    with (
        tempfile.TemporaryDirectory() as name,
        embedded_radicale(Path(name), {"alice": "benchmark"}) as server,
    ):
        home = Path(name) / "collections" / "collection-root" / "alice"

        def put(numbers: range) -> None:
            """Write into its folder: a PUT takes 35 ms."""
            for number in numbers:
                (home / _path(number)).write_bytes(body_of(number))

        yield Filled("radicale", server, put)


def _path(number: int) -> str:
    return f"c{number % CALENDARS}/{number:06}.ics"
