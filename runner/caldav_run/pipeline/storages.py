"""Where a repository may be, and which options fit there."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from caldav_run.errors import SetupError
from caldav_run.pipeline.fields import Field
from caldav_run.pipeline.guess import similar
from caldav_run.pipeline.interpolate import Interpolated
from caldav_run.pipeline.places import dotted, quoted
from caldav_run.pipeline.problems import Problem
from caldav_run.repository.storage import OPTIONS, parse_address, scheme_of

_KNOWN: Final = ", ".join(f"{each}://" for each in OPTIONS)


def storage_problems(found: Sequence[Field], pipeline: Interpolated) -> Iterator[Problem]:
    """Yield repositories in places of no known kind, and options that do not fit the place.

    Args:
        found: Every field of the pipeline.
        pipeline: The pipeline.
    """
    values = {field.path: field.value for field in found}
    for field in found:
        if not field.marked("x-store") or field.path in pipeline.unknown:
            continue
        scheme = scheme_of(str(field.value))
        if scheme and scheme not in OPTIONS:
            yield Problem(
                code="unknown-scheme",
                message=f"{dotted(field.path)} cannot be at {quoted(f'{scheme}://')}",
                span=pipeline.places[field.path].value,
                hint=similar(scheme, OPTIONS) or "give the path of a folder, or a known one",
                notes=(f"known: {_KNOWN}",),
            )
            continue
        yield from _invalid(field, scheme, pipeline)
        said = values.get((*field.path[:-1], "storage"))
        yield from _unfit(field, scheme, said if isinstance(said, Mapping) else {}, pipeline)


def _invalid(field: Field, scheme: str | None, pipeline: Interpolated) -> Iterator[Problem]:
    text = str(field.value)
    # What holds an @ is told of by its own rule.
    if scheme is None or "@" in text:
        return
    try:
        parse_address(text)
    except SetupError as error:
        yield Problem(
            code="bad-url",
            message=f"{dotted(field.path)} is not a valid address",
            span=pipeline.places[field.path].value,
            hint=error.mend,
        )


def _unfit(
    field: Field, scheme: str | None, said: Mapping[str, object], pipeline: Interpolated
) -> Iterator[Problem]:
    takes = OPTIONS.get(scheme or "", frozenset())
    everywhere = frozenset().union(*OPTIONS.values())
    for key in said:
        # A key that no place knows is told of by the schema.
        if key in takes or key not in everywhere:
            continue
        path = (*field.path[:-1], "storage", key)
        place = f"{scheme}://" if scheme else "a folder"
        yield Problem(
            code="unfit-option",
            message=f"{dotted(path)} means nothing for {place}",
            span=pipeline.places[path].name,
            hint="take it out",
            notes=(f"{place} takes: {', '.join(sorted(takes)) or 'none of them'}",),
        )
