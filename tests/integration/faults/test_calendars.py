"""Calendars that cannot be listed, or only item by item; see `docs/testing.md`."""

from tests.integration.faults.cases import IN_EACH_RUN, Case, cases, options
from tests.integration.faults.places import Place, Strikes
from tests.integration.faults.stage import Stage, When, named

from caldav_run.engine.outcome import ExitStatus


@IN_EACH_RUN
@cases(Place.LISTING)
def test_a_calendar_that_cannot_be_listed_is_carried_forward(
    stage: Stage, when: When, place: Place, case: Case
) -> None:
    ran = stage.strike(when, Strikes(place, case.fault), options(case))
    assert ran.status == ExitStatus.PARTIAL
    assert named(ran, ["alice/work"])
    assert stage.account.shown() == stage.carried(when, "work")
    stage.assert_heals()


@cases(Place.REPORT)
def test_a_calendar_without_usable_reports_is_read_item_by_item_or_carried_forward(
    stage: Stage, place: Place, case: Case
) -> None:
    ran = stage.strike(When.FIRST, Strikes(place, case.fault), options(case))
    unread = [] if case.whole else ["work"]
    assert ran.status == (ExitStatus.PARTIAL if unread else ExitStatus.DONE)
    assert named(ran, [f"alice/{each}" for each in unread])
    assert stage.account.shown() == stage.carried(When.FIRST, *unread)
    stage.assert_heals()


@cases(Place.SYNC)
def test_changes_that_are_not_told_are_found_in_the_listing(
    stage: Stage, place: Place, case: Case
) -> None:
    ran = stage.strike(When.LATER, Strikes(place, case.fault), options(case))
    assert (ran.status, ran.errors) == (ExitStatus.DONE, [])
    assert stage.account.holding() == stage.after.holding
    stage.assert_heals()
