"""What is wrong with a pipeline file, as values, and the error that carries them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple

from caldav_run.errors import SetupError
from caldav_run.pipeline.places import Span, printable
from caldav_run.secret import MASK

_WIDEST_SNIPPET: Final = 160
# What must not be shown though no schema says so: a misspelt `pasword: x`, the line of a file
# that is no valid YAML, userinfo in an address. A reference (`{env: …}`) may be shown.
_LOOKS_SECRET: Final = re.compile(
    r"""(?ix) (?:pass\w{0,20}|pw|pwd|secret|token|api_?key|credentials?) ["']? \s* :
        (?=\s) \s* (?P<value> [^\s{\[|>] .*) $"""
)
_KEY: Final = re.compile(r"(?i)(?P<value>AGE-SECRET-KEY-[A-Z0-9-]+)")
_USERINFO: Final = re.compile(r"://(?P<value>[^\s/?#][^\s]*)@")


class Severity(StrEnum):
    """How bad a problem is: an error stops the run, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Snippet(NamedTuple):
    """The line that a problem is in, cut and with secrets masked.

    Attributes:
        text: What is shown of the line.
        before: The part of `text` that stands before the marked one.
        marked: The part of `text` that is marked.
    """

    text: str
    before: str
    marked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, or doubtful.

    Attributes:
        code: Its stable name; docs/errors.md explains each.
        message: What is wrong, in one line.
        file: The pipeline file, as the user named it.
        severity: Whether it stops a run.
        span: Where it is; None when it concerns the file as a whole.
        hint: What to write instead; stands behind the carets.
        notes: More, one line each.
        snippet: The line at `span`.
    """

    code: str
    message: str
    file: str = ""
    severity: Severity = Severity.ERROR
    span: Span | None = None
    hint: str | None = None
    notes: tuple[str, ...] = ()
    snippet: Snippet | None = None

    @property
    def place(self) -> str:
        """The place as `file:line:column`, or the file alone."""
        if self.span is None:
            return printable(self.file, limit=1000)
        return f"{printable(self.file, limit=1000)}:{self.span.line}:{self.span.column}"


class PipelineError(SetupError):
    """A pipeline file cannot be used.

    Args:
        problems: Everything that is wrong with it, warnings included.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Say the first problem in one line; reports lay out all of them."""
        self.problems = tuple(problems)
        errors = [problem for problem in self.problems if problem.severity is Severity.ERROR]
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(f"{first.place}: {first.message}{more}", mend=first.hint)


class FatalProblem(Exception):  # noqa: N818 -- it is a problem; callers turn it into an error
    """Reading a file cannot go on; carries the problem that says why."""

    def __init__(self, problem: Problem) -> None:
        """Keep the problem."""
        super().__init__(problem.message)
        self.problem = problem


def complete(
    problems: Iterable[Problem],
    file: str,
    lines: Sequence[str],
    masks: Mapping[int, Sequence[tuple[int, int]]],
) -> tuple[Problem, ...]:
    """Return the problems sorted by place, without doubles, with file and snippets.

    Args:
        problems: Problems as the checks found them.
        file: The file as the user named it.
        lines: The file's lines.
        masks: What must not be shown: by line number, pieces as (start, end) from 0.
    """
    unique = dict.fromkeys(problems)
    ordered = sorted(unique, key=lambda one: (one.span or Span(0, 0), one.code, one.message))
    return tuple(
        replace(
            one,
            file=file,
            message=_masked(one.message),
            hint=one.hint and _masked(one.hint),
            snippet=_snippet(one.span, lines, masks),
        )
        for one in ordered
    )


def _masked(text: str) -> str:
    return _KEY.sub(MASK, _USERINFO.sub(f"://{MASK}@", text))


def _snippet(
    span: Span | None,
    lines: Sequence[str],
    masks: Mapping[int, Sequence[tuple[int, int]]],
) -> Snippet | None:
    if span is None or not 0 < span.line <= len(lines):
        return None
    line = lines[span.line - 1]
    begin = span.column - 1
    end = min(begin + span.length, len(line))
    # A long line is cut around the marked piece.
    first = max(0, begin - _WIDEST_SNIPPET // 2) if len(line) > _WIDEST_SNIPPET else 0
    end = min(end, first + _WIDEST_SNIPPET)
    hidden = [*masks.get(span.line, ()), *_suspicious(line, first)]
    before = _show(line, first, begin, hidden)
    marked = _show(line, begin, end, hidden)
    after = _show(line, end, min(len(line), first + _WIDEST_SNIPPET), hidden)
    return Snippet(before + marked + after, before, marked)


def _suspicious(line: str, first: int) -> list[tuple[int, int]]:
    # Only around what is shown: a hostile line of a mebibyte must not cost minutes.
    begin, end = max(0, first - _WIDEST_SNIPPET), first + 2 * _WIDEST_SNIPPET
    patterns = (_LOOKS_SECRET, _USERINFO, _KEY)
    found = [match for pattern in patterns for match in pattern.finditer(line[begin:end])]
    return [(begin + match.start("value"), begin + match.end("value")) for match in found]


def _show(line: str, begin: int, end: int, hidden: Sequence[tuple[int, int]]) -> str:
    shown: list[str] = []
    position = begin
    for start, stop in sorted(hidden):
        if stop <= position or start >= end:
            continue
        # Pieces that overlap are masked once.
        if start > position or not shown:
            shown.append(_plain(line[position : max(start, position)]) + MASK)
        position = min(stop, end)
    return "".join(shown) + _plain(line[position:end])


def _plain(text: str) -> str:
    return printable(text.replace("\t", " "), limit=len(text) + 1)
