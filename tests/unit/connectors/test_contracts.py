"""The shipped contract suites, inherited by every connector that needs no server."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from caldav_run.connectors import registry
from caldav_run.connectors.mirroring import Mirror
from caldav_run.connectors.protocol import Filter, Source
from caldav_run.connectors.sinks.ics import IcsSink
from caldav_run.connectors.sinks.snapshot import SnapshotSink
from caldav_run.connectors.sources.ics import IcsSource
from caldav_run.connectors.sources.snapshot import SnapshotSource
from caldav_run.model import Calendar, Change, Item, Op, Options, Provenance
from caldav_run.repository import keys
from caldav_run.repository.create import create
from caldav_run.repository.local import LocalStore
from caldav_run.testing.contracts import (
    ArchiveContract,
    FilterCases,
    FilterContract,
    MirrorContract,
    MirrorPlace,
    SourceContract,
    context,
    event,
)
from caldav_run.testing.contracts.archives import OpenArchive, calendar_row, run
from caldav_run.testing.contracts.filters import view
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


def new_repository(path: Path) -> Options:
    """Make keys and an empty repository, and return a sink's options for it."""
    made = keys.create_keys(path / "keys")
    signer = path / "keys" / keys.WRITER
    create(
        LocalStore(path / "vault"),
        [made.recipient],
        keys.load_writer(signer),
        datetime(2026, 5, 1, tzinfo=UTC),
    )
    return {
        "type": "snapshot",
        "repository": str(path / "vault"),
        "recipients": [made.recipient],
        "signer": {"file": str(signer)},
    }


def make(options: Options, state_dir: Path) -> Callable[[], Filter]:
    """Return what makes a filter from options."""
    return lambda: registry.FILTERS[str(options["type"])]()(options, context(state_dir))


class TestSnapshotSink(ArchiveContract):
    @pytest.fixture
    def archive(self, tmp_path: Path) -> OpenArchive:
        repository = new_repository(tmp_path)
        return lambda: SnapshotSink.from_options(repository, context(tmp_path / "state"))


class SnapshotAccountWriter:
    """A repository that another run appends to: each change is a snapshot."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._options = new_repository(path)
        identity = {"file": str(path / "keys" / keys.IDENTITY)}
        self._read = {"repository": self._options["repository"], "identity": identity}

    def open(self, *, calendars: Sequence[str] | None = None) -> Source:
        options = {**self._read, "calendars": calendars}
        return SnapshotSource.from_options(options, context(self._path))

    def open_lost(self) -> Source:
        options = {**self._read, "repository": str(self._path / "lost"), "account": "alice"}
        return SnapshotSource.from_options(options, context(self._path))

    def make(self, calendar: str) -> None:
        self._run(calendar_row(Calendar(id=calendar, display_name=calendar)))

    def put(self, calendar: str, href: str, body: bytes) -> None:
        each = Item(calendar, href, None, body, Provenance.GET)
        self._run(Change(op=Op.ADD, calendar=calendar, href=href, item=each, uid=href[:-4]))

    def remove(self, calendar: str, href: str) -> None:
        self._run(Change(op=Op.GONE, calendar=calendar, href=href))

    def _run(self, change: Change) -> None:
        run(lambda: SnapshotSink.from_options(self._options, context(self._path)), [change])


class TestSnapshotSource(SourceContract):
    @pytest.fixture
    def account(self, tmp_path: Path) -> SourceAccount:
        return SnapshotAccountWriter(tmp_path)


class TestComponentsFilter(FilterContract):
    @pytest.fixture
    def cases(self, tmp_path: Path) -> FilterCases:
        return FilterCases(
            make=make({"type": "components", "keep": ["VEVENT"]}, tmp_path),
            make_other=make({"type": "components", "keep": ["VTODO"]}, tmp_path),
            kept=[view(event("a"))],
            dropped=[view(event("a").replace(b"VEVENT", b"VTODO"))],
        )


class TestCalendarsFilter(FilterContract):
    @pytest.fixture
    def cases(self, tmp_path: Path) -> FilterCases:
        return FilterCases(
            make=make({"type": "calendars", "include": ["fam*"], "exclude": ["*x"]}, tmp_path),
            make_other=make({"type": "calendars", "include": ["fam*"]}, tmp_path),
            kept=[view(event("a"))],
            dropped=[view(event("a"), "work", "Work"), view(event("a"), "famx", "Famx")],
        )


class TestPeriodFilter(FilterContract):
    @pytest.fixture
    def cases(self, tmp_path: Path) -> FilterCases:
        past = event("a").replace(b":202605", b":202405")
        series = past.replace(b"SUMMARY", b"RRULE:FREQ=WEEKLY\r\nSUMMARY")
        return FilterCases(
            make=make({"type": "period", "from": "-1y"}, tmp_path),
            make_other=make({"type": "period", "from": "-2y"}, tmp_path),
            kept=[view(event("a")), view(series)],
            dropped=[view(past)],
        )


class TestWhereFilter(FilterContract):
    @pytest.fixture
    def cases(self, tmp_path: Path) -> FilterCases:
        return FilterCases(
            make=make({"type": "where", "drop": 'summary == "Dinner"'}, tmp_path),
            make_other=make({"type": "where", "keep": "all_day"}, tmp_path),
            kept=[view(event("a"))],
            dropped=[view(event("a", "Dinner"))],
        )
