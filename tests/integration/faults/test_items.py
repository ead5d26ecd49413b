"""Items that cannot be read; see `docs/testing.md`."""

from tests.integration.faults.cases import IN_EACH_RUN, Case, cases, options
from tests.integration.faults.places import Place, Strikes
from tests.integration.faults.stage import Stage, When, named

from caldav_run.engine.outcome import ExitStatus

A = "work/a.ics"


@IN_EACH_RUN
@cases(Place.ITEM)
def test_an_item_that_cannot_be_read_is_carried_forward_alone(
    stage: Stage, when: When, place: Place, case: Case
) -> None:
    ran = stage.strike(when, Strikes(place, case.fault), options(case))
    unread = [A] if case.single else []
    assert ran.status == (ExitStatus.PARTIAL if unread else ExitStatus.DONE)
    assert named(ran, [f"alice/{each}" for each in unread])
    assert stage.account.shown() == stage.carried(when, *unread)
    stage.assert_heals()
