"""What all tests share."""

import pytest
from hypothesis import Phase, settings

# A loaded machine is no defect: performance claims are benchmarks, not timed tests.
settings.register_profile("default", deadline=None)
# make mutation only asks whether a test fails: the same examples each time, none made smaller.
settings.register_profile(
    "mutation", deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate)
)
settings.load_profile("default")


@pytest.fixture(autouse=True)
def no_secret_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each test begin as a program does: with nothing revealed that has to be masked."""
    monkeypatch.setattr("caldav_run.secret._revealed", set())
