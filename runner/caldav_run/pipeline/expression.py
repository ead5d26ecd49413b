"""Where in the pipeline file a character of an expression stands."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from caldav_run.pipeline.places import Located, Span

_WORD: Final = re.compile(r"\w+")
_ESCAPED_LENGTH: Final = {"x": 2, "u": 4, "U": 8}


class _Piece(NamedTuple):
    text: str
    line: int
    column: int
    length: int


def place_in_scalar(
    located: Located, text: str, lines: Sequence[str], *, line: int, column: int
) -> Span:
    """Return the place in the file of one character of a scalar's value, or of its word.

    The scalar is read a second time, character by character. Where that does not give the value
    that the parser gave (a way of writing that is too rare to follow), the place is the scalar's.

    Args:
        located: The scalar's place.
        text: Its value.
        lines: The file's lines.
        line: Line within the value, from 1.
        column: Column within that line, from 1.
    """
    pieces = list(_pieces(located, lines))
    if "".join(piece.text for piece in pieces).rstrip("\n") != text.rstrip("\n"):
        return located.value
    before = text.split("\n")[: line - 1]
    index = sum(len(one) + 1 for one in before) + column - 1
    for piece in pieces:
        index -= len(piece.text)
        if index < 0:
            word = _WORD.match(lines[piece.line - 1], piece.column - 1)
            return Span(piece.line, piece.column, len(word[0]) if word else piece.length)
    last = pieces[-1]
    return Span(last.line, last.column, last.length)


def _pieces(located: Located, lines: Sequence[str]) -> Iterator[_Piece]:
    if located.style in {"|", ">"}:
        yield from _block(located, lines)
    else:
        yield from _flow(located, lines)


def _block(located: Located, lines: Sequence[str]) -> Iterator[_Piece]:
    """Yield a literal or folded scalar (YAML 1.2.2 sections 8.1.2 and 8.1.3)."""
    first = located.value.line
    last = min(located.end_line, len(lines))
    body = lines[first:last]
    indent = min((len(one) - len(one.lstrip(" ")) for one in body if one.strip()), default=0)
    contents = [one[indent:] for one in body]
    for at, content in enumerate(contents):
        number = first + at + 1
        for offset, char in enumerate(content):
            yield _Piece(char, number, indent + offset + 1, 1)
        follower = contents[at + 1] if at + 1 < len(contents) else ""
        yield _Piece(_fold(located, content, follower), number, indent + len(content) + 1, 1)


def _fold(located: Located, content: str, follower: str) -> str:
    if located.style == "|":
        return "\n"
    if not content:
        return "\n"
    # More indented lines keep their ends; an empty line brings its own.
    plain = not content.startswith((" ", "\t")) and not follower.startswith((" ", "\t"))
    if not plain:
        return "\n"
    return " " if follower else ""


def _flow(located: Located, lines: Sequence[str]) -> Iterator[_Piece]:
    """Yield a plain or quoted scalar (YAML 1.2.2 section 7.3)."""
    quote = located.style or ""
    number, column = located.value.line, located.value.column - 1 + len(quote)
    breaks = 0
    for number in range(located.value.line, located.end_line + 1):
        line = lines[number - 1]
        if number > located.value.line:
            column = len(line) - len(line.lstrip(" \t"))
            breaks += 1
            if column == len(line):
                continue
            fold = " " if breaks == 1 else "\n" * (breaks - 1)
            yield _Piece(fold, number, column + 1, 1)
        breaks = 0
        line = line.rstrip(" \t")
        while column < len(line):
            if quote and line.startswith(quote, column) and not line.startswith("''", column):
                return
            piece = _character(line, column, number, quote)
            yield piece
            column += piece.length


def _character(line: str, column: int, number: int, quote: str) -> _Piece:
    char = line[column]
    if quote == "'" and line.startswith("''", column):
        return _Piece("'", number, column + 1, 2)
    if quote == '"' and char == "\\":
        return _escape(line, column, number)
    return _Piece(char, number, column + 1, 1)


def _escape(line: str, column: int, number: int) -> _Piece:
    code = line[column + 1 : column + 2]
    digits = _ESCAPED_LENGTH.get(code)
    if digits is None:
        simple = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}.get(code, code)
        return _Piece(simple, number, column + 1, 2)
    value = int(line[column + 2 : column + 2 + digits], 16)
    return _Piece(chr(value), number, column + 1, 2 + digits)
