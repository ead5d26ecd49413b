"""What tests of the repository share."""

import time
from collections.abc import Iterator

import pytest


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the machine be in a zone that is far from UTC."""
    with monkeypatch.context() as zone:
        zone.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()
