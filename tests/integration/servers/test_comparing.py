"""The matrix can fail: whatever a run does not tell is found by what lies on the server."""

import pytest
from tests.integration.servers.matrix import Comparison, State, compare
from tests.integration.servers.restoring import Told

from caldav_run.engine.events import Deviated, Event, Level, Noted, Step
from caldav_run.testing.contracts.bodies import event

STEP = Step("write", "cloud")
WANTED = {"a.ics": event("a", "Lunch"), "b.ics": event("b", "Dinner")}
ADDED = WANTED["a.ics"].replace(b"UID:a", b"UID:a\r\nCLASS:PUBLIC")
OTHER = WANTED["a.ics"].replace(b"Lunch", b"Brunch")


def _compare(found: dict[str, bytes], *events: Event) -> Comparison:
    return compare(WANTED, {**WANTED, **found}, Told(0, events))


def _failed(name: str, words: str) -> Noted:
    return Noted(STEP, Level.ERROR, f"work: Lunch: {words}", name)


def _deviated(rule: str | None, before: str | None, after: str | None) -> Deviated:
    return Deviated(
        step=STEP,
        calendar="work",
        href="a.ics",
        label="Lunch",
        rule=rule,
        place="VCALENDAR > VEVENT a",
        before=before,
        after=after,
    )


CLASS = _deviated("default value", None, "CLASS:PUBLIC")
LOSS = _deviated(None, "SUMMARY:Lunch", "SUMMARY:Brunch")
LOST = _failed(
    "a.ics",
    "did not come back as written: in VEVENT a: SUMMARY:Lunch came back as SUMMARY:Brunch",
)


def test_what_is_there_as_it_was_is_equal() -> None:
    made = _compare({})
    assert made.unexplained == []
    assert made.states == {"a.ics": State.EQUAL, "b.ics": State.EQUAL}


def test_a_deviation_that_was_told_is_one() -> None:
    made = _compare({"a.ics": ADDED}, CLASS)
    assert made.unexplained == []
    assert made.states["a.ics"] is State.DEVIATING
    assert made.rules == {"default value": 1}


def test_a_loss_that_was_told_is_one() -> None:
    made = _compare({"a.ics": OTHER}, LOSS, LOST)
    assert made.unexplained == []
    assert made.states["a.ics"] is State.CHANGED


def test_a_refusal_that_was_told_is_one() -> None:
    refused = _failed("a.ics", "not written: the server says 403")
    made = compare(WANTED, {"b.ics": WANTED["b.ics"]}, Told(3, (refused,)))
    assert made.unexplained == []
    assert made.refusals == {"a.ics": "work: Lunch: not written: the server says 403"}


@pytest.mark.parametrize(
    ("found", "events"),
    [
        ({"a.ics": ADDED}, ()),
        ({"a.ics": OTHER}, ()),
        ({"a.ics": OTHER}, (LOSS,)),
        ({"a.ics": OTHER}, (LOST,)),
        ({}, (CLASS,)),
        ({}, (LOST,)),
        ({}, (_failed("a.ics", "not written: the server says 403"),)),
        ({"c.ics": event("c")}, ()),
        ({"again.ics": WANTED["a.ics"]}, ()),
    ],
    ids=[
        "a deviation in silence",
        "a loss in silence",
        "a loss without a failure",
        "a loss that is not itemised",
        "a deviation that is none",
        "a loss that is none",
        "a refusal of what is there",
        "what was never sent",
        "an item twice",
    ],
)
def test_what_was_not_told_as_it_is_has_no_explanation(
    found: dict[str, bytes], events: tuple[Event, ...]
) -> None:
    assert _compare(found, *events).unexplained != []


def test_what_is_missing_in_silence_has_no_explanation() -> None:
    made = compare(WANTED, {"b.ics": WANTED["b.ics"]}, Told(0, ()))
    assert made.unexplained == ["a.ics is missing, and told was: nothing"]


def test_an_override_that_is_lost_is_no_equal_item() -> None:
    override = b"BEGIN:VEVENT\r\nUID:a\r\nRECURRENCE-ID:20260511T110000Z\r\nEND:VEVENT\r\n"
    wanted = {"a.ics": WANTED["a.ics"].replace(b"END:VCALENDAR", override + b"END:VCALENDAR")}
    made = compare(wanted, {"a.ics": WANTED["a.ics"]}, Told(0, ()))
    assert made.states == {"a.ics": State.CHANGED}
    assert len(made.unexplained) == 2
