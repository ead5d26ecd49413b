"""How many requests a run makes: counted, on a real server and on one that is scripted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import pytest

from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.dav.connection import Connection
from caldav_run.dav.reply import Reply
from caldav_run.engine.guard import Expectation
from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.run import run
from caldav_run.model import Options
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.holding import sink
from caldav_run.testing.liar import Liar
from caldav_run.testing.scripted import scripted_server
from caldav_run.testing.servers import embedded_radicale
from caldav_run.testing.vault import Clock, Vault

CALENDARS = 5


@dataclass
class Account:
    """An account of five calendars that a test backs up.

    Attributes:
        options: How a source reaches it.
        put: Stores an item: calendar, name, body.
        vault: Where backups go.
        asked: The requests of the last backup.
    """

    options: Options
    put: Callable[[str, str, bytes], None]
    vault: Vault
    asked: list[str]

    def back_up(self) -> list[str]:
        """Run once and return what was asked."""
        self.asked.clear()
        clock = self.vault.clock
        clock.forward(hours=1)
        context = Context(
            name="cloud", pipeline="test", timezone=UTC, now=clock.now, state_dir=self.vault.state
        )
        job = Job(
            name="test",
            sources=(NamedSource("cloud", CaldavSource.from_options(self.options, context)),),
            filters=(),
            sinks=(NamedSink("vault", sink(self.vault)),),
            expect=Expectation(),
            timezone=UTC,
            now=clock.now,
        )
        assert run(job, lambda _: None) == 0
        return list(self.asked)


def filled(account: Account, items: int) -> Account:
    for number in range(items):
        account.put(f"c{number % CALENDARS}", f"{number}.ics", event(f"u{number}"))
    account.back_up()
    return account


@pytest.fixture(params=["radicale", "scripted"])
def account(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Account]:
    asked: list[str] = []
    exchange = Connection._exchange

    def counted(
        self: Connection, method: str, url: str, body: bytes, headers: dict[str, str]
    ) -> Reply:
        asked.append(f"{method} {url}")
        return exchange(self, method, url, body, headers)

    monkeypatch.setattr(Connection, "_exchange", counted)
    (tmp_path / "vault").mkdir()
    vault = Vault(tmp_path / "vault", Clock())
    if request.param == "radicale":
        with embedded_radicale(tmp_path / "radicale") as server:
            for number in range(CALENDARS):
                server.send("MKCALENDAR", f"c{number}/")

            def put(calendar: str, name: str, body: bytes) -> None:
                server.put(f"{calendar}/{name}", body)

            # Radicale takes its time for 5,000, and the number changes nothing.
            yield filled(Account(server.options, put, vault, asked), 100)
    else:
        liar = Liar()
        with scripted_server(liar) as scripted:
            yield filled(Account({"url": scripted.url}, liar.put, vault, asked), 5000)


def test_a_run_without_changes_makes_at_most_three_requests(account: Account) -> None:
    assert len(account.back_up()) <= 3


def test_one_change_costs_at_most_five_requests(account: Account) -> None:
    account.put("c3", "3.ics", event("u3", "Dinner"))
    assert len(account.back_up()) <= 5
    assert len(account.back_up()) <= 3


def test_one_new_item_costs_at_most_five_requests(account: Account) -> None:
    account.put("c3", "new@example.org.ics", event("new"))
    assert len(account.back_up()) <= 5
