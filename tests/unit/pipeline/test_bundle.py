"""The schemas: complete, valid, and made of what the checks understand."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from caldav_run.connectors import registry
from caldav_run.connectors.schemas import Schema, load_schemas, schema_folder
from caldav_run.pipeline.bundle import bundled_schema
from caldav_run.pipeline.fields import resolve_reference

KINDS = {"sources": registry.SOURCES, "filters": registry.FILTERS, "sinks": registry.SINKS}


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for inner in schema.values():
            yield from parts(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from parts(inner)


def test_the_schemas_are_found() -> None:
    assert (schema_folder() / "pipeline.schema.json").is_file()


@pytest.mark.parametrize("name", sorted(load_schemas()))
def test_a_schema_file_is_a_valid_schema(name: str) -> None:
    Draft202012Validator.check_schema(dict(load_schemas()[name]))


def test_the_bundle_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(bundled_schema())
    json.dumps(bundled_schema())


def test_every_reference_of_the_bundle_leads_inside_of_it() -> None:
    bundle = bundled_schema()
    references = [part["$ref"] for part in parts(bundle) if isinstance(part.get("$ref"), str)]
    assert references
    for reference in references:
        assert reference.startswith("#/")
        assert isinstance(resolve_reference(reference, bundle), dict)


def test_making_the_bundle_leaves_the_files_as_they_are() -> None:
    before = json.dumps(load_schemas())
    bundled_schema()
    assert json.dumps(load_schemas()) == before


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_connectors_schema_files_and_known_types_are_the_same(kind: str) -> None:
    files = {
        name.removeprefix(f"{kind}/").removesuffix(".schema.json")
        for name in load_schemas()
        if name.startswith(f"{kind}/")
    }
    known = bundled_schema()["$defs"][kind.removesuffix("s")]
    assert files == set(KINDS[kind]) == set(known["properties"]["type"]["enum"])
    chosen = {part["if"]["properties"]["type"]["const"] for part in known["allOf"]}
    assert chosen == files


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_connector_can_be_imported(kind: str) -> None:
    for factory in KINDS[kind].values():
        assert callable(factory())


def test_a_condition_tests_constants_and_presence_only() -> None:
    for part in parts(bundled_schema()):
        if isinstance(part.get("if"), dict):
            # Without the type every condition would hold of what is no map.
            assert part["if"]["type"] == "object"
            assert set(part["if"]) <= {"type", "properties", "required"}
            assert all(set(test) == {"const"} for test in part["if"]["properties"].values())


def test_a_secret_field_has_the_shape_of_a_reference() -> None:
    password = bundled_schema()["$defs"]["sources-caldav"]["properties"]["password"]
    assert password["$ref"] == "#/$defs/secret"


def test_the_filters_of_a_sink_have_the_shape_of_filters() -> None:
    filters = bundled_schema()["$defs"]["sinks-ics"]["properties"]["filters"]
    assert filters["items"] == {"$ref": "#/$defs/filter"}


def test_references_of_files_to_each_other_and_to_themselves_are_kept() -> None:
    files: dict[str, Schema] = {
        "pipeline.schema.json": {"$ref": "sources/a.schema.json"},
        "shared.schema.json": {"properties": {"x": {"type": "string"}}},
        "sources/a.schema.json": {
            "properties": {
                "far": {"$ref": "../shared.schema.json#/properties/x"},
                "near": {"$ref": "#/$defs/y"},
            },
            "$defs": {"y": {"default": {"$ref": "kept"}}},
        },
    }
    bundle = bundled_schema(files)
    assert bundle["$ref"] == "#/$defs/sources-a"
    far, near = bundle["$defs"]["sources-a"]["properties"].values()
    assert far == {"$ref": "#/$defs/shared/properties/x"}
    assert near == {"$ref": "#/$defs/sources-a/$defs/y"}
    assert bundle["$defs"]["sources-a"]["$defs"]["y"] == {"default": {"$ref": "kept"}}
