"""The caldav source and sink keep the promises of their protocols, on each server."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sinks.caldav import CaldavSink
from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.testing.contracts import MirrorContract, SourceContract
from caldav_run.testing.servers import Server

CLOSED = {"url": "http://127.0.0.1:1/"}


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """An account on a real server, from both sides."""

    server: Server
    context: Context

    def open(self, *, calendars: Sequence[str] | None = None) -> CaldavSource:
        options = dict(self.server.options)
        if calendars is not None:
            options["calendars"] = calendars
        return CaldavSource.from_options(options, self.context)

    def open_lost(self) -> CaldavSource:
        return CaldavSource.from_options(CLOSED, self.context)

    def make(self, calendar: str) -> None:
        assert self.server.send("MKCALENDAR", f"{calendar}/") == 201

    def put(self, calendar: str, href: str, body: bytes) -> None:
        self.server.put(f"{calendar}/{href}", body)

    def remove(self, calendar: str, href: str) -> None:
        assert self.server.send("DELETE", f"{calendar}/{href}") in {200, 204}


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """A server as a destination."""

    server: Server
    context: Context

    def open(self) -> CaldavSink:
        return CaldavSink.from_options(self.server.options, self.context)

    def open_lost(self) -> CaldavSink:
        return CaldavSink.from_options(CLOSED, self.context)


class TestSourceOnRadicale(SourceContract):
    @pytest.fixture
    def account(self, radicale: Server, context: Context) -> ServerAccount:
        return ServerAccount(radicale, context)


class TestSourceOnXandikos(SourceContract):
    @pytest.fixture
    def account(self, xandikos: Server, context: Context) -> ServerAccount:
        return ServerAccount(xandikos, context)


class TestSinkOnRadicale(MirrorContract):
    @pytest.fixture
    def place(self, radicale: Server, context: Context) -> ServerPlace:
        return ServerPlace(radicale, context)


class TestSinkOnXandikos(MirrorContract):
    @pytest.fixture
    def place(self, xandikos: Server, context: Context) -> ServerPlace:
        return ServerPlace(xandikos, context)
