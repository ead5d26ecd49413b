"""The quick yes or no is the library's."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from caldav_run.pipeline.bundle import bundled_schema
from caldav_run.pipeline.sound import sound

PIPELINES = Path(__file__).parents[3] / "pipelines"
PIPELINE = """
version: 1
name: everything
timezone: Europe/Berlin
vars: {days: 30d}
expect: {min_items: 1, max_shrink: 20%}
sources:
  cloud:
    type: caldav
    url: https://example.org
    username: joe
    password: {env: P}
    calendars: {include: [a, b*], exclude: [c]}
    proxy: {url: "http://127.0.0.1:3128"}
  folder: {type: ics, path: here}
  vault: {type: snapshot, repository: there, account: cloud}
filters:
  - {type: period, from: -30d}
  - {type: components, keep: [VEVENT]}
  - {type: where, drop: 'summary == "x"'}
sinks:
  out: {type: ics, path: out, filters: [{type: calendars, include: [a]}]}
  vault: {type: snapshot, repository: s3:here, recipients: [{file: r}], keep: {within: 2y}}
"""
ODD: tuple[Any, ...] = (
    *(None, True, 0, 1, 1.0, -1.5, 1e9, "", "x", "1y", "caldav", "https://x"),
    *([], {}, ["x"], ["x", 1], {"x": 1}, {"env": "P"}, {"type": "ics"}),
)


def changed(value: Any) -> Iterator[Any]:
    """Yield a value with each of its parts gone, odd, or beside something odd."""
    yield from ODD
    if isinstance(value, dict):
        yield {**value, "odd": 1}
        for key in value:
            yield {each: below for each, below in value.items() if each != key}
            yield from ({**value, key: one} for one in changed(value[key]))
    elif isinstance(value, list):
        yield [*value, *value]
        for at, below in enumerate(value):
            yield from ([*value[:at], one, *value[at + 1 :]] for one in changed(below))


def test_it_says_of_every_change_to_a_pipeline_what_the_library_says() -> None:
    schema, pipeline = bundled_schema(), yaml.safe_load(PIPELINE)
    library = Draft202012Validator(schema)
    every = [pipeline, *changed(pipeline)]
    assert library.is_valid(pipeline)
    assert len(every) > 1000
    for each in every:
        assert sound(deepcopy(each), schema, schema) is library.is_valid(each), each


@pytest.mark.parametrize("file", sorted(PIPELINES.glob("*.yaml")), ids=lambda file: file.name)
def test_the_library_is_not_needed_for_the_pipelines_that_are_given_as_examples(file: Path) -> None:
    schema, pipeline = bundled_schema(), yaml.safe_load(file.read_text())
    assert sound(pipeline, schema, schema) is Draft202012Validator(schema).is_valid(pipeline)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"items": True}, [1]),
        ({"additionalProperties": False}, {}),
        ({"exclusiveMaximum": 3, "maxItems": 2, "maximum": 4}, 2),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, "x"),
    ],
)
def test_words_that_the_schemas_may_use_one_day_are_understood(schema: Any, value: Any) -> None:
    assert sound(value, schema, schema) is Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize("schema", [{"contains": {}}, {"const": [1]}])
def test_it_does_not_answer_where_a_schema_says_more_than_it_understands(schema: Any) -> None:
    with pytest.raises(NotImplementedError):
        sound([1], schema, schema)
