"""Read a pipeline file: from bytes that anybody may have written to values with places."""

import os
import re
import stat
from pathlib import Path as FilePath
from typing import Final

import yaml

from caldav_run.pipeline.compose import MappingNode, Node, ScalarNode, compose
from caldav_run.pipeline.places import Document, Located, Path, Span, quoted, split_lines
from caldav_run.pipeline.problems import FatalProblem, Problem

MAX_BYTES: Final = 1 << 20
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
# What YAML does not allow in a stream (YAML 1.2.2 section 5.1).
_UNPRINTABLE: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
_TAB_INDENT: Final = re.compile(r" *\t")


def read_text(path: FilePath) -> str:
    """Return the text of a pipeline file.

    Raises:
        FatalProblem: There is no such file, it cannot be read, or it holds no UTF-8 text.
    """
    data = _read_bytes(path)
    if data.startswith(_UTF16_MARKS) or _looks_like_utf16(data):
        raise _fatal("not-utf8", "the file is UTF-16", hint="save it as UTF-8")
    if b"\0" in data:
        raise _fatal("not-utf8", "the file is binary, not a YAML text", hint=None)
    try:
        # The mark of Windows editors says nothing in UTF-8 and is taken off.
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        lines = split_lines(data[: error.start].decode("utf-8"))
        span = Span(len(lines), len(lines[-1]) + 1)
        message = f"byte 0x{data[error.start]:02x} in line {span.line} is not UTF-8"
        raise _fatal("not-utf8", message, hint="save the file as UTF-8") from None
    return text


def parse(text: str) -> tuple[Document, list[Problem]]:
    """Return a pipeline's values and their places, and what is wrong with its YAML.

    Raises:
        FatalProblem: The text is no YAML or holds no map.
    """
    match = _UNPRINTABLE.search(text)
    if match:
        raise _fatal(
            "control-character",
            f"the control character U+{ord(match[0]):04X} is not allowed",
            _span_at(text, match.start()),
            hint="remove it, or write it as an escape in double quotes",
        )
    lines = split_lines(text)
    try:
        root, problems = compose(text)
    except yaml.MarkedYAMLError as error:
        raise FatalProblem(_syntax_problem(error, lines)) from None
    if root is None:
        raise _fatal("file-empty", "the file is empty", hint="begin with: version: 1")
    if not isinstance(root, MappingNode):
        raise FatalProblem(_not_a_map(root, text))
    places: dict[Path, Located] = {}
    value = _flatten(root, None, (), places)
    return Document(value, places, lines), problems


def _read_bytes(path: FilePath) -> bytes:
    try:
        # Not to block on a pipe that nobody writes into.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise _fatal("file-missing", "there is no such file", hint=_similar(path)) from None
    except PermissionError:
        hint = "make it readable for this user"
        raise _fatal("file-unreadable", "the file may not be read", hint=hint) from None
    except (OSError, ValueError) as error:
        message = f"the file cannot be opened: {_reason(error)}"
        raise _fatal("file-unreadable", message, hint=None) from None
    try:
        _require_file(os.fstat(descriptor).st_mode)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > MAX_BYTES:
        raise _fatal("file-too-large", "the file is larger than 1 MiB", hint="split it")
    return data


def _require_file(mode: int) -> None:
    if stat.S_ISDIR(mode):
        hint = "name a file in it"
        raise _fatal("file-is-folder", "this is a folder, not a pipeline file", hint=hint)
    if not stat.S_ISREG(mode):
        raise _fatal("file-unreadable", "this is a device or a pipe, not a file", hint=None)


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "its name is not valid"


def _similar(path: FilePath) -> str | None:
    from difflib import get_close_matches

    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return None
    close = get_close_matches(path.name, names, n=1, cutoff=0.7)
    return f"did you mean {quoted(close[0])}?" if close else None


def _looks_like_utf16(data: bytes) -> bool:
    head = data[:64]
    return len(head) > 1 and (not any(head[1::2]) or not any(head[::2]))


def _span_at(text: str, index: int) -> Span:
    lines = split_lines(text[:index])
    return Span(len(lines), len(lines[-1]) + 1)


def _syntax_problem(error: yaml.MarkedYAMLError, lines: tuple[str, ...]) -> Problem:
    words = error.problem or "it cannot be read"
    mark, start = error.problem_mark, error.context_mark
    at_end = mark is None or mark.line >= len(lines) or not "".join(lines[mark.line :]).strip()
    if at_end and start is not None:
        # Where the open quote or bracket is helps more than the end of the file.
        mark = start
    number = min(mark.line, len(lines) - 1) if mark else 0
    column = min(mark.column, len(lines[number])) if mark else 0
    span = Span(number + 1, column + 1)
    tab = _TAB_INDENT.match(lines[number])
    if tab and column <= tab.end():
        message = "a tab indents this line; YAML is indented with spaces"
        return Problem(
            code="yaml-tab",
            message=message,
            span=Span(number + 1, tab.end()),
            hint="replace the tab with spaces",
        )
    notes: tuple[str, ...] = ()
    if error.context and start and start.line != number:
        notes = (f"{error.context} that begins in line {start.line + 1}",)
    return Problem(
        code="yaml-syntax",
        message=f"this is not valid YAML: {words}",
        span=span,
        hint=_SYNTAX_HINTS.get(words),
        notes=notes,
    )


# libyaml's words and those of the parser in Python.
_SYNTAX_HINTS: Final = {
    "mapping values are not allowed in this context": 'quote a value that holds ": "',
    "mapping values are not allowed here": 'quote a value that holds ": "',
    "found character that cannot start any token": "quote a value that begins like this",
    "found unexpected end of stream": "close the quote, bracket or brace",
    "did not find expected key": "check the indentation, or quote the value before",
    "did not find expected ',' or ']'": "close the list with ]",
    "did not find expected ',' or '}'": "close the map with }",
    "could not find expected ':'": "write the key, a colon and a space",
}


def _not_a_map(root: Node, text: str) -> Problem:
    if text.lstrip().upper().startswith("BEGIN:VCALENDAR"):
        message = "this is a calendar file, not a pipeline"
        hint = 'name it as the path of a source with "type: ics"'
    elif isinstance(root, ScalarNode) and root.value is None:
        message, hint = "the file is empty", "begin with: version: 1"
        return Problem(code="file-empty", message=message, hint=hint)
    else:
        found = "text" if isinstance(root, ScalarNode) else "a list"
        message = f"a pipeline is a map of keys and values, but this is {found}"
        hint = "begin with: version: 1"
    return Problem(code="not-a-pipeline", message=message, span=root.span, hint=hint)


def _flatten(node: Node, key: ScalarNode | None, path: Path, places: dict[Path, Located]) -> object:
    # Recursion is bounded: `compose` lets no more than 64 levels through.
    style = node.style if isinstance(node, ScalarNode) else None
    places[path] = Located(key.span if key else None, node.span, style, node.end_line)
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, MappingNode):
        return {
            name: _flatten(value, name_node, (*path, name), places)
            for name, (name_node, value) in node.entries.items()
        }
    return [_flatten(item, None, (*path, at), places) for at, item in enumerate(node.items)]


def _fatal(code: str, message: str, span: Span | None = None, *, hint: str | None) -> FatalProblem:
    return FatalProblem(Problem(code=code, message=message, span=span, hint=hint))
