"""The shipped contract suites, inherited by every connector that needs no server."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from caldav_run.connectors.protocol import Mirror, Source
from caldav_run.connectors.sinks.ics import IcsSink
from caldav_run.connectors.sources.ics import IcsSource
from caldav_run.testing.contracts import MirrorContract, MirrorPlace, SourceContract, context
from caldav_run.testing.contracts.sources import SourceAccount


class IcsAccount:
    """A folder that another program writes into."""

    def __init__(self, path: Path) -> None:
        self._path = path
        (path / "root").mkdir()

    def open(self, *, calendars: Sequence[str] | None = None) -> Source:
        options = {"type": "ics", "path": str(self._path / "root"), "calendars": calendars}
        return IcsSource.from_options(options, context(self._path))

    def open_lost(self) -> Source:
        return IcsSource.from_options({"path": str(self._path / "lost")}, context(self._path))

    def make(self, calendar: str) -> None:
        (self._path / "root" / calendar).mkdir()
        (self._path / "root" / calendar / "displayname").write_text(calendar)

    def put(self, calendar: str, href: str, body: bytes) -> None:
        (self._path / "root" / calendar / href).write_bytes(body)

    def remove(self, calendar: str, href: str) -> None:
        (self._path / "root" / calendar / href).unlink()


class TestIcsSource(SourceContract):
    @pytest.fixture
    def account(self, tmp_path: Path) -> SourceAccount:
        return IcsAccount(tmp_path)


class IcsPlace:
    """A folder that the sink makes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> Mirror:
        options = {"type": "ics", "path": str(self._path / "out")}
        return IcsSink.from_options(options, context(self._path))

    def open_lost(self) -> Mirror:
        options = {"type": "ics", "path": str(self._path / "no" / "disk")}
        return IcsSink.from_options(options, context(self._path))


class TestIcsSink(MirrorContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> MirrorPlace:
        return IcsPlace(tmp_path)
