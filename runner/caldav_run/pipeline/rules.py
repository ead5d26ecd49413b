"""What the JSON Schema cannot say: rules about single values."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from caldav_run.errors import SetupError
from caldav_run.pipeline.expression import place_in_scalar
from caldav_run.pipeline.fields import Field
from caldav_run.pipeline.guess import similar
from caldav_run.pipeline.interpolate import Interpolated
from caldav_run.pipeline.places import Path, dotted, quoted
from caldav_run.pipeline.problems import Problem

_ADDRESS: Final = re.compile(r"(?i)[a-z][a-z0-9+.-]*://")
_USERINFO: Final = re.compile(r"(?i)[a-z][a-z0-9+.-]*://[^/?#]*@")
_ENVIRONMENT_REFERENCE: Final = re.compile(r"\$\{env\.([A-Za-z_][A-Za-z0-9_]*)")
_OTHER_REFERENCES: Final = (
    "or {file: path}, {command: [program, …]}, {keyring: {service: …, username: …}}"
)
_ENVIRONMENT_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def value_problems(
    found: Sequence[Field], pipeline: Interpolated, lines: Sequence[str]
) -> Iterator[Problem]:
    """Yield what is wrong with single values beyond their shape.

    Args:
        found: Every field of the pipeline.
        pipeline: The pipeline.
        lines: The file's lines.
    """
    for field in found:
        if field.marked("x-secret"):
            yield from _secret(field, pipeline, lines)
        elif field.path in pipeline.unknown:
            continue
        elif isinstance(field.value, str):
            yield from _text(field, pipeline, lines)


def _text(field: Field, pipeline: Interpolated, lines: Sequence[str]) -> Iterator[Problem]:
    yield from _address(field, pipeline)
    if field.marked("x-time"):
        yield from _time(field, pipeline)
    if field.marked("x-snapshot"):
        yield from _snapshot(field, pipeline)
    if field.marked("x-expression"):
        yield from _expression(field, pipeline, lines)
    if field.path[2:3] == ("calendars",):
        yield from _pattern(field, pipeline)
    if field.path == ("timezone",):
        yield from _timezone(field, pipeline)


def hidden_values(found: Iterable[Field]) -> set[Path]:
    """Return the paths of values that must not be shown.

    That is everything at an `x-secret` field that is no reference, what is wrong with a
    reference, and what stands behind the misspelt key of a secret.
    """
    hidden: set[Path] = set()
    for field in found:
        if field.marked("x-secret"):
            hidden |= _in_reference(field)
        elif isinstance(field.value, dict):
            hidden |= {(*field.path, key) for key in _misspelt_secrets(field, field.value)}
    return hidden


def _in_reference(field: Field) -> set[Path]:
    if not isinstance(field.value, dict):
        return {field.path}
    hidden = {(*field.path, key) for key in field.value if key not in _REFERENCES}
    name = field.value.get("env")
    if not (isinstance(name, str) and _ENVIRONMENT_NAME.fullmatch(name)):
        hidden.add((*field.path, "env"))
    return hidden


def _misspelt_secrets(field: Field, keys: Iterable[str]) -> Iterator[str]:
    known = {
        name: part
        for schema in field.schemas
        for name, part in schema.get("properties", {}).items()
        if isinstance(part, dict)
    }
    secrets = [name for name, part in known.items() if part.get("x-secret")]
    return (key for key in keys if key not in known and similar(key, secrets) is not None)


_REFERENCES: Final = frozenset({"env", "file", "command", "keyring"})


def _secret(field: Field, pipeline: Interpolated, lines: Sequence[str]) -> Iterator[Problem]:
    if isinstance(field.value, dict):
        return
    key, span = str(field.path[-1]), pipeline.places[field.path].value
    if field.value is None or isinstance(field.value, list):
        yield Problem(
            code="wrong-type",
            message=f"{dotted(field.path)} must say where the secret is found",
            span=pipeline.places[field.path].name,
            hint=f"write {key}: {{env: NAME}}",
            notes=(_OTHER_REFERENCES,),
        )
        return
    spelled = lines[span.line - 1][span.column - 1 :][: span.length]
    reference = _ENVIRONMENT_REFERENCE.search(spelled)
    name = reference[1] if reference else key.upper().replace("-", "_")
    yield Problem(
        code="plain-secret",
        message=f"{dotted(field.path)} must not stand in the file",
        span=span,
        hint=f"write {key}: {{env: {name}}} and set that variable",
        notes=(_OTHER_REFERENCES,),
    )


def _address(field: Field, pipeline: Interpolated) -> Iterator[Problem]:
    text = str(field.value)
    if not _ADDRESS.match(text):
        return
    if _USERINFO.match(text):
        yield Problem(
            code="url-userinfo",
            message=f"{dotted(field.path)} holds a user name or password inside of the address",
            span=pipeline.places[field.path].value,
            hint="take it out; use username: and password: {env: …}",
        )
        return
    try:
        parts = urlsplit(text)
        fit = parts.port is None or parts.port > 0
    except ValueError:
        fit = False
    if not fit:
        yield Problem(
            code="bad-url",
            message=f"{dotted(field.path)} is not a valid address",
            span=pipeline.places[field.path].value,
            hint="write it as https://host/path",
        )


def _pattern(field: Field, pipeline: Interpolated) -> Iterator[Problem]:
    text = str(field.value)
    opened = text.rfind("[")
    if not text or (opened >= 0 and "]" not in text[opened + 2 :]):
        what = "has a [ that is not closed" if text else "is empty and matches no calendar"
        yield Problem(
            code="bad-pattern",
            message=f"the pattern {dotted(field.path)} {what}",
            span=pipeline.places[field.path].value,
            hint="write [[] for a [ itself" if text else "take it out",
        )


def _timezone(field: Field, pipeline: Interpolated) -> Iterator[Problem]:
    name = str(field.value)
    # These mean the host's own zone, with which a pipeline would judge otherwise elsewhere.
    known = name not in {"localtime", "posixrules"}
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        known = False
    if not known:
        shown = name if field.path not in pipeline.changed else "the name put in"
        yield Problem(
            code="bad-timezone",
            message=f"there is no time zone {quoted(shown)}",
            span=pipeline.places[field.path].value,
            hint=similar(name, available_timezones()) or 'write a name such as "Europe/Berlin"',
        )


def _expression(field: Field, pipeline: Interpolated, lines: Sequence[str]) -> Iterator[Problem]:
    from caldav_run.connectors.expression import ExpressionError, compile_expression

    source = str(field.value)
    try:
        compile_expression(source)
    except ExpressionError as error:
        located = pipeline.places[field.path]
        span = located.value
        if field.path not in pipeline.changed:
            span = place_in_scalar(located, source, lines, line=error.line, column=error.column)
        yield Problem(
            code="bad-expression",
            message=f"{dotted(field.path)}: {error.message}",
            span=span,
            hint=error.mend,
        )


def _time(field: Field, pipeline: Interpolated) -> Iterator[Problem]:
    from caldav_run.connectors.bounds import parse_bound

    try:
        # Whether it is a time does not hang on the zone.
        parse_bound(str(field.value), UTC)
    except SetupError as error:
        yield Problem(
            code="bad-time",
            message=f"{dotted(field.path)} cannot be {_found(field, pipeline)}",
            span=pipeline.places[field.path].value,
            hint=error.mend or error.message,
        )


def _snapshot(field: Field, pipeline: Interpolated) -> Iterator[Problem]:
    from caldav_run.repository.references import MEND, is_reference

    if not is_reference(str(field.value)):
        yield Problem(
            code="bad-snapshot",
            message=f"{dotted(field.path)} cannot be {_found(field, pipeline)}",
            span=pipeline.places[field.path].value,
            hint=MEND,
        )


def _found(field: Field, pipeline: Interpolated) -> str:
    return "the value put in" if field.path in pipeline.changed else quoted(str(field.value))
