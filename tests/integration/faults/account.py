"""A real account behind a proxy that plays faults, a repository, and what each run should come to.

The account is in one of two states: as at its last healthy backup, and as it is since. All faults
lie in the proxy, so that every test of a module finds the same account.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.engine.guard import Expectation
from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.report.text import line
from caldav_run.engine.run import run
from caldav_run.model import Item, Options
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.holding import Holding, Key, sink
from caldav_run.testing.scripted import Answer, Asked, ScriptedServer
from caldav_run.testing.servers import Server
from caldav_run.testing.vault import START, Clock, Vault

Forward = Callable[[], Answer]
"""Gives the real server's answer."""

Fault = Callable[[Asked, Forward], Answer]
"""What becomes of a request."""

_NOT_OF_THE_ANSWER = frozenset({"connection", "content-length", "date", "server"})
_NOT_OF_THE_REQUEST = frozenset({"accept-encoding", "connection", "content-length", "host"})


class Shown(NamedTuple):
    """What a snapshot gives back of an item.

    Attributes:
        body: Its bytes; None when they were never read.
        stale_since: When they were last read, where they could not be read since.
    """

    body: bytes | None
    stale_since: datetime | None = None


Picture = Mapping[Key, Shown]


@dataclass(frozen=True)
class Ran:
    """A run that has ended.

    Attributes:
        status: Its exit status.
        said: What it printed, line by line.
    """

    status: int
    said: list[str]

    @property
    def errors(self) -> list[str]:
        """The lines that tell of errors."""
        return [each for each in self.said if each.startswith("error: ")]


def healthy(_: Asked, answer: Forward) -> Answer:
    """Play no fault."""
    return answer()


@dataclass
class Account:
    """See the module.

    Attributes:
        server: The real server.
        proxy: What the product is told to read.
        vault: Where backups go.
        fault: What the proxy plays.
        options: Further options of the source; None takes one away.
    """

    server: Server
    proxy: ScriptedServer
    vault: Vault
    fault: Fault = healthy
    options: Options = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Put the proxy in front of the server."""
        self.proxy.script = lambda asked: self.fault(asked, lambda: forward(self.server, asked))

    def back_up(self) -> Ran:
        """Run a pipeline once, an hour after the last time."""
        self.vault.clock.forward(hours=1)
        job = Job(
            name="test",
            sources=(NamedSource("cloud", self.source()),),
            filters=(),
            sinks=(NamedSink("vault", sink(self.vault)),),
            expect=Expectation(),
            timezone=UTC,
            now=self.vault.clock.now,
        )
        said: list[str | None] = []
        self.proxy.asked.clear()
        status = run(job, lambda event: said.append(line(event)))
        return Ran(status, [each for each in said if each is not None])

    def source(self) -> CaldavSource:
        """Return what a run reads."""
        now, state = self.vault.clock.now, self.vault.state
        context = Context(name="cloud", pipeline="test", timezone=UTC, now=now, state_dir=state)
        told = {**self.server.options, "url": self.proxy.url, **self.options}
        options = {name: value for name, value in told.items() if value is not None}
        return CaldavSource.from_options(options, context)

    def holding(self) -> Holding:
        """Return what the latest snapshot holds."""
        home = f"{self.proxy.url.rstrip('/')}{self.server.home}"
        return Holding.of(self.vault, "cloud", f"{home} as {self.server.username}")

    def shown(self) -> Picture:
        """Return what the latest snapshot gives back; nothing where there is none."""
        if not self.vault.segments():
            return {}
        reader = self.vault.reader()
        latest = reader.resolve("latest", "cloud")
        infos = {(each.calendar, each.href): each for each in reader.items(latest)}
        read = reader.bodies(infos.values())
        bodies = {(each.calendar, each.href): each.body for each in read if isinstance(each, Item)}
        return {key: Shown(bodies.get(key), info.stale_since) for key, info in infos.items()}

    def heal(self) -> None:
        """Play no fault any more."""
        self.fault, self.options = healthy, {}

    def forget_where_it_was(self) -> None:
        """Have the next run look for the account again."""
        shutil.rmtree(self.vault.state / "accounts", ignore_errors=True)


def empty_vault(folder: Path) -> Vault:
    """Return a new vault in a new folder."""
    folder.mkdir()
    return Vault(folder, Clock(START))


def forward(server: Server, asked: Asked) -> Answer:
    """Have the real server answer; unlike it, with line ends that survive XML."""
    headers = {name: it for name, it in asked.headers.items() if name not in _NOT_OF_THE_REQUEST}
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    try:
        connection.request(asked.method, asked.path, asked.body or None, headers)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    given = {
        name: it for name, it in response.getheaders() if name.lower() not in _NOT_OF_THE_ANSWER
    }
    if response.status == 207:
        body = body.replace(b"\r", b"&#13;")
    return Answer(response.status, body, given)


def fill(server: Server) -> None:
    """Make the account as it is at its last healthy backup."""
    for calendar in ("work", "home", "empty"):
        assert server.send("MKCALENDAR", f"{calendar}/") == 201
    for name in ("a", "b", "c", "d", "gone"):
        server.put(f"work/{name}.ics", event(name))
    for name in ("x", "y"):
        server.put(f"home/{name}.ics", event(name))


def change(server: Server) -> None:
    """Make the account as it is since; `work/a.ics` is the item that faults concern."""
    server.put("work/a.ics", event("a", "Dinner"))
    server.put("work/new.ics", event("new"))
    server.put("home/x.ics", event("x", "Dinner"))
    assert server.send("DELETE", "work/gone.ics") in {200, 204}
