"""Everything that is wrong with a pipeline file, found without touching anything else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Final

from caldav_run.connectors.schemas import Schema
from caldav_run.pipeline.bundle import bundled_schema
from caldav_run.pipeline.convert import convert
from caldav_run.pipeline.destinations import destination_problems
from caldav_run.pipeline.exclusive import exclusive_problems
from caldav_run.pipeline.fields import Field, fields
from caldav_run.pipeline.interpolate import Interpolated, interpolate
from caldav_run.pipeline.load import parse, read_text
from caldav_run.pipeline.places import Located, Path, split_lines
from caldav_run.pipeline.problems import FatalProblem, Problem, Severity, complete
from caldav_run.pipeline.rules import hidden_values, value_problems
from caldav_run.pipeline.storages import storage_problems
from caldav_run.pipeline.structure import structure_problems

# What quotes a value. Of a secret that stands in the file it is enough to say that it does.
_QUOTING: Final = frozenset({"ambiguous-scalar", "bad-number", "bad-interpolation"})


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking a file has shown.

    Attributes:
        problems: Everything found, sorted by place.
        value: The pipeline with its references replaced; None when there is an error.
        fields: Its values with their schemas.
        places: Where they stand.
        unknown: Paths of values that hang on a missing environment variable.
    """

    problems: tuple[Problem, ...]
    value: Mapping[str, Any] | None = None
    fields: tuple[Field, ...] = ()
    places: Mapping[Path, Located] = field(default_factory=dict)
    unknown: frozenset[Path] = frozenset()


def check_file(
    path: FilePath,
    *,
    sets: Mapping[str, str],
    environ: Mapping[str, str],
    strict_env: bool,
    schema: Schema | None = None,
) -> Checked:
    """Check one pipeline file; safe for a file from anybody.

    Nothing but the file is opened, no secret is looked up, no command run, no network used.

    Args:
        path: The file.
        sets: Values that take the place of variables.
        environ: The environment.
        strict_env: Whether a missing environment variable is an error, not a warning.
        schema: The bundled schema; the project's own by default.
    """
    try:
        text = read_text(path)
    except FatalProblem as fatal:
        return Checked(complete([fatal.problem], str(path), (), {}))
    return check_text(
        text,
        str(path),
        sets=sets,
        environ=environ,
        strict_env=strict_env,
        schema=schema,
    )


def check_text(
    text: str,
    file: str,
    *,
    sets: Mapping[str, str],
    environ: Mapping[str, str],
    strict_env: bool,
    schema: Schema | None = None,
) -> Checked:
    """Check the text of a pipeline file; see `check_file`."""
    rules = bundled_schema() if schema is None else schema
    lines = split_lines(text)
    try:
        document, problems = parse(text)
        pipeline, more = interpolate(document, sets=sets, environ=environ, strict_env=strict_env)
    except FatalProblem as fatal:
        return Checked(complete([fatal.problem], file, lines, {}))
    problems += more
    problems += convert(pipeline, rules)
    found = tuple(fields(pipeline.value, rules))
    hidden = hidden_values(found)
    spans = {pipeline.places[path].value for path in hidden if path in pipeline.places}
    problems = [one for one in problems if one.code not in _QUOTING or one.span not in spans]
    problems += value_problems(found, pipeline, lines)
    problems += storage_problems(found, pipeline)
    problems += exclusive_problems(found, pipeline)
    problems += structure_problems(
        pipeline.value,
        rules,
        pipeline.places,
        skip=[*pipeline.unknown, *_plain_secrets(found)],
        shown={
            **dict.fromkeys(pipeline.changed, "the value put in"),
            **dict.fromkeys(hidden, "the value"),
        },
    )
    if not any(problem.severity is Severity.ERROR for problem in problems):
        problems += destination_problems(pipeline)
    done = complete(problems, file, lines, _masks(hidden, pipeline, lines))
    if any(problem.severity is Severity.ERROR for problem in done):
        return Checked(done)
    value: Any = pipeline.value
    return Checked(done, value, found, pipeline.places, frozenset(pipeline.unknown))


def _plain_secrets(found: Iterable[Field]) -> list[Path]:
    return [one.path for one in found if one.marked("x-secret") and not isinstance(one.value, dict)]


def _masks(
    hidden: Iterable[Path], pipeline: Interpolated, lines: Sequence[str]
) -> dict[int, list[tuple[int, int]]]:
    masks: dict[int, list[tuple[int, int]]] = {}
    for path in hidden:
        located = pipeline.places.get(path)
        if located is None:
            continue
        line, column, length = located.value
        # Of a list or map only the bracket is marked: all of its line is hidden.
        end = column - 1 + length if located.style is not None else len(lines[line - 1])
        masks.setdefault(line, []).append((column - 1, end))
        for number in range(line + 1, min(located.end_line, len(lines)) + 1):
            masks.setdefault(number, []).append((0, len(lines[number - 1])))
    return masks
