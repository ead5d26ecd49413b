"""Options that do not go together, as `x-exclusive` in a schema names them."""

from collections.abc import Iterator, Sequence

from caldav_run.pipeline.fields import Field
from caldav_run.pipeline.interpolate import Interpolated
from caldav_run.pipeline.places import dotted
from caldav_run.pipeline.problems import Problem


def exclusive_problems(found: Sequence[Field], pipeline: Interpolated) -> Iterator[Problem]:
    """Yield each option that cannot stand beside another one that is there.

    Args:
        found: Every field of the pipeline.
        pipeline: The pipeline.
    """
    for field in found:
        if not isinstance(field.value, dict):
            continue
        for schema in field.schemas:
            for group in schema.get("x-exclusive", ()):
                first, *others = [key for key in group if key in field.value] or [""]
                for key in others:
                    path = (*field.path, key)
                    yield Problem(
                        code="unfit-option",
                        message=f"{dotted(path)} does not go together with {first}",
                        span=pipeline.places[path].name,
                        hint="keep one of them",
                    )
