"""Servers that say when to come back, in seconds or by a date; see `docs/testing.md`."""

import pytest
from tests.integration.faults.catalogue import answers
from tests.integration.faults.places import Place, Strikes
from tests.integration.faults.stage import Stage, When, named

from caldav_run.engine.outcome import ExitStatus

NOW = "Fri, 01 May 2026 08:00:00 GMT"
SAID = {
    "seconds": ({"Retry_After": "7"}, 7.0),
    "date": ({"Retry_After": "Fri, 01 May 2026 08:00:09 GMT", "Date": NOW}, 9.0),
    "old date form": ({"Retry_After": "Friday, 01-May-26 08:00:09 GMT", "Date": NOW}, 9.0),
    "date without a clock": ({"Retry_After": NOW, "Date": "x"}, 0.0),
    "date that is over": ({"Retry_After": NOW, "Date": "Fri, 01 May 2026 09:00:00 GMT"}, 0.0),
    "date of no zone": ({"Retry_After": NOW.replace("GMT", "+" + "9" * 30)}, 1.0),
    "nonsense": ({"Retry_After": "soon"}, 1.0),
    "nothing": ({}, 1.0),
}


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("place", [Place.HOME, Place.LISTING, Place.ITEM])
@pytest.mark.parametrize("said", SAID)
def test_a_wait_is_as_long_as_the_server_asks_for(
    stage: Stage, waits: list[float], place: Place, status: int, said: str
) -> None:
    headers, seconds = SAID[said]
    ran = stage.strike(When.FIRST, Strikes(place, answers(status, **headers), times=1))
    assert (ran.status, ran.errors) == (ExitStatus.DONE, [])
    assert waits == [seconds]
    assert stage.account.shown() == stage.after.shown


@pytest.mark.parametrize("after", ["3600", "Fri, 01 May 2026 09:00:00 GMT"])
def test_a_wait_of_an_hour_is_left_to_the_next_run(
    stage: Stage, waits: list[float], after: str
) -> None:
    fault = answers(503, Retry_After=after, Date=NOW)
    ran = stage.strike(When.LATER, Strikes(Place.HOME, fault))
    assert ran.status == ExitStatus.TEMPORARY
    assert named(ran, ["cloud"])
    assert "try again later" in ran.errors[0]
    assert waits == []
    stage.assert_heals()
