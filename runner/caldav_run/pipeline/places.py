"""Where things stand in a pipeline file, and the parsed file as values with their places."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

Path = tuple[str | int, ...]
"""The keys and indexes that lead from the top of a pipeline to one of its values."""

# What libyaml counts as the end of a line (YAML 1.1 section 5.4), so that its numbers are ours.
_LINE_END: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class Span(NamedTuple):
    """A piece of one line.

    Attributes:
        line: Line number, from 1.
        column: Column in characters, from 1.
        length: How many characters, at least 1; what goes on in further lines is left out.
    """

    line: int
    column: int
    length: int = 1


class Located(NamedTuple):
    """Where one value stands.

    Attributes:
        key: Its key, or None for an item of a list and for the whole file.
        value: The value itself; its first line.
        style: How a scalar is written: `'`, `"`, `|` or `>`, plain as ``; None for lists and maps.
        end_line: The line that the value ends in.
    """

    key: Span | None
    value: Span
    style: str | None
    end_line: int

    @property
    def name(self) -> Span:
        """The key where there is one, else the value: what to point at for the whole entry."""
        return self.key or self.value


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed pipeline file.

    Attributes:
        value: Maps, lists, text, whole and decimal numbers, booleans and None.
        places: Where each value stands, by its path.
        lines: The file's lines without their ends.
    """

    value: object
    places: Mapping[Path, Located]
    lines: tuple[str, ...]


def split_lines(text: str) -> tuple[str, ...]:
    """Return the lines of a text as the YAML parser counts them, without their ends."""
    return tuple(_LINE_END.split(text))


def dotted(path: Path) -> str:
    """Return a path as messages show it, such as `sinks.vault.recipients[0]`."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        else:
            parts.append(f".{printable(step)}" if parts else printable(step))
    return "".join(parts) or "the file"


def printable(text: str, limit: int = 60) -> str:
    """Return a text from a file fit for one line of a terminal.

    Control characters and invisible marks, such as those that turn the reading direction
    (U+202E), are shown as escapes; what is longer than `limit` characters is cut.
    """
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(char if char.isprintable() else _escape(char) for char in cut)


def quoted(text: str) -> str:
    """Return a text from a file in double quotes, fit for a message."""
    return f'"{printable(text)}"'


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 -- one byte
