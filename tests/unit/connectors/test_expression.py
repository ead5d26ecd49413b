from datetime import UTC, datetime, timedelta

import pytest

from caldav_run.connectors.expression import VARIABLES, ExpressionError, compile_expression
from caldav_run.errors import ItemError

START = datetime(2026, 5, 1, 8, tzinfo=UTC)


def test_an_expression_answers_yes_or_no() -> None:
    expression = compile_expression('summary.startsWith("D") && "work" in categories')
    assert expression.holds({"summary": "Dentist", "categories": ["work"]})
    assert not expression.holds({"summary": "Dentist", "categories": []})


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_is_known_and_has_its_type(name: str) -> None:
    assert compile_expression(f"type({name}) == type({name})").names == {name}


def test_days_make_a_duration() -> None:
    expression = compile_expression("start > now - days(7)")
    assert expression.holds({"start": START, "now": START + timedelta(days=6)})
    assert not expression.holds({"start": START, "now": START + timedelta(days=8)})


def test_only_the_variables_that_it_names_have_to_be_bound() -> None:
    source = """summary == "now" // end
        && location != 'it\\'s start' && x.size == 1 && ''' uid ''' != r"href" """
    names = compile_expression(source.replace("x.size == 1", "true")).names
    assert names == {"summary", "location"}


@pytest.mark.parametrize(
    ("source", "line", "column", "message"),
    [
        ("nope", 1, 1, '"nope" is not known in an expression; known: uid'),
        ("true &&\n sumary == 1", 2, 2, 'did you mean "summary"?'),
        ('location == "ü" && nope', 1, 20, '"nope" is not known'),
        ("summary ==", 1, 11, "mismatched input"),
        ("size + summary > 1", 1, 6, "no matching overload"),
        ("summary", 1, 1, "gives string instead of true or false"),
        ("null", 1, 1, "gives null instead of true or false"),
        ("dyn(true)", 1, 1, "gives dyn instead of true or false"),
        ("", 1, 1, "mismatched input"),
        ('"' + "x" * 2050 + '" == uid', 1, 1, "has 2059 bytes; 2048 are allowed"),
        ("uid == '\ud800'", 1, 9, "half of a character"),
        ("(" * 100 + "true" + ")" * 100, 1, 1, "recursion limit"),
        ("summary" + ".a" * 100, 1, 1, "recursion depth"),
    ],
)
def test_what_does_not_compile_names_its_place(
    source: str, line: int, column: int, message: str
) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(source)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("1 / size == 1", {"size": 0}),
        ('summary.matches("(")', {"summary": "x"}),
        ("days(size) > days(1)", {"size": 10**15}),
        ("days(size) > days(1)", {"size": 10**8}),
        ('attendees[3] == "x"', {"attendees": []}),
        ('summary == "x"', {"summary": "\ud800"}),
        ('summary == "x"', {}),
        ("attendees.all(a, attendees.all(b, a == b || true))", {"attendees": ["x"] * 3000}),
    ],
)
def test_an_expression_without_an_answer_is_an_error_of_the_item(
    source: str, values: dict[str, str | int | list[str]]
) -> None:
    with pytest.raises(ItemError, match="the expression fails: "):
        compile_expression(source).holds(values)


def test_a_regular_expression_takes_linear_time() -> None:
    assert not compile_expression('summary.matches("^(a+)+$")').holds(
        {"summary": "a" * 50_000 + "!"}
    )


def test_a_variable_is_found_wherever_it_stands() -> None:
    names = compile_expression("summary == '''a\\'''b''' && .now > start").names
    assert names == {"summary", "now", "start"}
    assert compile_expression("summary == 'calendar' // size").names == {"summary"}
