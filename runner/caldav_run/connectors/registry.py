"""Every connector by its `type`; a new one is one line here.

Each entry imports its module when it is called, so that `--help` and `validate` pay for none. It
returns `from_options` itself, so that a wrong signature fails the type checker at its line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from caldav_run.connectors.protocol import Context, Filter, Sink, Source
    from caldav_run.model import Options

    SourceFactory = Callable[[Options, Context], Source]
    FilterFactory = Callable[[Options, Context], Filter]
    SinkFactory = Callable[[Options, Context], Sink]


def _source_caldav() -> SourceFactory:
    from caldav_run.connectors.sources.caldav import CaldavSource

    return CaldavSource.from_options


def _source_ics() -> SourceFactory:
    from caldav_run.connectors.sources.ics import IcsSource

    return IcsSource.from_options


def _source_snapshot() -> SourceFactory:
    from caldav_run.connectors.sources.snapshot import SnapshotSource

    return SnapshotSource.from_options


def _filter_components() -> FilterFactory:
    from caldav_run.connectors.filters.components import ComponentsFilter

    return ComponentsFilter.from_options


def _filter_calendars() -> FilterFactory:
    from caldav_run.connectors.filters.calendars import CalendarsFilter

    return CalendarsFilter.from_options


def _filter_period() -> FilterFactory:
    from caldav_run.connectors.filters.period import PeriodFilter

    return PeriodFilter.from_options


def _filter_where() -> FilterFactory:
    from caldav_run.connectors.filters.where import WhereFilter

    return WhereFilter.from_options


def _sink_caldav() -> SinkFactory:
    from caldav_run.connectors.sinks.caldav import CaldavSink

    return CaldavSink.from_options


def _sink_ics() -> SinkFactory:
    from caldav_run.connectors.sinks.ics import IcsSink

    return IcsSink.from_options


def _sink_snapshot() -> SinkFactory:
    from caldav_run.connectors.sinks.snapshot import SnapshotSink

    return SnapshotSink.from_options


SOURCES: Final[Mapping[str, Callable[[], SourceFactory]]] = {
    "caldav": _source_caldav,
    "ics": _source_ics,
    "snapshot": _source_snapshot,
}
FILTERS: Final[Mapping[str, Callable[[], FilterFactory]]] = {
    "calendars": _filter_calendars,
    "components": _filter_components,
    "period": _filter_period,
    "where": _filter_where,
}
SINKS: Final[Mapping[str, Callable[[], SinkFactory]]] = {
    "caldav": _sink_caldav,
    "ics": _sink_ics,
    "snapshot": _sink_snapshot,
}
