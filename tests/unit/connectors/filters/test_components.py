from datetime import UTC, datetime
from pathlib import Path

import pytest

from caldav_run.connectors.filters.components import ComponentsFilter
from caldav_run.errors import SetupError
from caldav_run.testing.contracts import FilterCases, FilterContract
from caldav_run.testing.contracts.bodies import context, event
from caldav_run.testing.contracts.filters import view

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
EVENT = view(event("a"))
TASK = view(event("a").replace(b"VEVENT", b"VTODO"))
BOTH = view(event("a").replace(b"END:VCALENDAR", b"BEGIN:VTODO\nEND:VTODO\nEND:VCALENDAR"))


def made(**options: list[str]) -> ComponentsFilter:
    return ComponentsFilter.from_options(options, context(Path()))


class TestContract(FilterContract):
    @pytest.fixture
    def cases(self) -> FilterCases:
        return FilterCases(
            lambda: made(keep=["VEVENT"]), lambda: made(keep=["VTODO"]), [EVENT, BOTH], [TASK]
        )


def test_what_is_dropped_is_dropped_whatever_is_kept() -> None:
    judge = made(keep=["vevent"], drop=["vtodo"]).judge
    assert [judge(each, NOW).keep for each in (EVENT, TASK, BOTH)] == [True, False, False]


def test_without_keep_everything_else_stays() -> None:
    judge = made(drop=["VTODO"]).judge
    assert [judge(each, NOW).keep for each in (EVENT, TASK)] == [True, False]


def test_the_order_of_the_names_does_not_count() -> None:
    assert made(keep=["A", "B"]).fingerprint == made(keep=["B", "A"]).fingerprint


def test_an_item_without_any_component_stays_with_a_problem() -> None:
    assert made(keep=["VEVENT"]).judge(view(b""), NOW).problem == "it holds no calendar component"


def test_names_are_a_list() -> None:
    with pytest.raises(SetupError, match="lists of component names"):
        ComponentsFilter.from_options({"keep": "VEVENT"}, context(Path()))
