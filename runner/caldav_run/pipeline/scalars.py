"""What a plain YAML scalar means: the core types of YAML 1.2, and nothing doubtful.

YAML 1.1 and 1.2 read some words differently, and so do the tools that are built on them. Such a
word is not guessed at: it is an error that asks for quotes.

Source: YAML 1.2.2 section 10.3.2; YAML 1.1's type repository for what was read before.
"""

import math
import re
from typing import Final

Scalar = str | int | float | bool | None
"""What one scalar can mean."""

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE: Final = re.compile(r"0x[0-9a-fA-F]+")
_DECIMAL: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

_DOUBTFUL: Final = (
    (re.compile(r"(?i:y|yes|on)"), "true in YAML 1.1 and text in YAML 1.2"),
    (re.compile(r"(?i:n|no|off)"), "false in YAML 1.1 and text in YAML 1.2"),
    (
        re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"),
        "a number to the base 60 in YAML 1.1 and text in YAML 1.2",
    ),
    (re.compile(r"[-+]?0[0-9_]+"), "an octal number in YAML 1.1 and a decimal one in YAML 1.2"),
    (re.compile(r"[-+]?0o[0-7]+"), "text in YAML 1.1 and an octal number in YAML 1.2"),
    (re.compile(r"[-+]?0b[01_]+"), "a binary number in YAML 1.1 and text in YAML 1.2"),
    (re.compile(r"[-+]0x[0-9a-fA-F_]+"), "a number in YAML 1.1 and text in YAML 1.2"),
    (re.compile(r"0x(?=[0-9a-fA-F]*_)[0-9a-fA-F_]+"), "a number in YAML 1.1 and text in YAML 1.2"),
    (
        re.compile(r"[-+]?[0-9.](?=[0-9.]*_)[0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?"),
        "a number in YAML 1.1 and text in YAML 1.2",
    ),
    (
        # YAML 1.1 wants a point and a signed exponent.
        re.compile(r"[-+]?(?:[0-9]+[eE][-+]?[0-9]+|(?:[0-9]+\.[0-9]*|\.[0-9]+)[eE][0-9]+)"),
        "text in YAML 1.1 and a number in YAML 1.2",
    ),
    (re.compile(r"="), "the default value in YAML 1.1 and text in YAML 1.2"),
    (re.compile(r"<<"), "a merge of maps in YAML 1.1 and text in YAML 1.2"),
)
_LONGEST_DOUBTFUL: Final = 100
_LONGEST_NUMBER: Final = 18
"""Digits of a whole number; more than any count, size or time here needs."""


def doubt(text: str) -> str | None:
    """Return how YAML versions disagree about a plain scalar, or None when they agree.

    Dates and times such as `2026-05-01` are not doubtful: they are text, and every option that
    takes one takes it as text.
    """
    if len(text) > _LONGEST_DOUBTFUL:
        return None
    for pattern, meaning in _DOUBTFUL:
        if pattern.fullmatch(text):
            return meaning
    return None


def resolve(text: str) -> Scalar:
    """Return the value of a plain scalar that is not doubtful.

    Raises:
        ValueError: It is a number that no option can mean: endless, no number, or huge.
    """
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if _INTEGER.fullmatch(text):
        return _whole(text, 10)
    if _OTHER_BASE.fullmatch(text):
        return _whole(text, 16)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError("it is not a finite number")
    if _DECIMAL.fullmatch(text):
        return _decimal(text)
    return text


def _whole(text: str, base: int) -> int:
    # Python refuses to convert thousands of digits, with a ValueError of its own words.
    if len(text) > _LONGEST_NUMBER + 1:
        raise ValueError("it has too many digits")
    return int(text, base)


def _decimal(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("it is too large")
    return number
