from collections.abc import Mapping

import pytest

from caldav_run.pipeline.interpolate import Interpolated, interpolate
from caldav_run.pipeline.load import parse
from caldav_run.pipeline.places import Span
from caldav_run.pipeline.problems import Problem, Severity


def run(
    text: str,
    environ: Mapping[str, str] | None = None,
    sets: Mapping[str, str] | None = None,
    *,
    strict_env: bool = True,
) -> tuple[Interpolated, list[Problem]]:
    document, _ = parse(text)
    return interpolate(document, sets=sets or {}, environ=environ or {}, strict_env=strict_env)


def value_of(scalar: str, variables: str = "{}", **environ: str) -> object:
    done, problems = run(f"vars: {variables}\nx: {scalar}\n", environ)
    assert problems == []
    assert isinstance(done.value, dict)
    return done.value["x"]


def problem_of(scalar: str, variables: str = "{}") -> Problem:
    _, (problem,) = run(f"vars: {variables}\nx: {scalar}\n")
    return problem


@pytest.mark.parametrize(
    ("variables", "value"),
    [("{a: 5}", 5), ("{a: true}", True), ("{a: [1, {b: c}]}", [1, {"b": "c"}]), ("{a: '5'}", "5")],
)
def test_a_variable_that_stands_alone_keeps_its_type(variables: str, value: object) -> None:
    assert value_of("${vars.a}", variables) == value


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("a-${vars.n}-${vars.b}", "a-5-true"),
        ("${env.HOST}/x", "h/x"),
        ("${env.NONE:-default}", "default"),
        ("${env.EMPTY:-default}", "default"),
        ("${env.HOST:-default}", "h"),
        ("${env.EMPTY}", ""),
        ("${env.NONE:-}", ""),
        ("$${vars.n}", "${vars.n}"),
        ("$$${vars.n}", "$${vars.n}"),
        ("$5 and {x}", "$5 and {x}"),
    ],
)
def test_references_inside_of_a_text_become_text(scalar: str, value: str) -> None:
    assert value_of(scalar, "{n: 5, b: true}", HOST="h", EMPTY="") == value


def test_what_is_put_in_is_not_interpolated_again() -> None:
    assert value_of("${env.A}${vars.v}", "{v: '$${env.A}'}", A="${vars.v}") == ("${vars.v}${env.A}")


def test_what_is_put_in_is_not_read_as_yaml() -> None:
    assert value_of("${env.A}", A="[1, 2]") == "[1, 2]"


def test_a_key_is_never_interpolated() -> None:
    done, problems = run("${vars.a}: 1\nvars: {a: b}\n")
    assert problems == []
    assert done.value == {"${vars.a}": 1, "vars": {"a": "b"}}


def test_a_variable_may_use_the_environment() -> None:
    assert value_of("${vars.a}", "{a: '${env.A}'}", A="x") == "x"


def test_what_was_put_in_whole_keeps_its_places() -> None:
    done, _ = run("vars: {a: {b: [1]}}\nx: ${vars.a}\n")
    assert done.places["x",].value == Span(2, 4, 9)
    assert done.places["x", "b", 0] == done.places["vars", "a", "b", 0]


def test_set_takes_the_place_of_a_variable_as_text() -> None:
    done, problems = run("vars: {a: 5}\nx: ${vars.a}\n", sets={"a": "${env.A}"})
    assert problems == []
    assert done.value == {"vars": {"a": "${env.A}"}, "x": "${env.A}"}
    assert ("x",) in done.textual


def test_set_of_an_unknown_variable_is_told() -> None:
    _, (problem,) = run("vars: {server: 5}\n", sets={"servr": "x"})
    assert problem.message == '--set names "servr", but the pipeline has no such variable'
    assert problem.hint == 'did you mean "server"?'


@pytest.mark.parametrize(
    ("scalar", "code", "words"),
    [
        ("${vars.servr}", "unknown-var", 'unknown variable "servr"'),
        ("a${vars.servr}", "unknown-var", 'unknown variable "servr"'),
        ("${vars.}", "bad-interpolation", "names no variable"),
        ("${foo}", "bad-interpolation", "names neither vars nor env"),
        ("a ${vars.server", "bad-interpolation", "is not closed"),
        ("a${vars.list}", "bad-interpolation", "cannot stand inside one"),
        ("${env.1A}", "bad-interpolation", "names neither vars nor env"),
    ],
)
def test_a_bad_reference_is_told_with_its_source(scalar: str, code: str, words: str) -> None:
    problem = problem_of(f"'{scalar}'", "{server: x, list: [1]}")
    assert problem.code == code
    assert words in problem.message
    assert problem.span == Span(2, 4, len(scalar) + 2)


def test_an_unknown_variable_gets_a_suggestion() -> None:
    problem = problem_of("${vars.servr}", "{server: x}")
    assert problem.hint == 'did you mean "server"?'
    assert problem.notes == ("variables: server",)


def test_a_variable_may_not_use_another_one() -> None:
    _, (problem,) = run("vars: {a: x, b: '${vars.a}'}\n")
    assert problem.code == "recursive-var"


@pytest.mark.parametrize(
    ("strict", "severity"), [(True, Severity.ERROR), (False, Severity.WARNING)]
)
def test_a_missing_variable_of_the_environment_is_bad_in_a_run_only(
    *, strict: bool, severity: Severity
) -> None:
    done, (problem,) = run("x: a${env.A}\n", strict_env=strict)
    assert (problem.code, problem.severity) == ("missing-env", severity)
    assert done.unknown == {("x",)}


def test_what_uses_a_variable_that_is_missing_is_unknown_too() -> None:
    done, problems = run("vars: {a: '${env.A}'}\nx: ${vars.a}\ny: q${vars.a}\n")
    assert len(problems) == 1
    assert {("x",), ("y",)} < done.unknown


def test_vars_that_are_no_map_are_left_to_the_schema() -> None:
    done, problems = run("vars: [a]\n")
    assert problems == []
    assert done.value == {"vars": ["a"]}
