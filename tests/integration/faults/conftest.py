"""An account on a real server that has changed since its last healthy backup."""

import gc
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.integration.faults.account import Account, empty_vault
from tests.integration.faults.catalogue import TIMEOUT_S
from tests.integration.faults.stage import Stage

from caldav_run.testing.scripted import Answer, scripted_server
from caldav_run.testing.servers import embedded_radicale

# Where waiting for a disk costs nothing; elsewhere the default does.
MEMORY = next((each for each in ("/dev/shm",) if os.access(each, os.W_OK)), None)  # noqa: S108


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the HTTP library leave a broken connection to the collector of garbage."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))


@contextmanager
def made() -> Iterator[Stage]:
    """Give an account that has changed since its last healthy backup."""
    with (
        TemporaryDirectory(dir=MEMORY) as name,
        embedded_radicale(Path(name) / "radicale") as server,
        scripted_server(lambda _: Answer(404)) as proxy,
    ):
        folder = Path(name)
        yield Stage.of(Account(server, proxy, empty_vault(folder / "vault")), folder)


@pytest.fixture(scope="module")
def prepared() -> Iterator[Stage]:
    with made() as stage:
        yield stage


@pytest.fixture
def own(waits: list[float]) -> Iterator[Stage]:
    """Give an account that a test may change."""
    waits.clear()
    with made() as stage:
        yield stage


@pytest.fixture
def stage(prepared: Stage, waits: list[float]) -> Iterator[Stage]:
    """Give the account without faults; nobody waits for it in vain, but for a lack of answers."""
    waits.clear()
    yield prepared
    prepared.account.heal()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the seconds that would have been waited between requests."""
    waited: list[float] = []
    for module in ("connection", "patience", "writer"):
        monkeypatch.setattr(f"caldav_run.dav.{module}.pause", waited.append)
    return waited


@pytest.fixture(autouse=True, scope="module")
def nothing_left() -> Iterator[None]:
    """Have what waits in vain end here, with its sockets, and not in another module's test."""
    yield
    for thread in threading.enumerate():
        if thread.name == "reading":
            thread.join(3 * TIMEOUT_S)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Pass over what is said of clocks: all runs are in a year of their own."""
    caplog.set_level("ERROR")
