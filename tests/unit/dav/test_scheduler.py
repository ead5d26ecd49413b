"""What a server does not say clearly counts as scheduling."""

import pytest

from caldav_run.dav import scheduler
from caldav_run.dav.connection import Connection
from caldav_run.dav.discovery import Account
from caldav_run.testing.scripted import Answer, ScriptedServer, multistatus, response

ADDRESSES = "<c:calendar-user-address-set>{}</c:calendar-user-address-set>"


@pytest.fixture
def account(server: ScriptedServer, connection: Connection) -> Account:
    home = f"{server.url}home/"
    return Account(connection, home, (home,), principal=f"{server.url}alice/")


@pytest.mark.parametrize("classes", ["1, 3, calendar-access", "1, calendar-access, x"])
@pytest.mark.parametrize("status", [200, 204])
def test_a_server_that_lists_what_it_does_without_it_does_no_scheduling(
    server: ScriptedServer, account: Account, status: int, classes: str
) -> None:
    server.script = lambda _: Answer(status, headers={"DAV": classes})
    assert not scheduler.ask(account).offered


@pytest.mark.parametrize(
    ("status", "classes"),
    [
        (200, "1, calendar-access, Calendar-Auto-Schedule"),
        (200, "1, calendar-schedule, calendar-access"),
        (200, ""),
        (405, "1, calendar-access"),
    ],
)
def test_any_other_server_does_scheduling(
    server: ScriptedServer, account: Account, status: int, classes: str
) -> None:
    server.script = lambda _: Answer(status, headers={"DAV": classes})
    assert scheduler.ask(account).offered


def test_an_account_has_the_addresses_that_its_principal_names(
    server: ScriptedServer, account: Account
) -> None:
    markup = ADDRESSES.format("<d:href>mailto:Alice@example.org</d:href><d:href>/alice/</d:href>")
    server.script = lambda _: multistatus(response("/alice/", markup))
    assert scheduler.ask(account).addresses == frozenset({"alice@example.org", "/alice/"})


@pytest.mark.parametrize("markup", [ADDRESSES.format(""), ""])
def test_an_account_whose_principal_names_no_address_has_none(
    server: ScriptedServer, account: Account, markup: str
) -> None:
    server.script = lambda _: multistatus(response("/alice/", markup))
    assert scheduler.ask(account).addresses == frozenset()


@pytest.mark.parametrize("answer", [Answer(403), multistatus()])
def test_an_account_whose_principal_says_nothing_may_have_an_address(
    server: ScriptedServer, account: Account, answer: Answer
) -> None:
    server.script = lambda _: answer
    assert scheduler.ask(account).addresses is None


def test_an_account_without_a_principal_may_have_an_address(
    connection: Connection, server: ScriptedServer
) -> None:
    assert scheduler.ask(Account(connection, server.url, (server.url,))).addresses is None
