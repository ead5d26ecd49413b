"""What all tests share."""

import time
from collections import defaultdict
from collections.abc import Iterator

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


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the machine be in a zone that is far from UTC."""
    with monkeypatch.context() as zone:
        zone.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have recorded: `docs/testing.md` speaks of them."""
    figures: dict[str, list[object]] = defaultdict(list)
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            figures[name].append(value)
    if figures:
        terminalreporter.section("figures")
    for name, values in sorted(figures.items()):
        whole = [each for each in values if isinstance(each, int)]
        terminalreporter.line(f"{name}: {sum(whole) if whole else values}")
