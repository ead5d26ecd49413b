from pathlib import Path

import pytest

from caldav_run.connectors.filters.calendars import CalendarsFilter
from caldav_run.testing.contracts import FilterCases, FilterContract
from caldav_run.testing.contracts.bodies import context, event
from caldav_run.testing.contracts.filters import view


def made(**options: list[str]) -> CalendarsFilter:
    return CalendarsFilter.from_options({"type": "calendars", **options}, context(Path()))


class TestContract(FilterContract):
    @pytest.fixture
    def cases(self) -> FilterCases:
        return FilterCases(
            lambda: made(include=["fam*", "Work"], exclude=["*old"]),
            lambda: made(include=["fam*"]),
            [view(event("a")), view(event("a"), "w", "Work")],
            [view(event("a"), "family-old"), view(event("a"), "x", "Other")],
        )
