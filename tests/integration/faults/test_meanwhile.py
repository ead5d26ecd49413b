"""Accounts that change while they are read; see `docs/testing.md`."""

from collections.abc import Callable

import pytest
from tests.integration.faults import catalogue
from tests.integration.faults.account import Fault, Forward
from tests.integration.faults.cases import IN_EACH_RUN
from tests.integration.faults.places import Place, Strikes
from tests.integration.faults.stage import Stage, When, named

from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.scripted import Answer, Asked
from caldav_run.testing.servers import Server


def first(act: Callable[[Server], object], server: Server) -> Fault:
    """Return a fault that does something to the account, then has it answer."""

    def fault(_: Asked, answer: Forward) -> Answer:
        act(server)
        return answer()

    return fault


def delete_calendar(server: Server) -> None:
    server.send("DELETE", "work/")


def delete_item(server: Server) -> None:
    server.send("DELETE", "work/a.ics")


def assert_as_anew(stage: Stage) -> None:
    """Run a healthy backup; it comes to what a first one comes to."""
    ran = stage.account.back_up()
    assert (ran.status, ran.errors) == (0, [])
    holding = stage.account.holding()
    stage.new.back(stage.account.vault)
    assert stage.account.back_up().status == 0
    assert stage.account.holding() == holding


@pytest.mark.parametrize(
    ("when", "place"),
    [
        (When.FIRST, Place.LISTING),
        (When.FIRST, Place.REPORT),
        (When.LATER, Place.SYNC),
        (When.LATER, Place.REPORT),
        (When.AUDIT, Place.LISTING),
        (When.AUDIT, Place.REPORT),
    ],
)
def test_a_calendar_that_is_deleted_while_it_is_read_is_carried_forward_once(
    own: Stage, when: When, place: Place
) -> None:
    strike = Strikes(place, first(delete_calendar, own.account.server), times=1)
    ran = own.strike(when, strike)
    assert ran.status == 3
    assert named(ran, ["alice/work"])
    assert "404" in ran.errors[0]
    assert own.account.shown() == own.carried(when, "work")
    assert_as_anew(own)
    assert not [key for key in own.account.shown() if key[0] == "work"]


@pytest.mark.parametrize("place", [Place.REPORT, Place.ITEM])
@IN_EACH_RUN
def test_an_item_that_is_deleted_while_its_calendar_is_read_is_gone(
    own: Stage, when: When, place: Place
) -> None:
    ran = own.strike(when, Strikes(place, first(delete_item, own.account.server), times=1))
    assert (ran.status, ran.errors) == (0, [])
    shown = {key: it for key, it in own.after.shown.items() if key != ("work", "a.ics")}
    assert own.account.shown() == shown
    assert_as_anew(own)


@IN_EACH_RUN
def test_an_item_that_changes_while_its_calendar_is_read_is_read_with_its_own_etag(
    own: Stage, when: When
) -> None:
    server = own.account.server
    change = first(lambda _: server.put("work/a.ics", event("a", "Supper")), server)
    ran = own.strike(when, Strikes(Place.REPORT, change, times=1))
    assert (ran.status, ran.errors) == (0, [])
    assert b"Supper" in (own.account.shown()["work", "a.ics"].body or b"")
    assert_as_anew(own)


@IN_EACH_RUN
@pytest.mark.parametrize("place", [Place.LISTING, Place.REPORT])
def test_a_password_that_ends_while_it_is_used_ends_the_run(
    stage: Stage, when: When, place: Place
) -> None:
    ran = stage.strike(when, Strikes(place, catalogue.answers(401)))
    assert ran.status == 77
    assert named(ran, ["cloud"])
    shown = stage.account.shown()
    # What came before it in the server's order was read.
    orders = (stage.carried(when, "work"), stage.carried(when, "work", "home"))
    assert shown in (*orders, stage.kept(when).shown)
    stage.assert_heals()


@IN_EACH_RUN
def test_calendars_without_items_are_kept(own: Stage, when: When) -> None:
    account, server = own.account, own.account.server
    for name in own.after.shown:
        server.send("DELETE", "/".join(name))
    ran = own.strike(when, Strikes(Place.ANYWHERE, lambda _, answer: answer()))
    assert (ran.status, ran.errors) == (0, [])
    assert account.shown() == {}
    assert set(account.holding().calendars) == {"work", "home", "empty"}
    assert_as_anew(own)
