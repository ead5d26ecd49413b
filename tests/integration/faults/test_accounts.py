"""Accounts that cannot be found or listed, and faults that pass; see `docs/testing.md`."""

import pytest
from tests.integration.faults.cases import CASES, IN_EACH_RUN, PASSING, Case, cases, options
from tests.integration.faults.places import Place, Strikes
from tests.integration.faults.stage import Stage, When, named

from caldav_run.engine.outcome import ExitStatus


@IN_EACH_RUN
@cases(Place.DISCOVERY, Place.HOME)
def test_an_account_that_cannot_be_listed_stays_as_it_was(
    stage: Stage, when: When, place: Place, case: Case
) -> None:
    ran = stage.strike(when, Strikes(place, case.fault), options(case))
    assert ran.status == case.status
    assert named(ran, ["cloud"])
    assert stage.account.shown() == stage.kept(when).shown
    stage.assert_heals()


@IN_EACH_RUN
@pytest.mark.parametrize("place", Place, ids=lambda each: each.value)
@pytest.mark.parametrize("name", PASSING)
def test_a_burst_that_passes_costs_nothing(
    stage: Stage, when: When, place: Place, name: str
) -> None:
    burst = Strikes(place, CASES[name].fault, times=2)
    ran = stage.strike(when, burst)
    assert (ran.status, ran.errors) == (ExitStatus.DONE, [])
    assert stage.account.holding() == stage.after.holding
