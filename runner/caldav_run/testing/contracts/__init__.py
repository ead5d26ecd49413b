"""What each connector promises, as test classes to inherit from.

A connector's test module derives a class whose name starts with `Test` from the suite of its
kind and gives the one fixture that the suite asks for; pytest does the rest:

    class TestMySource(SourceContract):
        @pytest.fixture
        def account(self, tmp_path: Path) -> SourceAccount:
            return MyAccount(tmp_path)

Every test states one promise of `caldav_run.connectors.protocol`, or of
`caldav_run.repository.store`.
"""

# ruff: noqa: E402 - pytest must know the suites before they are imported

import pytest

# Before the suites are imported, so that a failing assert shows its values.
pytest.register_assert_rewrite(
    *(f"{__name__}.{suite}" for suite in ("archives", "filters", "mirrors", "sources", "stores"))
)

from caldav_run.testing.contracts.archives import ArchiveContract
from caldav_run.testing.contracts.bodies import context, event, item
from caldav_run.testing.contracts.filters import FilterCases, FilterContract
from caldav_run.testing.contracts.mirrors import MirrorContract, MirrorPlace
from caldav_run.testing.contracts.sources import SourceAccount, SourceContract
from caldav_run.testing.contracts.stores import StoreContract

__all__ = [
    "ArchiveContract",
    "FilterCases",
    "FilterContract",
    "MirrorContract",
    "MirrorPlace",
    "SourceAccount",
    "SourceContract",
    "StoreContract",
    "context",
    "event",
    "item",
]
