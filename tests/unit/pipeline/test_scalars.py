from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.pipeline.scalars import Scalar, doubt, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("FALSE", False),
        ("12", 12),
        ("-7", -7),
        ("0x1F", 31),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.5e+3", 1500.0),
        ("20%", "20%"),
        ("2026-05-01", "2026-05-01"),
        ("2026-05-01T00:00:00Z", "2026-05-01T00:00:00Z"),
        ("nULL", "nULL"),
        ("-1y", "-1y"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_a_plain_scalar_is_of_a_core_type_of_yaml_1_2(text: str, value: Scalar) -> None:
    assert doubt(text) is None
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "No",
        "YES",
        "on",
        "off",
        "y",
        "N",
        "12:30:45",
        "03:00",
        "0755",
        "+012",
        "08",
        "0o14",
        "0b101",
        "+0x1F",
        "0x1_F",
        "1_000",
        "1_0.5",
        "1e3",
        "1.5e3",
        "=",
        "<<",
    ],
)
def test_what_yaml_versions_read_differently_is_doubtful(text: str) -> None:
    assert doubt(text) is not None


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", "1.0e+999", "9" * 30])
def test_a_number_that_no_option_can_mean_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"finite|large|digits"):
        resolve(text)


_TAGS = {type(None): "null", bool: "bool", int: "int", float: "float", str: "str"}


@given(st.text("0123456789abcdefxo_.:+-eEyntrufsl~=<", max_size=8))
def test_what_is_not_doubtful_is_of_the_same_type_in_yaml_1_1(text: str) -> None:
    if doubt(text) is not None:
        return
    try:
        value = resolve(text)
    except ValueError:
        return
    resolver: Any = yaml.SafeLoader("")
    tag = resolver.resolve(yaml.ScalarNode, text, (True, False))
    assert tag.rpartition(":")[2] in {_TAGS[type(value)], "timestamp"}
