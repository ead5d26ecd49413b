"""The truth in an odd way: etags, hrefs, and members that are no items; see `docs/testing.md`."""

from urllib.parse import unquote

import pytest
from tests.integration.faults import spellings
from tests.integration.faults.account import Account, Fault
from tests.integration.faults.cases import IN_EACH_WAY
from tests.integration.faults.places import Place, Strikes
from tests.integration.faults.stage import Stage, When

FAULTS = {
    "no etags": spellings.no_etags,
    "empty etags": spellings.empty_etags,
    "weak etags": spellings.weak_etags,
    "weak etags in lists only": spellings.weak_in_lists,
    "all hrefs twice": spellings.all_twice,
    "whole URLs": spellings.whole_urls,
    "relative hrefs": spellings.relative,
    "blanks around hrefs": spellings.blanks,
    **{f"itself {name}": fault for name, fault in spellings.itself.items()},
    **spellings.no_items,
}


def play(stage: Stage, when: When, fault: Fault) -> Account:
    """Back an account up that meets a fault in all answers."""
    ran = stage.strike(when, Strikes(Place.ANYWHERE, fault))
    assert (ran.status, ran.errors) == (0, [])
    return stage.account


@IN_EACH_WAY
@pytest.mark.parametrize("name", FAULTS)
def test_the_truth_is_read_however_it_is_told(stage: Stage, when: When, name: str) -> None:
    account = play(stage, when, FAULTS[name])
    assert account.shown() == stage.after.shown
    account.fault = FAULTS[name]
    again = account.back_up()
    assert (again.status, again.said[-1]) == (0, "write vault [ok]: nothing to change")
    account.heal()
    stage.assert_heals()


@IN_EACH_WAY
def test_a_name_that_is_escaped_otherwise_is_the_same_name(stage: Stage, when: When) -> None:
    account = play(stage, when, spellings.escaped)
    plain = {(calendar, unquote(name)): it for (calendar, name), it in account.shown().items()}
    assert plain == stage.after.shown
    known = stage.kept(when).shown.keys() & stage.after.shown.keys()
    assert known <= account.shown().keys()
    ran = account.back_up()
    assert (ran.status, ran.said[-1]) == (0, "write vault [ok]: nothing to change")


@pytest.mark.parametrize("name", spellings.itself)
def test_a_calendar_that_names_itself_as_changed_is_listed(stage: Stage, name: str) -> None:
    account = play(stage, When.LATER, spellings.itself[name])
    assert f"PROPFIND {account.server.home}work/" in account.proxy.methods()
    assert account.holding() == stage.after.holding
