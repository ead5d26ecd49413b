"""The same faults where something is written; see `docs/testing.md`.

A folder of three items is mirrored onto a real server: for the first time, or once more after one
of them has changed, one is new and one is gone.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.faults import catalogue
from tests.integration.faults.account import Fault, Ran
from tests.integration.faults.catalogue import TIMEOUT_S, answers, unanswered
from tests.integration.faults.mirror import Mirror
from tests.integration.faults.places import Strikes, Write

from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.scripted import Answer, scripted_server
from caldav_run.testing.servers import Server, embedded_radicale

USERS = {f"user{number}": f"word-{number}" for number in range(200)}
_numbers = itertools.count()

REFUSALS = {
    "429": answers(429, Retry_After="7"),
    "503": answers(503),
    "500": answers(500),
    "502": answers(502),
    "reset": catalogue.resets,
    "login page": catalogue.login_page,
    "redirect to a login page": catalogue.leads_to_login,
}
LOST = {"reset": catalogue.resets, "login page": catalogue.login_page}
FIRST = {name: event(name) for name in ("a", "b", "gone")}
LATER = {"a": event("a", "Dinner", 1), "b": event("b"), "new": event("new")}
NEW, OVER, GONE = Write("PUT", "/a.ics"), Write("PUT", "/a.ics"), Write("DELETE", "/gone.ics")
MAKE, LOOK = Write("MKCALENDAR", "/work"), Write("REPORT", "/work")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with embedded_radicale(tmp_path_factory.mktemp("radicale"), USERS) as running:
        yield running


@pytest.fixture
def mirror(server: Server, tmp_path: Path, waits: list[float]) -> Iterator[Mirror]:
    """A mirror of three items, never run."""
    waits.clear()
    username, password = list(USERS.items())[next(_numbers)]
    mine = replace(server, username=username, password=password, home=f"/{username}/")
    with scripted_server(lambda _: Answer(404)) as proxy:
        made = Mirror(tmp_path, mine, proxy)
        for name, body in FIRST.items():
            made.put(name, body)
        yield made


@pytest.fixture
def mirrored(mirror: Mirror) -> Mirror:
    """A mirror that has run, whose folder has changed since."""
    assert mirror.run().status == 0
    mirror.drop("gone")
    for name, body in LATER.items():
        mirror.put(name, body)
    return mirror


def assert_completes(mirror: Mirror, wanted: dict[str, bytes]) -> None:
    """Run once more without a fault, then twice: nothing is left to do."""
    mirror.heal()
    assert mirror.run().status == 0
    assert mirror.holds(wanted)
    again = mirror.run()
    assert (again.status, again.said[-1]) == (
        0,
        "write there [ok]: nothing to change, 3 unchanged",
    )


def failed(ran: Ran, *, deed: str) -> bool:
    """Return whether a run tells of one item that was not written or deleted."""
    return ran.status == 3 and len(ran.errors) == 1 and deed in ran.errors[0]


@pytest.mark.parametrize("name", [*REFUSALS, "403"])
def test_a_new_item_that_is_not_taken_fails_alone(mirror: Mirror, name: str) -> None:
    mirror.fault = Strikes(NEW, {**REFUSALS, "403": answers(403)}[name])
    assert failed(mirror.run(), deed="written")
    assert mirror.holds({name: body for name, body in FIRST.items() if name != "a"})
    assert_completes(mirror, FIRST)


@pytest.mark.parametrize("name", [*REFUSALS, "403"])
def test_an_item_that_is_not_written_over_stays_whole(mirrored: Mirror, name: str) -> None:
    mirrored.fault = Strikes(OVER, {**REFUSALS, "403": answers(403)}[name])
    assert failed(mirrored.run(), deed="written")
    assert mirrored.holds({**LATER, "a": FIRST["a"]})
    assert_completes(mirrored, LATER)


@pytest.mark.parametrize("name", [*REFUSALS, "403"])
def test_an_item_that_is_not_deleted_is_told_and_stays(mirrored: Mirror, name: str) -> None:
    mirrored.fault = Strikes(GONE, {**REFUSALS, "403": answers(403)}[name])
    assert failed(mirrored.run(), deed="deleted")
    assert mirrored.holds({**LATER, "gone": FIRST["gone"]})
    assert_completes(mirrored, LATER)


@pytest.mark.parametrize("spot", [NEW, MAKE, LOOK], ids=["put", "make", "look"])
@pytest.mark.parametrize("name", REFUSALS)
def test_a_burst_that_passes_costs_a_first_run_nothing(
    mirror: Mirror, spot: Write, name: str
) -> None:
    mirror.fault = Strikes(spot, REFUSALS[name], times=2)
    ran = mirror.run()
    assert (ran.status, ran.errors) == (0, [])
    assert mirror.holds(FIRST)


@pytest.mark.parametrize("spot", [OVER, GONE, LOOK], ids=["put", "delete", "look"])
@pytest.mark.parametrize("name", REFUSALS)
def test_a_burst_that_passes_costs_a_later_run_nothing(
    mirrored: Mirror, spot: Write, name: str
) -> None:
    mirrored.fault = Strikes(spot, REFUSALS[name], times=2)
    ran = mirrored.run()
    assert (ran.status, ran.errors) == (0, [])
    assert mirrored.holds(LATER)


@pytest.mark.parametrize("spot", [NEW, MAKE], ids=["put", "make"])
@pytest.mark.parametrize("name", LOST)
def test_what_was_done_without_an_answer_is_not_done_again(
    mirror: Mirror, spot: Write, name: str
) -> None:
    mirror.fault = Strikes(spot, unanswered(LOST[name]), times=1)
    ran = mirror.run()
    assert (ran.status, ran.errors) == (0, [])
    done = [each for each in mirror.proxy.asked if spot.holds(each)]
    assert len(done) == 1
    assert mirror.holds(FIRST)
    assert_completes(mirror, FIRST)


@pytest.mark.parametrize("spot", [OVER, GONE], ids=["put", "delete"])
@pytest.mark.parametrize("name", LOST)
def test_what_was_written_over_or_deleted_without_an_answer_is_not_so_again(
    mirrored: Mirror, spot: Write, name: str
) -> None:
    mirrored.fault = Strikes(spot, unanswered(LOST[name]), times=1)
    ran = mirrored.run()
    assert (ran.status, ran.errors) == (0, [])
    assert len([each for each in mirrored.proxy.asked if spot.holds(each)]) == 1
    assert mirrored.holds(LATER)
    assert_completes(mirrored, LATER)


@pytest.mark.parametrize("spot", [OVER, GONE, LOOK], ids=["put", "delete", "look"])
def test_an_answer_that_is_cut_off_after_it_said_yes_is_a_yes(
    mirrored: Mirror, spot: Write
) -> None:
    mirrored.fault = Strikes(spot, catalogue.answer_cut_off, times=1)
    ran = mirrored.run()
    assert (ran.status, ran.errors) == (0, [])
    assert mirrored.holds(LATER)
    assert_completes(mirrored, LATER)


@pytest.mark.parametrize("deed", [lambda each: each, unanswered], ids=["before", "after"])
@pytest.mark.parametrize("spot", [OVER, GONE], ids=["put", "delete"])
def test_a_write_that_is_waited_for_in_vain_is_looked_at(
    mirrored: Mirror,
    spot: Write,
    deed: Callable[[Fault], Fault],
) -> None:
    mirrored.options = {"timeout": TIMEOUT_S}
    mirrored.fault = Strikes(spot, deed(catalogue.hangs), times=1)
    ran = mirrored.run()
    assert (ran.status, ran.errors) == (0, [])
    assert mirrored.holds(LATER)
    assert_completes(mirrored, LATER)


@pytest.mark.parametrize("name", ["429", "503", "reset"])
def test_where_nothing_can_be_read_nothing_is_written(mirrored: Mirror, name: str) -> None:
    mirrored.fault = Strikes(LOOK, REFUSALS[name])
    ran = mirrored.run()
    assert ran.status == 3
    assert "cannot read what work holds" in ran.errors[0]
    assert not [each for each in mirrored.proxy.methods() if each.startswith(("PUT", "DELETE"))]
    assert mirrored.holds(FIRST)
    assert_completes(mirrored, LATER)


@pytest.mark.parametrize("name", ["429", "503", "reset"])
def test_what_cannot_be_read_back_is_told(mirror: Mirror, name: str) -> None:
    mirror.fault = Strikes(LOOK, REFUSALS[name])
    ran = mirror.run()
    assert ran.status == 3
    assert "cannot be looked at again" in ran.errors[0]
    assert mirror.holds(FIRST)
    assert_completes(mirror, FIRST)


def test_what_a_server_took_and_did_not_write_is_told_and_written_next_time(
    mirrored: Mirror,
) -> None:
    mirrored.fault = Strikes(OVER, answers(204))
    ran = mirrored.run()
    assert ran.status == 3
    assert "did not come back as written" in ran.errors[0]
    assert mirrored.holds({**LATER, "a": FIRST["a"]})
    assert_completes(mirrored, LATER)
