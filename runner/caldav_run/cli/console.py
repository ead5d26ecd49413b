"""Printing: data to standard output, everything else to standard error, no secret to either."""

import json
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from caldav_run.errors import CaldavRunError
from caldav_run.secret import redact


def out(text: str) -> None:
    """Print data."""
    _write(sys.stdout, text)


def tell(text: str) -> None:
    """Print what is not data: progress, warnings, errors."""
    _write(sys.stderr, text)


def error(problem: CaldavRunError) -> None:
    """Print an error, and below it what to do about it."""
    tell(f"error: {problem.message}")
    if problem.mend:
        tell(f"  = {problem.mend}")


def document(value: Any) -> None:
    """Print a value as JSON."""
    out(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns as wide as their content."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        out("  ".join(cells).rstrip())


def raw(data: bytes) -> None:
    """Write calendar data as it is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def on_terminal(stream: TextIO) -> bool:
    """Return whether a person watches the stream."""
    return stream.isatty()


def _write(stream: TextIO, text: str) -> None:
    # A terminal may speak an encoding that lacks a character; a backup must not fail of that.
    line = redact(text) + "\n"
    encoding = stream.encoding or "utf-8"
    stream.write(line.encode(encoding, "backslashreplace").decode(encoding))
