"""Starts any server that is described, with accounts in it.

A benchmark or another suite needs no fixture for it:

    with running("cyrus") as server:
        server.account.options  # a caldav source's
"""

import contextlib
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from tests.integration.servers import known
from tests.integration.servers.containers import Started, started
from tests.integration.servers.description import USERS, Container, Description, Pulled, Running
from tests.integration.servers.nextcloud import MAIL, account_maker, prepare
from tests.integration.servers.raw import Raw

from caldav_run.dav import discovery
from caldav_run.dav.settings import Settings
from caldav_run.secret import Secret
from caldav_run.testing.servers import Server, embedded_radicale, embedded_xandikos

_PAUSE_S: Final = 0.1
_PREFIX: Final = "CALDAV_RUN_TEST_"


def running(name: str) -> AbstractContextManager[Running]:
    """Run a server by its name until the context ends, however it ends.

    Raises:
        NoEngineError: No container engine answers.
        NoImageError: Its official image is neither here nor to be had.
        TimeoutError: It does not come up.
    """
    description = known.SERVERS[name]
    if description.container is None:
        return _process(description) if name != known.OWN.name else _own()
    if isinstance(description.container.image, Pulled):
        return _nextcloud(description, description.container)
    return _container(description, description.container)


@contextlib.contextmanager
def _process(description: Description) -> Iterator[Running]:
    with tempfile.TemporaryDirectory() as folder:
        words = {user: secrets.token_urlsafe(12) for user in USERS}
        if description.name == "radicale":
            with embedded_radicale(Path(folder), words) as server:
                accounts = (description.server(server.url, *each) for each in words.items())
                yield Running(description, tuple(accounts))
        else:
            with embedded_xandikos(Path(folder)) as server:
                yield Running(description, (server,))


@contextlib.contextmanager
def _container(description: Description, container: Container) -> Iterator[Running]:
    words = {user: secrets.token_urlsafe(12) for user in USERS}
    pairs = " ".join(f"{user}:{word}" for user, word in words.items())
    with started(container, {"CALDAV_USERS": pairs}) as found:
        accounts = tuple(description.server(found.url, *each) for each in words.items())
        for account in accounts:
            _wait(account, found, container.start_s)
        yield Running(description, accounts, found.mail, command=found.run)


@contextlib.contextmanager
def _nextcloud(description: Description, container: Container) -> Iterator[Running]:
    # Not `token_urlsafe`: what begins with a hyphen is an option to the installer.
    password = secrets.token_hex(24)
    environment = {
        "SQLITE_DATABASE": "nextcloud",
        "NEXTCLOUD_ADMIN_USER": "admin",
        "NEXTCLOUD_ADMIN_PASSWORD": password,
        "NEXTCLOUD_TRUSTED_DOMAINS": "127.0.0.1",
        **MAIL,
    }
    with started(container, environment) as found:
        _wait(description.server(found.url, "admin", password), found, container.start_s)
        found.listen_for_mail()
        prepare(found)
        new_account = account_maker(description, found.url, password)
        accounts = tuple(map(new_account, USERS))
        yield Running(description, accounts, found.mail, new_account, found.run)


@contextlib.contextmanager
def _own() -> Iterator[Running]:
    """Give the server that the environment names; its own calendars are not touched."""
    url, username, password = (
        os.environ.get(_PREFIX + name, "") for name in ("URL", "USERNAME", "PASSWORD")
    )
    settings = Settings(
        url=url, username=username or None, password=Secret.of(password) if password else None
    )
    found = discovery.find(settings)
    found.connection.close()
    root, _, home = found.homes[0].removeprefix("https://").removeprefix("http://").partition("/")
    scheme = found.homes[0].partition("://")[0]
    yield Running(known.OWN, (Server(f"{scheme}://{root}/", username, password, f"/{home}"),))


def _wait(account: Server, found: Started, limit_s: float) -> None:
    """Wait until an account's home is served: some servers answer long before they can do that."""
    deadline = time.monotonic() + limit_s
    status = 0
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), Raw(account) as raw:
            status = raw.propfind(account.home, 0, "d:resourcetype").status
        if status == 207:
            return
        time.sleep(_PAUSE_S)
    raise TimeoutError(
        f"{account.url} does not serve {account.home} after {limit_s:.0f} s,"
        f" its last answer is {status}:\n{found.log()}"
    )
