"""Which parts of the schema speak about which value of a pipeline."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from caldav_run.connectors.schemas import Schema
from caldav_run.pipeline.places import Path

_JSON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


class Field(NamedTuple):
    """One value and the schemas that apply to it.

    Attributes:
        path: Its path.
        value: The value.
        schemas: The schemas, without references and choices by `type`, which are resolved.
    """

    path: Path
    value: object
    schemas: tuple[Schema, ...]

    def marked(self, annotation: str) -> bool:
        """Return whether any of the schemas carries this annotation, such as `x-path`."""
        return any(schema.get(annotation) for schema in self.schemas)


def fields(value: object, root: Schema) -> Iterator[Field]:
    """Yield a whole pipeline from the top: every value with its schemas.

    Of alternatives (`oneOf`, `anyOf`) those apply that allow the value's type; a condition
    (`if`) may test properties for constants and presence, which is all that dispatch needs.

    Args:
        value: The pipeline.
        root: The bundled schema; every `$ref` is a pointer into it.
    """
    return _walk((), value, (root,), root)


def allows_type(schema: Schema, value: object) -> bool:
    """Return whether a schema's own `type`, if any, allows the value's type."""
    names = schema.get("type", ())
    wanted = [names] if isinstance(names, str) else list(names)
    return not wanted or any(is_of_type(value, name) for name in wanted)


def resolve_reference(reference: str, root: Schema) -> Schema:
    """Return what a pointer such as `#/$defs/filter` leads to."""
    found: Any = root
    for step in reference.removeprefix("#").split("/")[1:]:
        found = found[step]
    return found  # type: ignore[no-any-return]  # the bundle's pointers lead to schemas


def is_of_type(value: object, name: str) -> bool:
    """Return whether a value is of a type of JSON Schema, where a truth value is no number."""
    if isinstance(value, bool):
        return name == "boolean"
    if isinstance(value, float) and value.is_integer() and name == "integer":
        return True
    return isinstance(value, _JSON_TYPES[name])


def _walk(path: Path, value: object, schemas: tuple[Schema, ...], root: Schema) -> Iterator[Field]:
    flat = tuple(one for schema in schemas for one in _flat(schema, value, root))
    yield Field(path, value, flat)
    if isinstance(value, dict):
        for key, inner in value.items():
            below = tuple(one for schema in flat for one in _of_property(schema, key))
            yield from _walk((*path, key), inner, below, root)
    elif isinstance(value, list):
        below = tuple(schema["items"] for schema in flat if isinstance(schema.get("items"), dict))
        for at, inner in enumerate(value):
            yield from _walk((*path, at), inner, below, root)


def _flat(schema: Schema, value: object, root: Schema) -> Iterator[Schema]:
    yield schema
    if "$ref" in schema:
        yield from _flat(resolve_reference(schema["$ref"], root), value, root)
    for part in schema.get("allOf", ()):
        yield from _flat(part, value, root)
    for part in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
        if allows_type(part, value):
            yield from _flat(part, value, root)
    if "if" in schema:
        branch = schema.get("then" if _holds(schema["if"], value) else "else")
        if branch is not None:
            yield from _flat(branch, value, root)


def _of_property(schema: Schema, key: str) -> Iterator[Schema]:
    found = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
    if isinstance(found, dict):
        yield found


def _holds(condition: Schema, value: object) -> bool:
    if not isinstance(value, dict):
        return True
    present = all(name in value for name in condition.get("required", ()))
    return present and all(
        value[name] == test.get("const", value[name])
        and value[name] in test.get("enum", [value[name]])
        for name, test in condition.get("properties", {}).items()
        if name in value
    )
