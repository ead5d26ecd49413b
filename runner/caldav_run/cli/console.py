"""Printing: data to standard output, everything else to standard error, no secret to either.

What cannot be written never stops the work: a backup must not fail because its log's disk is
full or because nobody reads on (`| head`). Lost data is told at the end, see `lost`.
"""

import errno
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, TextIO

from caldav_run.errors import CaldavRunError, ConnectorError
from caldav_run.secret import redact

# C0, DEL, C1 and the marks that turn the direction of text: a server's text must neither steer
# the terminal nor show itself as something else. Line ends and tabs are ours.
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_failures: Final[list[OSError]] = []


def out(text: str) -> None:
    """Print data."""
    _write(sys.stdout, shown(redact(text)) + "\n")


def tell(text: str) -> None:
    """Print what is not data: progress, warnings, errors."""
    # In the order of events, where both go into one file.
    flush()
    _write(sys.stderr, shown(redact(text)) + "\n")


def error(problem: CaldavRunError) -> None:
    """Print an error, and below it what to do about it."""
    tell(f"error: {problem.message}")
    if problem.mend:
        tell(f"  = {problem.mend}")


def document(value: Any) -> None:
    """Print a value as JSON."""
    # Hidden before encoding: a quote in a password looks different in JSON.
    text = json.dumps(_redacted(value), indent=2, ensure_ascii=False)
    # JSON leaves DEL, C1 and the direction of text as they are; they stand in strings only.
    _write(sys.stdout, _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


def counted(count: int, noun: str) -> str:
    """Return a number with the word for what it counts: `1 item`, `1,204 items`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns as wide as their content."""
    from rich.cells import cell_len

    lines = [[" ".join(shown(redact(cell)).split()) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        pairs = zip(line, widths, strict=True)
        out("  ".join(cell + " " * (width - cell_len(cell)) for cell, width in pairs).rstrip())


def raw(data: bytes) -> None:
    """Write calendar data as it is."""
    flush()
    try:
        if sys.stdout is not None:
            sys.stdout.buffer.write(data)
    except OSError as problem:
        lose_data(problem)


def flush() -> None:
    """Hand on what was printed as data."""
    try:
        # None where the caller closed it (`>&-`).
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as problem:
        lose_data(problem)


def lost() -> CaldavRunError | None:
    """Return what to say when data could not be printed; None when it was, or nobody reads on."""
    flush()
    if not _failures:
        return None
    reason = _failures[0].strerror
    return ConnectorError(f"not all of the output could be written: {reason}")


def lose_data(problem: OSError) -> None:
    """Go on without standard output, which cannot be written to any more."""
    if problem.errno != errno.EPIPE:
        _failures.append(problem)
    _discard(sys.stdout)


def watched(stream: TextIO | None) -> bool:
    """Return whether a person watches the stream, on a terminal that can redraw lines."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") not in {None, "dumb"}


def shown(text: str) -> str:
    r"""Return text with control characters as `\xNN`, apart from line ends and tabs."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _redacted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _redacted(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(each) for each in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(str(value))


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        return
    # A terminal may speak an encoding that lacks a character; a backup must not fail of that.
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    except OSError as problem:
        if stream is sys.stdout:
            lose_data(problem)
        else:
            _discard(stream)


def _discard(stream: TextIO) -> None:
    """Send what comes, and what the stream still holds, to nowhere."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 -- a device, not a path
        os.dup2(nowhere.fileno(), stream.fileno())
