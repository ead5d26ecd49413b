from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from caldav_run.connectors.protocol import Context

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def context(tmp_path: Path) -> Callable[[str], Context]:
    """What a connector of that name may know of a run."""

    def make(name: str) -> Context:
        return Context(
            name=name, pipeline="test", timezone=UTC, now=NOW, state_dir=tmp_path / "state"
        )

    return make
