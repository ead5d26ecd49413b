"""Changes of single properties on the bytes of an item; every other line stays as it is."""

import re
from collections.abc import Callable
from typing import Final

from caldav_run.ical.lines import Line, fold, parse_line, unfold

# One content line with its folds and its line end, cut where `unfold` sees its end.
_LINE: Final = re.compile(rb"[^\n]*(?:\n[ \t][^\n]*)*(?:\n|\Z)")


def edited(body: bytes, names: frozenset[str], edit: Callable[[bytes, Line], bytes]) -> bytes:
    """Return an item in which the properties of these names were changed, but for alarms' own.

    Args:
        body: The item.
        names: Names of properties, in upper case.
        edit: Returns what to put in the place of a line, given as it is and taken apart.
    """
    inside: list[str] = []
    found = []
    for raw in _LINE.findall(body):
        line = parse_line(unfold(raw).rstrip(b"\r\n"))
        if line.name == "BEGIN":
            inside.append(line.value.strip().upper())
        elif line.name == "END":
            del inside[-1:]
        meant = line.name in names and inside[-1:] != ["VALARM"]
        found.append(edit(raw, line) if meant else raw)
    return b"".join(found)


def spelled(raw: bytes, line: Line) -> bytes:
    """Return a content line, folded, with the line end of the one that it stands for."""
    params = "".join(f";{name}={value}" for name, value in line.params)
    text = f"{line.name}{params}:{line.value}".encode("utf-8", "surrogateescape")
    end = raw[len(raw.rstrip(b"\r\n")) :]
    return fold(text).replace(b"\r\n", end or b"\r\n") + end
