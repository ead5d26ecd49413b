"""From a checked pipeline file to connectors."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from caldav_run.connectors.protocol import Context, Filter, Sink, Source
from caldav_run.connectors.registry import FILTERS, SINKS, SOURCES
from caldav_run.connectors.schemas import Schema
from caldav_run.engine.guard import Expectation
from caldav_run.errors import SetupError
from caldav_run.model import Options
from caldav_run.pipeline.check import Checked, check_file
from caldav_run.pipeline.places import Path, dotted
from caldav_run.pipeline.problems import PipelineError, Problem, Severity
from caldav_run.pipeline.secrets import expanded, exposed_file_warning, secret_from

_ADDRESS: Final = re.compile(r"(?i)[a-z][a-z0-9+.-]+://")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorSpec:
    """One source, filter or sink as the pipeline says.

    Attributes:
        type: Which connector.
        name: Its name in the pipeline; for a filter its path, such as `filters[0]`.
        options: Its options without `type` and `filters`.
        place: Where it stands, as `file:line:column`.
        unset: What of it hangs on environment variables that are not set; it cannot be built.
    """

    type: str
    name: str
    options: Options
    place: str
    unset: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A pipeline that can run.

    Attributes:
        name: Its name.
        file: Its file.
        timezone: Where dates and floating times lie.
        sources: Where calendars come from, by name in file order.
        filters: The common filters in order.
        sinks: Where items go, by name in file order.
        sink_filters: The further filters of each sink, by the sink's name.
        expect: Its guards.
        warnings: What is doubtful, but no error.
    """

    name: str
    file: FilePath
    timezone: ZoneInfo
    sources: Mapping[str, ConnectorSpec]
    filters: tuple[ConnectorSpec, ...]
    sinks: Mapping[str, ConnectorSpec]
    sink_filters: Mapping[str, tuple[ConnectorSpec, ...]]
    expect: Expectation
    warnings: tuple[Problem, ...] = ()


def load_pipeline(
    path: FilePath,
    *,
    sets: Mapping[str, str],
    strict_env: bool = True,
    environ: Mapping[str, str] | None = None,
    schema: Schema | None = None,
) -> Pipeline:
    """Read, check and build one pipeline; connects to nothing and looks up no secret.

    Args:
        path: The file.
        sets: Values that take the place of variables, as `--set` gives them.
        strict_env: Whether a missing environment variable is an error.
        environ: The environment; the process' own by default.
        schema: The bundled schema; the project's own by default.

    Raises:
        PipelineError: The file cannot be used; carries every problem.
    """
    environment = os.environ if environ is None else environ
    checked = check_file(path, sets=sets, environ=environment, strict_env=strict_env, schema=schema)
    if checked.value is None:
        raise PipelineError(checked.problems)
    return _Builder(path, checked, environment).pipeline()


def build_source(spec: ConnectorSpec, context: Context) -> Source:
    """Make a source.

    Raises:
        SetupError: Its options do not go together, or one hangs on an environment variable
            that is not set.
    """
    _require_set(spec)
    return SOURCES[spec.type]()(spec.options, context)


def build_filter(spec: ConnectorSpec, context: Context) -> Filter:
    """Make a filter.

    Raises:
        SetupError: Its options do not go together, or one hangs on an environment variable
            that is not set.
    """
    _require_set(spec)
    return FILTERS[spec.type]()(spec.options, context)


def build_sink(spec: ConnectorSpec, context: Context) -> Sink:
    """Make a sink.

    Raises:
        SetupError: Its options do not go together, or one hangs on an environment variable
            that is not set.
    """
    _require_set(spec)
    return SINKS[spec.type]()(spec.options, context)


def _require_set(spec: ConnectorSpec) -> None:
    if spec.unset:
        message = f"{spec.place}: {spec.unset[0]} needs an environment variable that is not set"
        raise SetupError(message, mend="set it, or give it a default: ${env.NAME:-…}")


class _Builder:
    def __init__(self, path: FilePath, checked: Checked, environ: Mapping[str, str]) -> None:
        self.path = path
        self.folder = path.absolute().parent
        self.checked = checked
        self.environ = environ
        self.warnings = list(checked.problems)
        self.marks = {field.path: field for field in checked.fields}

    def pipeline(self) -> Pipeline:
        value = self.checked.value or {}
        sinks = value["sinks"]
        return Pipeline(
            name=value["name"],
            file=self.path,
            timezone=ZoneInfo(value.get("timezone", "UTC")),
            sources=self._named("sources", value["sources"]),
            filters=self._listed(("filters",), value.get("filters") or ()),
            sinks=self._named("sinks", sinks),
            sink_filters=MappingProxyType(
                {
                    name: self._listed(("sinks", name, "filters"), sink.get("filters") or ())
                    for name, sink in sinks.items()
                }
            ),
            expect=_expectation(value.get("expect") or {}),
            warnings=tuple(self.warnings),
        )

    def _named(self, kind: str, entries: Mapping[str, Any]) -> Mapping[str, ConnectorSpec]:
        specs = {name: self._spec((kind, name), name, one) for name, one in entries.items()}
        return MappingProxyType(specs)

    def _listed(self, path: Path, entries: Sequence[Any]) -> tuple[ConnectorSpec, ...]:
        return tuple(
            self._spec((*path, at), dotted((*path, at)), one) for at, one in enumerate(entries)
        )

    def _spec(self, path: Path, name: str, value: Mapping[str, Any]) -> ConnectorSpec:
        options = self._options(path, value)
        return ConnectorSpec(
            type=value["type"],
            name=name,
            options={
                key: option for key, option in options.items() if key not in {"type", "filters"}
            },
            place=self._place(path),
            unset=tuple(
                dotted(one)
                for one in sorted(self.checked.unknown, key=str)
                if one[: len(path)] == path
            ),
        )

    def _options(self, path: Path, value: Mapping[str, Any]) -> dict[str, object]:
        """Return a map's values as connectors take them, with the schema's defaults."""
        options = {key: self._option((*path, key), one) for key, one in value.items()}
        for schema in self.marks[path].schemas:
            for key, part in schema.get("properties", {}).items():
                if "default" in part:
                    options.setdefault(key, part["default"])
        return options

    def _option(self, path: Path, value: object) -> object:
        field = self.marks[path]
        if field.marked("x-secret") and isinstance(value, dict):
            return self._secret(path, value)
        if field.marked("x-path") and isinstance(value, str):
            return self._absolute(value)
        if isinstance(value, dict):
            return self._options(path, value)
        if isinstance(value, list):
            return [self._option((*path, at), one) for at, one in enumerate(value)]
        return value

    def _secret(self, path: Path, reference: Mapping[str, object]) -> object:
        place = f"{self._place(path)}: {dotted(path)}"
        warning = exposed_file_warning(reference, self.folder)
        if warning is not None:
            self.warnings.append(
                Problem(
                    code="exposed-secret",
                    message=warning,
                    file=str(self.path),
                    severity=Severity.WARNING,
                    span=self.checked.places[path].name,
                )
            )
        return secret_from(reference, place, self.folder, self.environ)

    def _absolute(self, text: str) -> str:
        if _ADDRESS.match(text):
            return text
        return os.path.normpath(self.folder / expanded(text))

    def _place(self, path: Path) -> str:
        span = self.checked.places[path].name
        return f"{self.path}:{span.line}:{span.column}"


def _expectation(expect: Mapping[str, Any]) -> Expectation:
    shrink = expect.get("max_shrink")
    if isinstance(shrink, str):
        shrink = float(shrink.removesuffix("%")) / 100
    return Expectation(min_items=expect.get("min_items"), max_shrink=shrink)
