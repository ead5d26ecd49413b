"""What sources and sinks do to each other: accounts, places, calendars that would meet."""

from collections.abc import Iterator, Mapping, Sequence
from os.path import normpath
from pathlib import Path as File
from typing import Any, Final

from caldav_run.pipeline.interpolate import Interpolated
from caldav_run.pipeline.places import Path, quoted
from caldav_run.pipeline.problems import Problem, Severity

_PLACE_KEYS: Final = ("repository", "path", "url", "username")
_ELSEWHERE: Final = ("local", "off")
_PATTERN_CHARACTERS: Final = frozenset("*?[")


def destination_problems(pipeline: Interpolated) -> Iterator[Problem]:
    """Yield accounts of one name, sinks in one place, calendars that would meet, idle options.

    Args:
        pipeline: A pipeline that is valid by the schema.
    """
    value: Any = pipeline.value
    sources, sinks = value["sources"], value["sinks"]
    yield from _accounts(sources, pipeline)
    yield from _same_places(sinks, pipeline)
    yield from _circles(sources, sinks, pipeline)
    yield from _vaults(sinks, pipeline)
    for name, sink in sinks.items():
        if sink["type"] == "caldav":
            yield from _meetings(name, sink, sources, pipeline)
        if "delete" in sink and sink.get("mode", "merge") == "merge":
            yield Problem(
                code="no-effect",
                message=f"the sink {quoted(name)} deletes nothing, so that `delete` has no effect",
                severity=Severity.WARNING,
                span=pipeline.places["sinks", name, "delete"].name,
                hint="add mode: exact, or take delete out",
            )


def _accounts(sources: Mapping[str, Any], pipeline: Interpolated) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for name, source in sources.items():
        if ("sources", name, "account") in pipeline.unknown:
            continue
        account = source.get("account", name)
        first = owners.setdefault(account, name)
        # An account that is to be read from a repository is not one that is written.
        if first == name or "snapshot" in {source["type"], sources[first]["type"]}:
            continue
        path: Path = ("sources", name)
        where = (*path, "account") if "account" in source else path
        yield Problem(
            code="duplicate-account",
            message=f"the sources {quoted(first)} and {quoted(name)} are both the account"
            f" {quoted(account)}",
            span=pipeline.places[where].name,
            hint="give one of them another account:",
        )


def _same_places(sinks: Mapping[str, Any], pipeline: Interpolated) -> Iterator[Problem]:
    owners: dict[tuple[object, ...], str] = {}
    for name, sink in sinks.items():
        if any(("sinks", name, key) in pipeline.unknown for key in ("type", *_PLACE_KEYS)):
            continue
        # Two services may have buckets of one name.
        endpoint = sink.get("storage", {}).get("endpoint")
        place = (sink["type"], endpoint, *(sink.get(key) for key in _PLACE_KEYS))
        first = owners.setdefault(place, name)
        if first != name:
            yield Problem(
                code="same-destination",
                message=f"the sinks {quoted(first)} and {quoted(name)} write to the same place",
                span=pipeline.places["sinks", name].name,
                hint="keep one of them",
            )


def _vaults(sinks: Mapping[str, Any], pipeline: Interpolated) -> Iterator[Problem]:
    """Yield safety snapshots that are to go into no repository of the pipeline."""
    known = [name for name, sink in sinks.items() if sink["type"] == "snapshot"]
    for name, sink in sinks.items():
        path: Path = ("sinks", name, "safety_snapshot")
        choice = sink.get("safety_snapshot")
        if choice is None or path in pipeline.unknown or choice in {*known, *_ELSEWHERE}:
            continue
        yield Problem(
            code="unknown-vault",
            message=f"safety_snapshot: {quoted(choice)} is no snapshot sink",
            span=pipeline.places[path].value,
            hint=f"choose: {', '.join((*known, *_ELSEWHERE))}",
        )


def _circles(
    sources: Mapping[str, Any], sinks: Mapping[str, Any], pipeline: Interpolated
) -> Iterator[Problem]:
    """Yield the folders that are written to where they are read: each run would find more."""
    for name, sink in sinks.items():
        for other, source in sources.items():
            both = (("sinks", name), ("sources", other))
            if any((*path, key) in pipeline.unknown for path in both for key in ("type", "path")):
                continue
            if sink["type"] == source["type"] == "ics" and "path" in source:
                read, written = File(normpath(source["path"])), File(normpath(sink["path"]))
                if read == written or read in written.parents:
                    yield Problem(
                        code="circle",
                        message=f"the sink {quoted(name)} writes into the folder that the source"
                        f" {quoted(other)} reads",
                        span=pipeline.places["sinks", name, "path"].value,
                        hint="write to a folder outside of it",
                    )


def _meetings(
    sink_name: str, sink: Mapping[str, Any], sources: Mapping[str, Any], pipeline: Interpolated
) -> Iterator[Problem]:
    """Yield calendars of several sources that certainly go into one calendar of the sink.

    Only calendars that are spelled out can be told without asking a server; the others show
    when a run is planned.
    """
    renamed = sink.get("rename") or {}
    owners: dict[str, tuple[str, str]] = {}
    for name, source in sources.items():
        for path, calendar in _spelled_out(name, source):
            goal = renamed.get(calendar, calendar)
            first, first_calendar = owners.setdefault(goal, (name, calendar))
            if first == name:
                continue
            yield Problem(
                code="meeting-calendars",
                message=f"{quoted(first_calendar)} of {quoted(first)} and {quoted(calendar)} of"
                f" {quoted(name)} would meet in one calendar of the sink {quoted(sink_name)}",
                severity=Severity.WARNING,
                span=pipeline.places[path].value,
                hint="rename one of them in the sink, or use two pipelines",
            )


def _spelled_out(name: str, source: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    chosen = source.get("calendars")
    path: Path = ("sources", name, "calendars")
    if isinstance(chosen, Mapping):
        chosen, path = chosen.get("include"), (*path, "include")
    patterns: Sequence[str] = chosen or ()
    for at, pattern in enumerate(patterns):
        if not _PATTERN_CHARACTERS & set(pattern):
            yield (*path, at), pattern
