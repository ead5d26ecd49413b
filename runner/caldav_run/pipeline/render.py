"""Problems for people, for programs, and for GitHub's annotations."""

import json
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Final

from caldav_run.pipeline.places import printable
from caldav_run.pipeline.problems import Problem, Severity, Snippet

_MOST: Final = 50
"""Problems of one file that are laid out in text; the rest is counted."""

_LONGEST_HINT: Final = 80
"""Characters that stand behind the carets; a longer hint gets a line of its own."""

_WIDE: Final = frozenset("WF")


def render_text(problems: Sequence[Problem], *, files: int = 1) -> str:
    """Return the problems for a terminal, each with its line, and a summary.

    Args:
        problems: The problems of all files, in order; empty for a summary only.
        files: How many files were looked at.
    """
    seen: Counter[str] = Counter()
    parts: list[str] = []
    for problem in problems:
        seen[problem.file] += 1
        if seen[problem.file] <= _MOST:
            parts.append(_text(problem))
    parts += [
        f"{printable(file, limit=1000)}: {count - _MOST} more problems are not shown"
        for file, count in seen.items()
        if count > _MOST
    ]
    parts.append(_summary(problems, files))
    return "\n".join(parts)


def render_json(problems: Sequence[Problem], *, files: int = 1) -> str:
    """Return the problems as one JSON object; shape and codes are stable.

    Args:
        problems: The problems of all files.
        files: How many files were looked at.
    """
    report = {
        "files": files,
        "errors": _count(problems, Severity.ERROR),
        "warnings": _count(problems, Severity.WARNING),
        "problems": [
            {
                "code": problem.code,
                "severity": problem.severity.value,
                "file": problem.file,
                "line": problem.span.line if problem.span else None,
                "column": problem.span.column if problem.span else None,
                "length": len(problem.snippet.marked) or 1 if problem.snippet else None,
                "message": problem.message,
                "hint": problem.hint,
                "notes": list(problem.notes),
            }
            for problem in problems
        ],
    }
    # In ASCII, so that a file name of any bytes can be printed.
    return json.dumps(report, indent=2)


def render_github(problems: Sequence[Problem]) -> str:
    """Return the problems as GitHub's workflow commands, one a line."""
    return "\n".join(_annotation(problem) for problem in problems)


def _text(problem: Problem) -> str:
    lines = [f"{problem.severity}[{problem.code}]: {problem.message}", f"  --> {problem.place}"]
    indent = "  "
    long = len(problem.hint or "") > _LONGEST_HINT
    if problem.snippet is not None and problem.span is not None:
        number = str(problem.span.line)
        indent = " " * len(number)
        lines += [
            f"{number} | {problem.snippet.text}".rstrip(),
            f"{indent} | {_carets(problem.snippet, None if long else problem.hint)}",
        ]
    if problem.hint and (long or problem.snippet is None):
        lines.append(f"{indent} = {problem.hint}")
    lines += [f"{indent} = {printable(note, limit=500)}" for note in problem.notes]
    return "\n".join(lines)


def _carets(snippet: Snippet, hint: str | None) -> str:
    carets = "^" * max(_width(snippet.marked), 1)
    return " " * _width(snippet.before) + carets + (f" {hint}" if hint else "")


def _width(text: str) -> int:
    """Return how many terminal columns a text takes."""
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in _WIDE)
        for char in text
    )


def _summary(problems: Sequence[Problem], files: int) -> str:
    errors, warnings = _count(problems, Severity.ERROR), _count(problems, Severity.WARNING)
    counts = [_plural(errors, "error")] if errors or not warnings else []
    if warnings:
        counts.append(_plural(warnings, "warning"))
    end = "; nothing was run." if errors else "."
    return f"{' and '.join(counts)} in {_plural(files, 'file')}{end}"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _count(problems: Sequence[Problem], severity: Severity) -> int:
    return sum(problem.severity is severity for problem in problems)


def _annotation(problem: Problem) -> str:
    properties = {"file": printable(problem.file, limit=1000)}
    if problem.span is not None:
        properties["line"] = str(problem.span.line)
        properties["col"] = str(problem.span.column)
    properties["title"] = problem.code
    shown = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    words = [problem.message, *([problem.hint] if problem.hint else []), *problem.notes]
    return f"::{problem.severity} {shown}::{_data(chr(10).join(words))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
