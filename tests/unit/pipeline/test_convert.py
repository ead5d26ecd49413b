from collections.abc import Callable
from typing import Any

import pytest

from caldav_run.pipeline.check import Checked

CLOUD = """version: 1
name: nightly
sources:
  cloud: {type: caldav, url: https://x, timeout: '${env.T}', insecure: '${env.I:-true}'}
sinks:
  plain: {type: ics, path: out}
expect: {min_items: '${env.M:-1}', max_shrink: '${env.S:-20%}'}
"""
Check = Callable[..., Checked]


def value(check: Check, **environ: str) -> Any:
    checked = check(CLOUD, **environ)
    assert checked.problems == ()
    return checked.value


@pytest.mark.parametrize(("text", "number"), [("30", 30), ("1.5", 1.5)])
def test_text_from_outside_becomes_a_number(check: Check, text: str, number: float) -> None:
    assert value(check, T=text)["sources"]["cloud"]["timeout"] == number


@pytest.mark.parametrize(("text", "number"), [("true", True), ("false", False)])
def test_text_from_outside_becomes_a_boolean(check: Check, *, text: str, number: bool) -> None:
    assert value(check, T="1", I=text)["sources"]["cloud"]["insecure"] is number


@pytest.mark.parametrize(("text", "shrink"), [("5%", "5%"), ("0.1", 0.1)])
def test_of_alternatives_the_one_is_taken_that_the_text_spells(
    check: Check, text: str, shrink: object
) -> None:
    assert value(check, T="1", S=text)["expect"]["max_shrink"] == shrink


@pytest.mark.parametrize(
    "environ", [{"T": "soon"}, {"T": "1", "M": "1.5"}, {"T": "true"}, {"T": "1", "I": "1"}]
)
def test_text_that_cannot_be_converted_fails_at_its_place(
    check: Check, environ: dict[str, str]
) -> None:
    (problem,) = check(CLOUD, **environ).problems
    assert problem.code == "env-type"
    assert problem.span is not None
    assert "soon" not in problem.message


def test_text_that_is_null_is_no_number(check: Check) -> None:
    assert check(CLOUD, T="~").problems[0].code == "env-type"


def test_a_huge_number_from_outside_fails_at_its_place(check: Check) -> None:
    assert check(CLOUD, T="9" * 50).problems[0].code == "env-type"


def test_a_text_option_takes_digits_as_text(check: Check) -> None:
    text = CLOUD.replace("out}", "'${env.P}'}")
    assert check(text, T="1", P="12").value["sinks"]["plain"]["path"] == "12"  # type: ignore[index]
