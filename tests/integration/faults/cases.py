"""Answers that do not come, break off, or are not what they should be, and what comes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import pytest
from tests.integration.faults import catalogue
from tests.integration.faults.account import Fault
from tests.integration.faults.catalogue import TIMEOUT_S, answers
from tests.integration.faults.places import Place
from tests.integration.faults.stage import When

from caldav_run.engine.outcome import ExitStatus

Test = TypeVar("Test", bound=Callable[..., None])


@dataclass(frozen=True)
class Case:
    """A fault and what it comes to.

    Attributes:
        fault: The fault.
        status: The exit status where the account cannot be found or listed.
        whole: Whether all is read where only reports have the fault: item by item.
        single: Whether it spoils the answer to a GET as well, so that an item cannot be read.
        slow: Whether it is told by a clock.
    """

    fault: Fault
    status: ExitStatus
    whole: bool = False
    single: bool = True
    slow: bool = False


TEMPORARY, WRONG = ExitStatus.TEMPORARY, ExitStatus.FAILED
CASES = {
    "429": Case(answers(429, Retry_After="7"), TEMPORARY),
    "503": Case(answers(503, Retry_After="7"), TEMPORARY),
    "500": Case(answers(500), TEMPORARY, whole=True),
    "502": Case(answers(502), TEMPORARY, whole=True),
    "403": Case(answers(403), ExitStatus.ACCESS, whole=True),
    "timeout": Case(catalogue.hangs, TEMPORARY, slow=True),
    "reset": Case(catalogue.resets, TEMPORARY),
    "reset in the body": Case(catalogue.resets_midway, TEMPORARY),
    "truncated": Case(catalogue.truncated, TEMPORARY),
    "Content-Length too long": Case(catalogue.too_long, TEMPORARY, slow=True),
    "Content-Length too short": Case(catalogue.too_short, WRONG, whole=True),
    "slow drip": Case(catalogue.drips, TEMPORARY, slow=True),
    "no gzip": Case(catalogue.no_gzip, TEMPORARY),
    "half a gzip": Case(catalogue.half_gzip, WRONG, whole=True),
    "gzip checksum": Case(catalogue.bad_gzip, TEMPORARY),
    "malformed XML": Case(catalogue.malformed, WRONG, whole=True, single=False),
    "XML bomb": Case(catalogue.bomb, WRONG, whole=True, single=False),
    "login page": Case(catalogue.login_page, WRONG, whole=True),
    "redirect to a login page": Case(catalogue.leads_to_login, WRONG, whole=True),
}
PASSING = ("429", "503", "500", "502", "reset", "reset in the body", "truncated", "gzip checksum")
"""Those that are over soon, and then cost nothing."""

IN_EACH_RUN = pytest.mark.parametrize("when", [When.FIRST, When.LATER], ids=["first", "later"])
IN_EACH_WAY = pytest.mark.parametrize("when", When, ids=[each.value for each in When])


def cases(*places: Place) -> Callable[[Test], Test]:
    """Give a test each case at each of these places."""
    found = [
        pytest.param(place, case, id=f"{name}-{place.value}")
        for place in places
        for name, case in CASES.items()
        # What is left over of one answer there spoils the next one, or does not.
        if (place, name) != (Place.DISCOVERY, "Content-Length too short")
        # Five answers that do not come take their time, and one kind of them is enough.
        and (place is not Place.REPORT or not case.slow or name == "timeout")
    ]
    return pytest.mark.parametrize(("place", "case"), found)


def options(case: Case) -> dict[str, float]:
    """Return the options of a source that meets a case."""
    return {"timeout": TIMEOUT_S} if case.slow else {}
