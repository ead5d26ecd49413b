"""Gives each test every server that was asked for: see `known.wanted`."""

import itertools
import secrets
from collections.abc import Iterator

import pytest
from tests.integration.servers import known, measured, pairs
from tests.integration.servers.backup import Backup
from tests.integration.servers.calendars import Made
from tests.integration.servers.corpus import Filled, fill
from tests.integration.servers.description import Running
from tests.integration.servers.pairs import Restored
from tests.integration.servers.pool import Pool
from tests.integration.servers.raw import Raw
from tests.integration.servers.scheduling import ByServer

_numbers = itertools.count()


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByServer:
    """Have each server started once, where this folder is what is run."""
    return ByServer(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect what a server is known to be unable to do; it may work by chance."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        name = callspec.params.get("server_name") if callspec else None
        faults = known.SERVERS[name].faults if isinstance(name, str) else {}
        if reason := faults.get(getattr(item, "originalname", "")):
            item.add_marker(pytest.mark.xfail(reason=reason, strict=False))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that wants a server once for each."""
    if "server_name" in metafunc.fixturenames:
        metafunc.parametrize("server_name", [_parameter(name) for name in known.wanted()])


def _parameter(name: str) -> object:
    marks = [pytest.mark.timeout(known.START_LIMIT_S)]
    if known.SERVERS[name].container is not None:
        marks.append(pytest.mark.container)
    return pytest.param(name, marks=marks)


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    found = Pool()
    with found.stack:
        yield found


@pytest.fixture
def running(pool: Pool, server_name: str) -> Running:
    """A server that answers."""
    return pool.get(server_name)


@pytest.fixture
def raw(running: Running) -> Iterator[Raw]:
    """A plain connection to its first account."""
    with Raw(running.account) as found:
        yield found


@pytest.fixture
def calendar(raw: Raw) -> Iterator[Made]:
    """A calendar of one test's own, empty."""
    made = Made(raw, f"caldav-run-{secrets.token_hex(4)}")
    made.make("Made by a test")
    yield made
    made.drop()


@pytest.fixture
def backup(running: Running, calendar: Made, tmp_path_factory: pytest.TempPathFactory) -> Backup:
    """An empty repository, into which this one calendar can be backed up."""
    folder = tmp_path_factory.mktemp(f"backup-{next(_numbers)}")
    return Backup(running.account, folder, [calendar.name])


@pytest.fixture
def filled(pool: Pool, running: Running, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """A calendar with all of the corpus that the server takes, read once into a repository."""

    def make() -> Filled:
        raw = pool.stack.enter_context(Raw(running.account))
        calendar = Made(raw, f"caldav-run-{secrets.token_hex(4)}")
        pool.stack.callback(calendar.drop)
        folder = tmp_path_factory.mktemp("corpus")
        found = fill(calendar, Backup(running.account, folder, [calendar.name]))
        measured.write(running.description, found)
        return found

    return pool.once(running.description.name, "corpus", make)


@pytest.fixture
def restored(pool: Pool, running: Running, tmp_path_factory: pytest.TempPathFactory) -> Restored:
    """What every server gave, restored into this one."""

    def make() -> Restored:
        found = pairs.restore(running, tmp_path_factory.mktemp("matrix"))
        measured.write_restored(running.description, found)
        return found

    return pool.once(running.description.name, "matrix", make)
