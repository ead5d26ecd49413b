"""One self-contained JSON Schema of a pipeline, made of the schema files."""

from collections.abc import Mapping
from posixpath import dirname, join, normpath
from typing import Any, Final

from caldav_run.connectors.schemas import Schema, load_schemas

_SECRET: Final = "secret.schema.json"  # noqa: S105 -- a file's name
_PIPELINE: Final = "pipeline.schema.json"
_SINK_FILES: Final = "sinks/"


def bundled_schema(schemas: Mapping[str, Schema] | None = None) -> dict[str, Any]:
    """Return the schema of a whole pipeline file, with every other schema below `$defs`.

    A field marked `x-secret` gets the shape of a secret reference, and the `filters` of a sink
    the shape of filters, so that a connector's schema need not repeat either.

    Args:
        schemas: The schema files by their paths; the project's own by default.
    """
    files = load_schemas() if schemas is None else schemas
    root = _Rewriter(_PIPELINE).rewrite(files[_PIPELINE])
    root["$defs"] = {
        **root.get("$defs", {}),
        **{
            _slug(path): _without_head(_Rewriter(path).rewrite(schema))
            for path, schema in files.items()
            if path != _PIPELINE
        },
    }
    return root


def _slug(path: str) -> str:
    return path.removesuffix(".schema.json").replace("/", "-")


def _without_head(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in {"$schema", "$id"}}


class _Rewriter:
    """Turns the references of one schema file into references inside of the bundle."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.base = "#" if path == _PIPELINE else f"#/$defs/{_slug(path)}"

    def rewrite(self, schema: Schema) -> dict[str, Any]:
        out = {key: self._value(key, value) for key, value in schema.items()}
        if schema.get("x-secret") and "$ref" not in schema:
            out["$ref"] = f"#/$defs/{_slug(_SECRET)}"
        filters = out.get("properties", {}).get("filters")
        if self.path.startswith(_SINK_FILES) and isinstance(filters, dict):
            filters.setdefault("items", {"$ref": "#/$defs/filter"})
        return out

    def _value(self, key: str, value: Any) -> Any:
        if key == "$ref":
            return self._reference(value)
        # Defaults, constants and choices are data, not schemas.
        if key in {"default", "const", "enum", "examples"}:
            return value
        if isinstance(value, Mapping):
            return self.rewrite(value)
        if isinstance(value, list):
            return [self.rewrite(one) if isinstance(one, Mapping) else one for one in value]
        return value

    def _reference(self, reference: str) -> str:
        file, _, pointer = reference.partition("#")
        if not file:
            return f"{self.base}{pointer}"
        return f"#/$defs/{_slug(normpath(join(dirname(self.path), file)))}{pointer}"
