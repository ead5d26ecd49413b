"""Text from the environment or `--set` becomes what the schema asks for at its place."""

from collections.abc import Iterable
from typing import Any

from caldav_run.connectors.schemas import Schema
from caldav_run.pipeline.fields import Field, fields
from caldav_run.pipeline.interpolate import Interpolated
from caldav_run.pipeline.places import Path, dotted
from caldav_run.pipeline.problems import Problem
from caldav_run.pipeline.scalars import Scalar, resolve

_WORDS = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}


def convert(pipeline: Interpolated, schema: Schema) -> list[Problem]:
    """Give text from outside the type that its place needs; changes `pipeline.value`.

    What cannot be converted is reported, and its path joins `pipeline.unknown`.
    """
    problems: list[Problem] = []
    found = [
        field
        for field in fields(pipeline.value, schema)
        if field.path in pipeline.textual
        and field.path not in pipeline.unknown
        and not field.marked("x-secret")
    ]
    for field in found:
        wanted = _types(field.schemas)
        if not isinstance(field.value, str) or not wanted or "string" in wanted - _numeric(field):
            continue
        value = _meaning(field.value, wanted)
        if value is not None:
            _put(pipeline.value, field.path, value)
        elif "string" not in wanted:
            kinds = " or ".join(word for name, word in _WORDS.items() if name in wanted)
            pipeline.unknown.add(field.path)
            problems.append(
                Problem(
                    code="env-type",
                    message=f"{dotted(field.path)} must be {kinds or 'of another type'},"
                    " but the text put in is not",
                    span=pipeline.places[field.path].value,
                    hint="set the variable to such a value",
                )
            )
    return problems


def _numeric(field: Field) -> set[str]:
    """Return `string` where another alternative takes the text as a number (`20%` or `20`)."""
    alternatives = any("oneOf" in schema or "anyOf" in schema for schema in field.schemas)
    return {"string"} if alternatives else set()


def _types(schemas: Iterable[Schema]) -> set[str]:
    """Return the scalar types that the schemas name, alternatives included."""
    names: set[str] = set()
    for schema in schemas:
        names |= _own_types(schema)
        for part in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
            names |= _own_types(part)
    return names


def _own_types(schema: Schema) -> set[str]:
    named = schema.get("type", ())
    choices = [schema["const"]] if "const" in schema else schema.get("enum", ())
    return {named} if isinstance(named, str) else {*named, *map(_type_name, choices)}


def _type_name(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "integer" if isinstance(value, int) else "string"


def _meaning(text: str, wanted: set[str]) -> Scalar:
    """Return the number or boolean that the text spells, or None when it is not wanted."""
    try:
        value = resolve(text)
    except ValueError:
        return None
    if isinstance(value, bool):
        return value if "boolean" in wanted else None
    if isinstance(value, int):
        return value if wanted & {"integer", "number"} else None
    return value if isinstance(value, float) and "number" in wanted else None


def _put(top: object, path: Path, value: Scalar) -> None:
    *above, last = path
    container: Any = top
    for step in above:
        container = container[step]
    container[last] = value
