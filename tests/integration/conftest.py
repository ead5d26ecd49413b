"""Real servers: one process a session, a fresh account for every test."""

import itertools
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from caldav_run.connectors.protocol import Context
from caldav_run.dav import discovery
from caldav_run.dav.collections import Collection
from caldav_run.dav.settings import Settings
from caldav_run.testing.servers import Server, embedded_radicale, embedded_xandikos

USERS = {f"user{number}": f"wörd-{number}" for number in range(200)}
_numbers = itertools.count()


@pytest.fixture(scope="session")
def radicale_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with embedded_radicale(tmp_path_factory.mktemp("radicale"), USERS) as server:
        yield server


@pytest.fixture
def radicale(radicale_server: Server) -> Server:
    username, password = list(USERS.items())[next(_numbers)]
    return replace(radicale_server, username=username, password=password, home=f"/{username}/")


@pytest.fixture(scope="session")
def xandikos_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with embedded_xandikos(tmp_path_factory.mktemp("xandikos")) as server:
        yield server


@pytest.fixture
def xandikos(xandikos_server: Server) -> Server:
    # It has one account only, so that a fresh one is an emptied one.
    account = discovery.find(Settings(url=xandikos_server.url))
    with closing(account.connection):
        for collection in list(account.collections()):
            assert isinstance(collection, Collection)
            account.connection.send("DELETE", collection.url).close()
    return xandikos_server


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(
        name="cloud",
        pipeline="test",
        timezone=UTC,
        now=datetime(2026, 5, 1, tzinfo=UTC),
        state_dir=tmp_path / "state",
    )
