"""`${vars.x}`, `${env.X}`, `${env.X:-default}` and `$${`: after parsing, in text values only.

What is put in is never read as YAML and never interpolated again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from caldav_run.pipeline.guess import similar
from caldav_run.pipeline.places import Document, Located, Path, dotted, quoted
from caldav_run.pipeline.problems import FatalProblem, Problem, Severity

MAX_TEXT: Final = 1 << 20
"""Characters that interpolation may produce in all."""

MAX_VALUES: Final = 20_000
"""Values that a file may hold after lists and maps were put in from `vars`."""

_EXPRESSION: Final = re.compile(r"\$\$\{|\$\{(?P<body>[^{}]*)\}|\$\{")
_VARIABLE: Final = re.compile(r"vars\.(?P<name>[^\s.:]+)")
_ENVIRONMENT: Final = re.compile(
    r"env\.(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>.*))?", re.DOTALL
)
_MOST_IN_ONE: Final = 5
"""Problems that are told of one text; a hostile one could hold half a million."""

_MISSING: Final = object()


@dataclass(slots=True)
class Interpolated:
    """A pipeline after interpolation.

    Attributes:
        value: As in `Document`, with every reference replaced.
        places: As in `Document`; what came from `vars` whole keeps its place there.
        textual: Paths of values made from the environment or `--set`: text that is yet to become
            what the schema asks for.
        changed: Paths of values that are not as the file spells them.
        unknown: Paths of values that hang on a missing environment variable.
    """

    value: object
    places: dict[Path, Located] = field(default_factory=dict)
    textual: set[Path] = field(default_factory=set)
    changed: set[Path] = field(default_factory=set)
    unknown: set[Path] = field(default_factory=set)


def interpolate(
    document: Document,
    *,
    sets: Mapping[str, str],
    environ: Mapping[str, str],
    strict_env: bool,
) -> tuple[Interpolated, list[Problem]]:
    """Replace every reference.

    Args:
        document: The parsed file.
        sets: Values that take the place of variables, as `--set` gives them.
        environ: The environment.
        strict_env: Whether a missing environment variable is an error, not a warning.

    Raises:
        FatalProblem: More text or values would come out than a pipeline can need.
    """
    variables = document.value.get("vars") if isinstance(document.value, dict) else None
    work = _Interpolation(
        document, variables if isinstance(variables, dict) else {}, environ, strict_env
    )
    work.override(sets)
    work.result.value = work.walk(document.value, ())
    return work.result, work.problems


class _Interpolation:
    def __init__(
        self,
        document: Document,
        variables: dict[str, object],
        environ: Mapping[str, str],
        strict_env: bool,  # noqa: FBT001 -- private; the public function takes it by name
    ) -> None:
        self.document = document
        self.environ = environ
        self.strict_env = strict_env
        self.problems: list[Problem] = []
        self.result = Interpolated(None)
        self._variables = dict(variables)
        self._overridden: set[str] = set()
        self._done: dict[str, object] = {}
        self._text = 0
        self._values = 0

    def override(self, sets: Mapping[str, str]) -> None:
        for name, text in sets.items():
            if name in self._variables:
                self._variables[name] = text
                self._overridden.add(name)
                continue
            message = f"--set names {quoted(name)}, but the pipeline has no such variable"
            hint = similar(name, self._variables) or f"declare it: vars: {{{name}: …}}"
            self.problems.append(Problem(code="unknown-var", message=message, hint=hint))

    def walk(self, value: object, path: Path) -> object:
        """Return the value at a path of the file with its references replaced."""
        self._weigh(1)
        self.result.places[path] = self.document.places[path]
        if isinstance(value, dict):
            if path == ("vars",):
                return {name: self._variable(name) for name in value}
            return {name: self.walk(inner, (*path, name)) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.walk(inner, (*path, at)) for at, inner in enumerate(value)]
        if isinstance(value, str) and "${" in value:
            return self._replace(value, path)
        return value

    def _replace(self, text: str, path: Path) -> object:
        self.result.changed.add(path)
        match = _EXPRESSION.fullmatch(text)
        if match and match["body"] is not None and match["body"].startswith("vars."):
            return self._whole(match["body"], path)
        parts: list[str] = []
        position = 0
        told = len(self.problems)
        for match in _EXPRESSION.finditer(text):
            if len(self.problems) - told >= _MOST_IN_ONE:
                break
            parts += (text[position : match.start()], self._part(match, path))
            position = match.end()
        parts.append(text[position:])
        self._text += sum(map(len, parts))
        if self._text > MAX_TEXT:
            raise self._too_much(path)
        return "".join(parts)

    def _whole(self, body: str, path: Path) -> object:
        """Return the value of a variable that stands alone, with its type."""
        value = self._lookup(body, path)
        if value is _MISSING:
            self.result.unknown.add(path)
            return ""
        name = body.removeprefix("vars.")
        self._graft(("vars", name), path, value)
        return value

    def _part(self, match: re.Match[str], path: Path) -> str:
        """Return what one reference inside of a text stands for."""
        body = match["body"]
        if match[0] == "$${":
            return "${"
        if body is None:
            hint = "close it with }, or write $${ for a plain ${"
            return self._bad(path, "a ${ is not closed", hint)
        if body.startswith("vars."):
            value = self._lookup(body, path)
            if ("vars", body.removeprefix("vars.")) in self.result.textual:
                self.result.textual.add(path)
            return self._as_text(value, body, path)
        environment = _ENVIRONMENT.fullmatch(body)
        if environment:
            return self._from_environment(environment, path)
        hint = "write ${vars.NAME} or ${env.NAME}, or $${ for a plain ${"
        return self._bad(path, f"{quoted(match[0])} names neither vars nor env", hint)

    def _as_text(self, value: object, body: str, path: Path) -> str:
        if value is _MISSING or ("vars", body.removeprefix("vars.")) in self.result.unknown:
            self.result.unknown.add(path)
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (str, int, float)):
            return str(value)
        message = f"{quoted('${' + body + '}')} is no text, so it cannot stand inside one"
        return self._bad(path, message, "let it be the whole value")

    def _from_environment(self, match: re.Match[str], path: Path) -> str:
        name, default = match["name"], match["default"]
        self.result.textual.add(path)
        text = self.environ.get(name)
        # As in a shell, `:-` also takes the place of an empty value.
        if default is not None:
            return text or default
        if text is not None:
            return text
        self.result.unknown.add(path)
        severity = Severity.ERROR if self.strict_env else Severity.WARNING
        message = f"the environment variable {name} is not set"
        hint = f"set it, or give a default: ${{env.{name}:-…}}"
        self._report("missing-env", message, path, hint, severity)
        return ""

    def _lookup(self, body: str, path: Path) -> object:
        match = _VARIABLE.fullmatch(body)
        if match is None:
            self._bad(path, f"{quoted('${' + body + '}')} names no variable", "write ${vars.NAME}")
            return _MISSING
        name = match["name"]
        if path[:1] == ("vars",):
            message = f"a variable may not use another one: {quoted(name)}"
            self._report("recursive-var", message, path, "write its value out")
            return _MISSING
        if name not in self._variables:
            known = ", ".join(sorted(self._variables)) or "none"
            notes = (f"variables: {known}",)
            message = f"unknown variable {quoted(name)}"
            hint = similar(name, self._variables) or "declare it under vars"
            self._report("unknown-var", message, path, hint, notes=notes)
            return _MISSING
        return self._variable(name)

    def _variable(self, name: str) -> object:
        if name not in self._done:
            path: Path = ("vars", name)
            if name in self._overridden:
                self.result.places[path] = self.document.places[path]
                self.result.textual.add(path)
                self.result.changed.add(path)
                self._done[name] = self._variables[name]
            else:
                self._done[name] = self.walk(self._variables[name], path)
        return self._done[name]

    def _graft(self, source: Path, target: Path, value: object) -> None:
        """Let what came from a variable keep its places and what is known of it."""
        self._weigh(1)
        for marks in (self.result.textual, self.result.unknown, self.result.changed):
            if source in marks:
                marks.add(target)
        steps: range | tuple[str, ...] = ()
        if isinstance(value, dict):
            steps = tuple(value)
        elif isinstance(value, list):
            steps = range(len(value))
        for step in steps:
            self.result.places[*target, step] = self.result.places[*source, step]
            inner = value[step]  # type: ignore[index]  # a list by number, a map by key
            self._graft((*source, step), (*target, step), inner)

    def _weigh(self, values: int) -> None:
        self._values += values
        if self._values > 2 * MAX_VALUES:
            raise self._too_much(())

    def _too_much(self, path: Path) -> FatalProblem:
        message = "the variables put in make the pipeline too large"
        span = self.document.places[path].value if path else None
        return FatalProblem(Problem(code="too-much-text", message=message, span=span))

    def _bad(self, path: Path, message: str, hint: str) -> str:
        self._report("bad-interpolation", message, path, hint)
        self.result.unknown.add(path)
        return ""

    def _report(
        self,
        code: str,
        message: str,
        path: Path,
        hint: str,
        severity: Severity = Severity.ERROR,
        notes: tuple[str, ...] = (),
    ) -> None:
        span = self.document.places[path].value
        self.problems.append(
            Problem(
                code=code,
                message=f"{message}, in {dotted(path)}" if code == "missing-env" else message,
                severity=severity,
                span=span,
                hint=hint,
                notes=notes,
            )
        )
