"""What types and values are called in front of a person."""

from typing import Final

TYPE_WORDS: Final = {
    "object": "a map",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}
"""The types of JSON Schema."""


def kind(value: object) -> str:
    """Return what sort of value this is."""
    if isinstance(value, bool):
        return "true or false"
    kinds = {dict: "a map", list: "a list", str: "text", int: "a number", float: "a number"}
    return kinds.get(type(value), "nothing")


def spelled(value: object) -> str:
    """Return a value as YAML spells it; lists and maps only as they come."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "nothing" if value is None else str(value)
