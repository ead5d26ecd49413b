"""An account on a real server that has changed since its last healthy backup."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.integration.faults.account import Account, empty_vault
from tests.integration.faults.stage import Stage

from caldav_run.testing.scripted import Answer, scripted_server
from caldav_run.testing.servers import embedded_radicale

# Where waiting for a disk costs nothing; elsewhere the default does.
MEMORY = next((each for each in ("/dev/shm",) if os.access(each, os.W_OK)), None)  # noqa: S108


@pytest.fixture(scope="module")
def prepared() -> Iterator[Stage]:
    with (
        TemporaryDirectory(dir=MEMORY) as name,
        embedded_radicale(Path(name) / "radicale") as server,
        scripted_server(lambda _: Answer(404)) as proxy,
    ):
        folder = Path(name)
        yield Stage.of(Account(server, proxy, empty_vault(folder / "vault")), folder)


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
    for module in ("connection", "patience"):
        monkeypatch.setattr(f"caldav_run.dav.{module}.pause", waited.append)
    return waited


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Pass over what is said of clocks: all runs are in a year of their own."""
    caplog.set_level("ERROR")
