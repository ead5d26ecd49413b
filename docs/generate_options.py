"""Write docs/options.md: a table of options for each schema. Run by `make docs-tables`."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from caldav_run.connectors.schemas import Schema, load_schemas

PAGE: Final = Path(__file__).with_name("options.md")
HEAD: Final = """\
# Options

<!-- Written by `make docs-tables` from schemas/; edit the descriptions there. -->

Every key of a pipeline file. An unknown key is an error with a suggestion. How they work together
is told in [Pipelines](pipeline.md).
"""
KINDS: Final = {"sources": "Source", "filters": "Filter", "sinks": "Sink"}
MARKS: Final = {
    "x-secret": "[secret](#secrets)",
    "x-store": "path or URL",
    "x-path": "path",
    "x-expression": "expression",
    "x-time": "time",
    "x-snapshot": "snapshot",
}
TYPES: Final = {
    "string": "text",
    "number": "number",
    "integer": "whole number",
    "boolean": "true or false",
    "array": "list",
    "object": "map",
}


def page(schemas: Mapping[str, Schema]) -> str:
    """Return the whole page.

    Args:
        schemas: The schema files by their paths below `schemas/`.
    """
    connectors = [
        (f"{label} `{Path(path).name.removesuffix('.schema.json')}`", schemas[path])
        for folder, label in KINDS.items()
        for path in sorted(schemas)
        if path.startswith(f"{folder}/")
    ]
    chapters = [
        ("Pipeline", schemas["pipeline.schema.json"]),
        *connectors,
        ("OAuth2", schemas["oauth2.schema.json"]),
        ("Storage", schemas["storage.schema.json"]),
        ("Secrets", schemas["secret.schema.json"]),
    ]
    return HEAD + "".join(_chapter(title, schema) for title, schema in chapters)


def _chapter(title: str, schema: Schema) -> str:
    rows = "".join(
        f"| `{name}` | {kind} | {default} | {text} |\n"
        for name, kind, default, text in _rows(schema, "")
    )
    head = "| option | value | default | meaning |\n|---|---|---|---|\n"
    return f"\n## {title}\n\n{_prose(schema['description'])}\n\n{head}{rows}"


def _rows(schema: Schema, prefix: str) -> Iterator[tuple[str, str, str, str]]:
    required = schema.get("required", [])
    for name, option in schema["properties"].items():
        if "const" in option and name == "type":
            continue
        default = "required" if name in required else _literal(option.get("default"))
        yield prefix + name, _kind(option), default, _prose(option.get("description", ""))
        for form in (option, *option.get("oneOf", ()), *option.get("items", {}).get("oneOf", ())):
            if "properties" in form:
                yield from _rows(form, f"{prefix}{name}.")


def _kind(option: Mapping[str, Any]) -> str:
    """Say in words which values an option takes."""
    for mark, word in MARKS.items():
        if option.get(mark):
            return word
    if "$ref" in option:
        shared = Path(option["$ref"]).name.removesuffix(".schema.json")
        return f"[{shared}](#{shared})"
    if "oneOf" in option:
        return " or ".join(_kind(form) for form in option["oneOf"])
    values = [option["const"]] if "const" in option else option.get("enum", ())
    if values:
        return ", ".join(map(_literal, values))
    items = option.get("items", {})
    of = f" of {_kind(items)}" if items.keys() & {"type", "enum", "oneOf"} else ""
    return TYPES[option["type"]] + of


def _literal(value: object) -> str:
    return "" if value is None else f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _prose(text: str) -> str:
    # What stands between backquotes shows as it is; elsewhere Markdown would take <…> for HTML.
    parts = text.replace("|", "\\|").split("`")
    parts[::2] = (part.replace("<", "&lt;") for part in parts[::2])
    return "`".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(load_schemas()), encoding="utf-8")
