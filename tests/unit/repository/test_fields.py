"""Values of signed documents are what they have to be."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from caldav_run.repository import fields, rows
from caldav_run.repository.broken import FormatError

ROW = b'[0,"+","family","a.ics",null,null,null,null,null,null,"get"%s]'


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (fields.text, None),
        (fields.text, 1),
        (fields.number, "1"),
        (fields.number, True),
        (fields.number, -1),
        (fields.number, 1.0),
        (fields.flag, 0),
        (fields.moment, 5),
        (fields.moment, "2026-05-01T08:00:00"),
        (fields.moment, "2026-05-01T08:00:00+00:00"),
        (fields.moment, "2026-13-01T08:00:00Z"),
    ],
)
def test_another_kind_of_value_is_refused(kind: Callable[[object], object], value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        kind(value)


def test_a_time_is_utc() -> None:
    assert fields.moment("2026-05-01T08:00:00Z") == datetime(2026, 5, 1, 8, tzinfo=UTC)


@pytest.mark.usefixtures("elsewhere")
def test_a_time_is_written_in_utc_whatever_zone_the_machine_is_in() -> None:
    assert fields.stamp(datetime(2026, 5, 1, 8, tzinfo=UTC)) == "2026-05-01T08:00:00Z"


def test_null_may_stand_for_an_optional_value_only() -> None:
    assert fields.optional(fields.text, None) is None
    assert fields.optional(fields.text, "x") == "x"
    with pytest.raises(ValueError, match="no text"):
        fields.optional(fields.text, 1)


@pytest.mark.parametrize("text", [b"NaN", b"-Infinity", b"1e999", b'"\\ud800"', b"\xff", b""])
def test_json_that_nothing_can_show_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        fields.parse(text)


def test_an_escape_is_read() -> None:
    assert fields.parse(b'"\\u00e4"') == "ä"


def test_further_columns_and_members_of_a_later_version_are_ignored() -> None:
    row = rows.checked(ROW % b',{"novelty":1,"properties":{"more":[]}},"beyond",{}')
    assert row.href == "a.ics"
    assert row.extra["novelty"] == 1


@pytest.mark.parametrize(
    "line",
    [
        ROW % b',{"valid_until":"1"}',
        ROW % b',{"reason":1}',
        ROW % b',{"read":"yesterday"}',
        ROW % b',{"before":1}',
        ROW % b',{"properties":[]}',
        ROW % b',{"properties":{"order":"1"}}',
        ROW % b',{"properties":{"components":[1]}}',
        ROW % b",[]",
        ROW.replace(b'"get"', b'"dreamt"') % b"",
        ROW.replace(b'"+"', b'"a"') % b"",
        b'[0,"+","family"]',
        b'["0","+","family",null,null,null,null,null,null,null,null]',
        b"{}",
    ],
)
def test_a_row_that_this_version_cannot_read_is_refused(line: bytes) -> None:
    with pytest.raises(FormatError, match="cannot read"):
        rows.checked(line)
