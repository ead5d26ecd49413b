"""Expressions over an item, in CEL (https://cel.dev), by Google's cel-cpp.

The engine bounds itself: nesting ends at 32 levels, comprehensions at an iteration budget, and
regular expressions are RE2, which takes linear time. This module adds a limit on the source.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import cache
from typing import Any, Final

from caldav_run.errors import ItemError, SetupError

LONGEST: Final = 2048
"""The most bytes that an expression may have in UTF-8."""

Value = str | int | bool | list[str] | datetime | timedelta

VARIABLES: Final[Mapping[str, str]] = {
    "uid": "string",
    "component": "string",
    "summary": "string",
    "description": "string",
    "location": "string",
    "categories": "list<string>",
    "status": "string",
    "class": "string",
    "organizer": "string",
    "attendees": "list<string>",
    "start": "timestamp",
    "has_start": "bool",
    "end": "timestamp",
    "has_end": "bool",
    "duration": "duration",
    "all_day": "bool",
    "recurring": "bool",
    "alarms": "int",
    "created": "timestamp",
    "has_created": "bool",
    "modified": "timestamp",
    "has_modified": "bool",
    "calendar": "string",
    "source": "string",
    "href": "string",
    "size": "int",
    "now": "timestamp",
}
"""Every variable and its CEL type."""

_FAULT: Final = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_UNKNOWN: Final = re.compile(r"undeclared reference to '([^']*)'")
# What is no identifier: strings, in which a backslash hides a quote, and comments.
_NO_NAME: Final = re.compile(
    r"""'{3}(?:\\.|.)*?'{3}|"{3}(?:\\.|.)*?"{3}|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|//[^\n]*""",
    re.DOTALL,
)
_NAME: Final = re.compile(r"[A-Za-z_]\w*")


class ExpressionError(SetupError):
    """An expression that does not compile.

    Attributes:
        line: The line of the fault in the expression, from 1.
        column: Its column, in characters from 1.
    """

    def __init__(self, message: str, *, line: int, column: int, mend: str | None = None) -> None:
        """Keep the place beside the message."""
        super().__init__(message, mend=mend)
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression that answers yes or no.

    Attributes:
        source: Its text.
        names: The variables that it may use; only these have to be bound.
        program: The engine's compiled form.
    """

    source: str
    names: frozenset[str]
    program: Any

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Evaluate it.

        Args:
            values: A value for each of `names`; times must be aware, since the engine reads a
                naive one in the host's zone.

        Raises:
            ItemError: It has no answer for these values, such as a division by zero.
        """
        try:
            result = self.program.eval(data=dict(values)).value()
        except (RuntimeError, TypeError, ValueError, OverflowError) as error:
            raise ItemError(f"the expression fails: {_first_line(str(error))}") from error
        # An error is given as text in the place of a result.
        if type(result) is not bool:
            raise ItemError(f"the expression fails: {_first_line(str(result))}")
        return result


def compile_expression(source: str) -> Expression:
    """Compile an expression.

    Raises:
        ExpressionError: It is too long, no valid CEL, names something unknown, or does not answer
            with true or false.
    """
    try:
        length = len(source.encode())
    except UnicodeEncodeError as error:
        raise ExpressionError(
            "the expression holds half of a character", line=1, column=error.start + 1
        ) from error
    if length > LONGEST:
        raise ExpressionError(
            f"the expression has {length} bytes", line=1, column=1, mend=f"{LONGEST} are allowed"
        )
    try:
        program = _environment().compile(source)
    except RuntimeError as error:
        raise _error(str(error)) from None
    kind = program.return_type().name()
    # Nothing but BOOL, not even DYN: the engine mishandles the references of a null result.
    if kind != "BOOL":
        raise ExpressionError(
            f"the expression gives {kind.lower()} instead of true or false",
            line=1,
            column=1,
            mend='compare it with something, as in summary == "Lunch"',
        )
    return Expression(source, _names(source), program)


def _names(source: str) -> frozenset[str]:
    """Return the variables that a source may use; one too many does no harm."""
    return frozenset(_NAME.findall(_NO_NAME.sub(" ", source))) & VARIABLES.keys()


def _error(text: str) -> ExpressionError:
    """Turn the engine's report into an error at its first fault."""
    fault = _FAULT.search(text)
    if fault is None:
        message = _first_line(text).partition(": ")[2] or _first_line(text)
        return ExpressionError(message, line=1, column=1)
    line, column, message = int(fault[1]), int(fault[2]), fault[3]
    unknown = _UNKNOWN.search(message)
    if unknown is None:
        message = message.removeprefix("Syntax error: ").partition(" expecting {")[0]
        return ExpressionError(message, line=max(line, 1), column=max(column, 1))
    close = get_close_matches(unknown[1], [*VARIABLES, "days"], 1)
    mend = f'did you mean "{close[0]}"?' if close else f"known: {', '.join(VARIABLES)}"
    message = f'"{unknown[1]}" is not known in an expression'
    return ExpressionError(message, line=line, column=column, mend=mend)


def _first_line(text: str) -> str:
    return text.partition("\n")[0].removesuffix(" [INVALID_ARGUMENT]")


@cache
def _environment() -> Any:
    """Return the engine with the variables and functions declared."""
    from cel_expr_python import cel

    types = {
        "string": cel.Type.STRING,
        "bool": cel.Type.BOOL,
        "int": cel.Type.INT,
        "timestamp": cel.Type.TIMESTAMP,
        "duration": cel.Type.DURATION,
        "list<string>": cel.Type.List(cel.Type.STRING),
    }
    overload = cel.Overload("days_int", cel.Type.DURATION, [cel.Type.INT], False, _days)  # noqa: FBT003
    return cel.NewEnv(
        variables={name: types[kind] for name, kind in VARIABLES.items()},
        functions=[cel.FunctionDecl("days", [overload])],
    )


def _days(days: int) -> timedelta:
    """Return the length of some days, which CEL itself cannot write."""
    return timedelta(days=days)
