"""A scripted server, and connections to it."""

from collections.abc import Callable, Iterator

import pytest

from caldav_run.dav.connection import Connection
from caldav_run.dav.settings import Settings
from caldav_run.secret import Secret
from caldav_run.testing.scripted import Answer, ScriptedServer, scripted_server


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server(lambda _: Answer(404)) as running:
        yield running


@pytest.fixture
def settings(server: ScriptedServer) -> Settings:
    return Settings(url=server.url, username="alice", password=Secret.of("wörd-1"), timeout_s=5.0)


@pytest.fixture
def connection(settings: Settings) -> Iterator[Connection]:
    opened = Connection(settings)
    yield opened
    opened.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let no test wait for a busy server; gives the seconds that would have been waited."""
    waited: list[float] = []
    patched: Callable[[float], None] = waited.append
    monkeypatch.setattr("caldav_run.dav.connection.pause", patched)
    monkeypatch.setattr("caldav_run.dav.patience.pause", patched)
    return waited
