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
from caldav_run.testing.object_servers import ObjectServer, embedded_moto, embedded_rclone
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


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    """Give an S3 endpoint; a test takes a prefix of its own."""
    with embedded_moto(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    """Give an S3 endpoint that checks signatures; a test takes a prefix of its own."""
    with embedded_rclone(tmp_path_factory.mktemp("rclone")) as server:
        yield server


@pytest.fixture(params=["moto", "rclone"])
def s3(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ObjectServer:
    """Give each S3 endpoint in turn, as the one that the environment names."""
    server: ObjectServer = request.getfixturevalue(request.param)
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
def s3_place(s3: ObjectServer) -> str:
    """Give the URL of an empty place in it."""
    return s3.location(f"place {next(_numbers)}/nightly")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(
        name="cloud",
        pipeline="test",
        timezone=UTC,
        now=datetime(2026, 5, 1, tzinfo=UTC),
        state_dir=tmp_path / "state",
    )
