"""Content lines: the physical and the logical lines of an iCalendar stream.

Source: RFC 5545 section 3.1, read tolerantly: LF and CRLF both end a line, a fold may stand
anywhere, inside a name or a UTF-8 character too, and nothing is thrown away.
"""

import re
from typing import Final, NamedTuple

LIMIT: Final = 75
"""The most octets that a physical line may hold without its line end (RFC 5545 section 3.1)."""

_BOM: Final = b"\xef\xbb\xbf"
# Looking back keeps it from trying anew at each one of a million of them.
_RETURNS: Final = re.compile(rb"(?<!\r)\r+\n")
# The name and parameters: everything up to the first colon outside of double quotes.
_QUOTED_HEAD: Final = re.compile(r'((?:[^":]|"[^"]*")*):')
_PARAMETER: Final = re.compile(r';((?:[^";]|"[^"]*")*)')


class Line(NamedTuple):
    """One content line, taken apart but not interpreted.

    Attributes:
        name: The property's name in upper case; empty for a line that is no content line.
        params: Parameters in their order: upper-case name and raw value, quotes included.
        value: The raw value; bytes that are not UTF-8 stand in it as surrogates.
    """

    name: str
    params: tuple[tuple[str, str], ...]
    value: str


def unfold(body: bytes) -> bytes:
    """Return the body without byte order mark and folds; every line then ends in one LF."""
    body = body.removeprefix(_BOM)
    # Plain replacements: a pattern costs ten times as much, for every item of every run.
    body = body.replace(b"\r\n", b"\n")
    if b"\r\n" in body:
        body = _RETURNS.sub(b"\n", body)
    return body.replace(b"\n ", b"").replace(b"\n\t", b"")


def logical_lines(body: bytes) -> list[bytes]:
    """Return the unfolded lines without their line ends, blank lines included."""
    # Not `splitlines`: it would also break at a vertical tab or a lone CR inside a value.
    return unfold(body).rstrip(b"\r\n").split(b"\n")


def fold(line: bytes) -> bytes:
    r"""Fold one content line so that no physical line exceeds 75 octets.

    Args:
        line: One unfolded content line in UTF-8, without its line end.

    Returns:
        The line with `\r\n ` inserted between characters, never inside one, and no final
        line end.

    Raises:
        ValueError: `line` holds a line feed.

    Source: RFC 5545 section 3.1.
    """
    if b"\n" in line:
        raise ValueError("a content line holds no line feed")
    pieces = []
    start, room = 0, LIMIT
    while len(line) - start > room:
        end = start + room
        # 10xxxxxx continues a UTF-8 character; text that is no UTF-8 is cut anywhere.
        while end > start + room - 4 and line[end] & 0xC0 == 0x80:  # noqa: PLR2004 - UTF-8's bits
            end -= 1
        pieces.append(line[start:end])
        start, room = end, LIMIT - 1
    pieces.append(line[start:])
    return b"\r\n ".join(pieces)


def parse_line(line: bytes) -> Line:
    """Take one unfolded line apart; never fails.

    A line without a colon is kept whole: as the value of a nameless line.
    """
    text = line.decode("utf-8", "surrogateescape")
    head, colon, value = text.partition(":")
    if '"' in head:
        match = _QUOTED_HEAD.match(text)
        # An unbalanced quote finds no colon outside of quotes: the first colon counts then.
        if match:
            head, value = match[1], text[match.end() :]
    name, semicolon, _ = head.partition(";")
    if not colon or not name:
        return Line("", (), text)
    return Line(name.upper(), _params(head[len(name) :]) if semicolon else (), value)


def _params(text: str) -> tuple[tuple[str, str], ...]:
    """Take `;NAME=value;NAME=value` apart; a part without `=` is a name without a value."""
    parts = _PARAMETER.findall(text) if text.count('"') % 2 == 0 else text[1:].split(";")
    found = []
    for part in parts:
        name, _, value = part.partition("=")
        found.append((name.upper(), value))
    return tuple(found)
