"""Values of signed documents, checked one by one.

A trusted signature says who wrote a document, and not that this version understands it.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final, NoReturn, TypeVar

_T = TypeVar("_T")
_STAMP: Final = "%Y-%m-%dT%H:%M:%SZ"
# `strptime` takes a month without its zero, and digits of other scripts.
_STAMP_FORM: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def stamp(time: datetime) -> str:
    """Return a time as documents hold it: `2026-05-01T08:00:00Z`."""
    utc = time.astimezone(UTC)
    return f"{utc.year:04}-{utc:%m-%dT%H:%M:%SZ}"


def moment(value: object) -> datetime:
    """Read a time as documents hold it.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, str) or not _STAMP_FORM.fullmatch(value):
        raise ValueError("no time")
    return datetime.strptime(value, _STAMP).replace(tzinfo=UTC)


def text(value: object) -> str:
    """Return a text; raise ValueError for anything else."""
    if not isinstance(value, str):
        raise ValueError("no text")  # noqa: TRY004 - what is read is wrong, not who calls
    return value


def number(value: object) -> int:
    """Return a count; raise ValueError for anything else."""
    if type(value) is not int or value < 0:
        raise ValueError("no number")
    return value


def flag(value: object) -> bool:
    """Return true or false; raise ValueError for anything else."""
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")  # noqa: TRY004 - see above
    return value


def optional(kind: Callable[[object], _T], value: object) -> _T | None:
    """Return what a kind of value returns, or None for null."""
    return None if value is None else kind(value)


def _no_number(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no numbers")


def _finite(text: str) -> float:
    found = float(text)
    return found if isfinite(found) else _no_number(text)


_read: Final = json.JSONDecoder(parse_constant=_no_number, parse_float=_finite).decode


def parse(document: bytes) -> Any:
    """Read JSON in UTF-8.

    Raises:
        ValueError: It is none, holds what no UTF-8 can say, or a number beyond all measure.
        RecursionError: It is nested too deeply.
    """
    found = _read(document.decode())
    if b"\\u" in document:
        # Half of a surrogate pair would break whatever prints it.
        json.dumps(found, ensure_ascii=False).encode()
    return found
