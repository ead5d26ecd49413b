"""Words for what a schema finds wrong, with small schemas of each kind."""

from typing import TYPE_CHECKING, Any

import pytest

from caldav_run.pipeline.fields import Field, fields
from caldav_run.pipeline.load import parse
from caldav_run.pipeline.problems import Problem
from caldav_run.pipeline.structure import structure_problems

if TYPE_CHECKING:
    from caldav_run.pipeline.places import Path


def problems(schema: dict[str, Any], value: str) -> list[Problem]:
    """Check `x: value`."""
    document, _ = parse(f"x: {value}\n")
    whole = {"properties": {"x": schema}}
    return structure_problems(document.value, whole, document.places)


def words(schema: dict[str, Any], value: str) -> tuple[str, str, str | None]:
    (problem,) = problems(schema, value)
    return problem.code, problem.message, problem.hint


@pytest.mark.parametrize(
    ("schema", "value", "code", "message"),
    [
        ({"type": "string"}, "true", "wrong-type", "x must be text, not true or false"),
        ({"type": "object"}, "", "wrong-type", "x must be a map, not nothing"),
        (
            {"type": ["null", "number"]},
            "a",
            "wrong-type",
            "x must be nothing or a number, not text",
        ),
        ({"const": True}, "a", "bad-value", "x must be true"),
        ({"enum": [None, 1]}, "a", "bad-value", 'x cannot be "a"'),
        ({"maxLength": 2}, "abc", "too-many", "x must hold at most 2 characters"),
        ({"minItems": 2}, "[a]", "too-few", "x must hold at least 2 entries"),
        ({"exclusiveMaximum": 3}, "3", "out-of-range", "x must be less than 3, not 3"),
        ({"multipleOf": 2}, "3", "out-of-range", "x must be a multiple of 2, not 3"),
        ({"uniqueItems": True}, "[a, a]", "duplicate-item", "x names something twice"),
        ({"not": {}}, "a", "bad-value", "x is not as it must be"),
        ({"propertyNames": {"maxLength": 1}}, "{ab: 1}", "bad-name", '"ab" cannot be a name in x'),
        ({"pattern": "^a$"}, "b", "bad-format", '"b" is not written as x must be'),
        ({"anyOf": [{"const": "a"}, {"const": "b"}]}, "c", "bad-value", 'x cannot be "c"'),
        ({"required": ["y"]}, "{z: 1}", "missing-key", 'x lacks "y"'),
        ({"dependentRequired": {"y": ["z"]}}, "{y: 1}", "missing-key", 'x.y needs "z"'),
    ],
)
def test_a_rule_is_told_in_words(
    schema: dict[str, Any], value: str, code: str, message: str
) -> None:
    assert words(schema, value)[:2] == (code, message)


def test_text_for_a_list_is_to_be_put_in_brackets() -> None:
    assert words({"type": "array"}, "a")[2] == "write it in brackets: […]"


def test_of_alternatives_of_one_type_the_errors_of_none_are_told() -> None:
    schema = {"oneOf": [{"type": "string", "pattern": "^a"}, {"type": "string", "pattern": "^b"}]}
    assert words(schema, "c")[1] == 'x cannot be "c"'


def test_of_alternatives_that_both_fit_one_is_too_many() -> None:
    schema = {"oneOf": [{"required": ["y"]}, {"required": ["z"]}]}
    assert words(schema, "{y: 1, z: 2}")[:2] == ("too-many", "x takes only one of y, z")
    assert words(schema, "{}")[:2] == ("missing-key", "x needs one of y, z")


def test_what_is_skipped_is_skipped_with_all_below_it() -> None:
    document, _ = parse("x: {y: 1}\n")
    schema = {"properties": {"x": {"properties": {"y": {"type": "string"}}}}}
    assert structure_problems(document.value, schema, document.places, skip=[("x",)]) == []


def test_a_value_is_shown_as_the_caller_wants_it() -> None:
    document, _ = parse("x: hunter2\n")
    schema = {"properties": {"x": {"enum": ["a"]}}}
    shown: dict[Path, str] = {("x",): "the value put in"}
    (problem,) = structure_problems(document.value, schema, document.places, shown=shown)
    assert problem.message == "x cannot be the value put in"


def schemas_of(schema: dict[str, Any], value: object) -> Field:
    return next(iter(fields(value, schema)))


def test_a_condition_chooses_its_branch() -> None:
    schema = {
        "if": {"properties": {"type": {"const": "a"}}, "required": ["type"]},
        "then": {"x-path": True},
        "else": {"x-time": True},
    }
    assert schemas_of(schema, {"type": "a"}).marked("x-path")
    assert schemas_of(schema, {"type": "b"}).marked("x-time")
    assert schemas_of(schema, {}).marked("x-time")
    assert schemas_of(schema, 5).marked("x-path")


def test_of_alternatives_the_one_of_the_values_type_applies() -> None:
    schema = {"anyOf": [{"type": "integer", "x-path": True}, {"type": "boolean", "x-time": True}]}
    assert schemas_of(schema, 2.0).marked("x-path")
    assert schemas_of(schema, value=True).marked("x-time")
    assert not schemas_of(schema, value=True).marked("x-path")
