"""The shipped contract suites on the caldav connectors and real servers."""

from collections.abc import Iterator, Sequence

import pytest

from caldav_run.connectors.mirroring import Mirror
from caldav_run.connectors.protocol import Context, Source
from caldav_run.connectors.sinks.caldav import CaldavSink
from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.testing.contracts import (
    MirrorContract,
    MirrorPlace,
    SourceAccount,
    SourceContract,
)
from caldav_run.testing.servers import Server, embedded_xandikos

LOST = {"url": "http://127.0.0.1:1/", "timeout": 2}


@pytest.fixture(scope="module")
def shared_xandikos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with embedded_xandikos(tmp_path_factory.mktemp("xandikos")) as server:
        yield server


@pytest.fixture(params=["radicale", "shared_xandikos"], ids=["radicale", "xandikos"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    # Xandikos has one account only, and makes `calendar` in it; the suites start with none.
    for calendar in ("calendar", "one", "two", "empty", "family"):
        found.send("DELETE", f"{calendar}/")
    return found


class CaldavAccount:
    def __init__(self, server: Server, context: Context) -> None:
        self._server = server
        self._context = context

    def open(self, *, calendars: Sequence[str] | None = None) -> Source:
        options = {**self._server.options, "calendars": calendars}
        return CaldavSource.from_options(options, self._context)

    def open_lost(self) -> Source:
        return CaldavSource.from_options(LOST, self._context)

    def make(self, calendar: str) -> None:
        assert self._server.send("MKCALENDAR", f"{calendar}/") == 201

    def put(self, calendar: str, href: str, body: bytes) -> None:
        self._server.put(f"{calendar}/{href}", body)

    def remove(self, calendar: str, href: str) -> None:
        assert self._server.send("DELETE", f"{calendar}/{href}") in {200, 204}


class TestCaldavSource(SourceContract):
    @pytest.fixture
    def account(self, server: Server, context: Context) -> SourceAccount:
        return CaldavAccount(server, context)


class CaldavPlace:
    def __init__(self, server: Server, context: Context) -> None:
        self._server = server
        self._context = context

    def open(self) -> Mirror:
        return CaldavSink.from_options(self._server.options, self._context)

    def open_lost(self) -> Mirror:
        return CaldavSink.from_options(LOST, self._context)


class TestCaldavSink(MirrorContract):
    @pytest.fixture
    def place(self, server: Server, context: Context) -> MirrorPlace:
        return CaldavPlace(server, context)
