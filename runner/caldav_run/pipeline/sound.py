"""Whether a value is as a schema says: yes or no, and nothing said about what is wrong.

What is wrong is for the library to find out, whose import takes a tenth of a run that finds nothing
new. Nearly every pipeline that is run is sound.

Source: JSON Schema 2020-12, as far as the project's own schemas use it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from caldav_run.connectors.schemas import Schema
from caldav_run.pipeline.fields import is_of_type, resolve_reference


def sound(value: object, schema: Schema, root: Schema) -> bool:
    """Return whether a value is valid.

    Args:
        value: The value.
        schema: What it has to be.
        root: The bundled schema, which references point into.

    Raises:
        NotImplementedError: The schema says more than is understood here.
    """
    for word, said in schema.items():
        if word in _ANNOTATIONS or word.startswith("x-"):
            continue
        test = _TESTS.get(word)
        if test is None:
            raise NotImplementedError(word)
        if not test(_Case(value, schema, root), said):
            return False
    return True


class _Case:
    """A value and the schema that speaks of it."""

    def __init__(self, value: Any, schema: Schema, root: Schema) -> None:
        self.value = value
        self.schema = schema
        self.root = root

    def holds(self, schema: Any, value: object) -> bool:
        # A schema may be a mere yes or no.
        return schema if isinstance(schema, bool) else sound(value, schema, self.root)

    def count(self, schemas: list[Schema]) -> int:
        return sum(self.holds(each, self.value) for each in schemas)


def _type(case: _Case, said: str | list[str]) -> bool:
    names = [said] if isinstance(said, str) else said
    return any(is_of_type(case.value, name) for name in names)


def _same(value: object, other: object) -> bool:
    if isinstance(other, (list, dict)):
        raise NotImplementedError("a list or map as a constant")
    return isinstance(value, bool) is isinstance(other, bool) and value == other


def _additional(case: _Case, said: Any) -> bool:
    known = case.schema.get("properties", {})
    extra = [name for name in case.value if name not in known]
    return all(case.holds(said, case.value[name]) for name in extra)


def _condition(case: _Case, said: Schema) -> bool:
    branch = case.schema.get("then" if case.holds(said, case.value) else "else")
    return branch is None or case.holds(branch, case.value)


def _of(kind: type | tuple[type, ...], test: Callable[[_Case, Any], bool]) -> "_Test":
    """Return a test that all values of other types pass."""
    return lambda case, said: (
        not isinstance(case.value, kind)
        or (isinstance(case.value, bool) and kind is _NUMBER)
        or test(case, said)
    )


_Test = Callable[[_Case, Any], bool]
_NUMBER: Final = (int, float)
_ANNOTATIONS: Final = frozenset(
    {"$schema", "$defs", "title", "description", "default", "then", "else"}
)
_TESTS: Final[Mapping[str, _Test]] = {
    "$ref": lambda case, said: case.holds(resolve_reference(said, case.root), case.value),
    "allOf": lambda case, said: case.count(said) == len(said),
    "anyOf": lambda case, said: case.count(said) > 0,
    "oneOf": lambda case, said: case.count(said) == 1,
    "if": _condition,
    "type": _type,
    "const": lambda case, said: _same(case.value, said),
    "enum": lambda case, said: any(_same(case.value, each) for each in said),
    "pattern": _of(str, lambda case, said: re.search(said, case.value) is not None),
    "minLength": _of(str, lambda case, said: len(case.value) >= said),
    "maxLength": _of(str, lambda case, said: len(case.value) <= said),
    "minimum": _of(_NUMBER, lambda case, said: bool(case.value >= said)),
    "maximum": _of(_NUMBER, lambda case, said: bool(case.value <= said)),
    "exclusiveMinimum": _of(_NUMBER, lambda case, said: bool(case.value > said)),
    "exclusiveMaximum": _of(_NUMBER, lambda case, said: bool(case.value < said)),
    "items": _of(list, lambda case, said: all(case.holds(said, each) for each in case.value)),
    "minItems": _of(list, lambda case, said: len(case.value) >= said),
    "maxItems": _of(list, lambda case, said: len(case.value) <= said),
    "minProperties": _of(dict, lambda case, said: len(case.value) >= said),
    "maxProperties": _of(dict, lambda case, said: len(case.value) <= said),
    "required": _of(dict, lambda case, said: all(name in case.value for name in said)),
    "additionalProperties": _of(dict, _additional),
    "properties": _of(
        dict,
        lambda case, said: all(
            case.holds(schema, case.value[name])
            for name, schema in said.items()
            if name in case.value
        ),
    ),
    "propertyNames": _of(
        dict, lambda case, said: all(case.holds(said, name) for name in case.value)
    ),
    "dependentRequired": _of(
        dict,
        lambda case, said: all(
            name in case.value for key, names in said.items() if key in case.value for name in names
        ),
    ),
}
