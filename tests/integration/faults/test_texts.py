"""Texts that XML forbids, or that lead out of it; see `docs/testing.md`."""

import pytest
from tests.integration.faults import catalogue
from tests.integration.faults.cases import IN_EACH_RUN, IN_EACH_WAY
from tests.integration.faults.places import Place, Strikes
from tests.integration.faults.stage import Stage, When, named

A = ("work", "a.ics")


@IN_EACH_RUN
def test_an_item_with_a_byte_that_xml_forbids_is_read_alone(stage: Stage, when: When) -> None:
    ran = stage.strike(when, Strikes(Place.ITEM, catalogue.vertical_tab_in_reports))
    assert (ran.status, ran.errors) == (0, [])
    assert f"GET {stage.account.server.home}work/a.ics" in stage.account.proxy.methods()
    assert stage.account.holding() == stage.after.holding
    stage.assert_heals()


@IN_EACH_RUN
def test_the_byte_that_xml_forbids_is_kept(stage: Stage, when: When) -> None:
    ran = stage.strike(when, Strikes(Place.ITEM, catalogue.vertical_tab))
    assert (ran.status, ran.errors) == (0, [])
    shown = dict(stage.account.shown())
    true = stage.after.shown[A].body or b""
    assert shown.pop(A).body == true.replace(b"Dinner", b"Din\x0bner")
    assert shown == {key: it for key, it in stage.after.shown.items() if key != A}


@IN_EACH_RUN
def test_an_item_with_such_a_byte_that_cannot_be_read_alone_is_carried_forward(
    stage: Stage, when: When
) -> None:
    ran = stage.strike(when, Strikes(Place.ITEM, catalogue.vertical_tab_and_no_get))
    assert ran.status == 3
    assert named(ran, ["alice/work/a.ics"])
    assert stage.account.shown() == stage.carried(when, "work/a.ics")
    stage.assert_heals()


@IN_EACH_RUN
def test_such_a_byte_in_a_calendars_name_stops_nobody(stage: Stage, when: When) -> None:
    ran = stage.strike(when, Strikes(Place.ANYWHERE, catalogue.vertical_tab_in_names))
    assert (ran.status, ran.errors) == (0, [])
    assert stage.account.holding() == stage.after.holding
    stage.assert_heals()


@IN_EACH_WAY
@pytest.mark.parametrize("place", Place, ids=[each.value for each in Place])
def test_an_external_entity_is_not_followed(stage: Stage, when: When, place: Place) -> None:
    ran = stage.strike(when, Strikes(place, catalogue.external_entities))
    assert (ran.status, ran.errors) == (0, [])
    assert not [each for each in stage.account.proxy.asked if each.path == "/secret"]
    assert stage.account.holding() == stage.after.holding
    stage.assert_heals()
