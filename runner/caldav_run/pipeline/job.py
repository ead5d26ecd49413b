"""From a loaded pipeline to a job that the engine runs."""

from collections.abc import Sequence

from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.judge import Link
from caldav_run.errors import UsageError
from caldav_run.pipeline.build import (
    ConnectorSpec,
    Pipeline,
    build_filter,
    build_source,
)
from caldav_run.pipeline.protection import Protection
from caldav_run.pipeline.settings import Settings


def make_job(pipeline: Pipeline, settings: Settings) -> Job:
    """Make every connector of a pipeline; connects to nothing.

    Raises:
        UsageError: `limit` names a source that the pipeline does not have.
        SetupError: A connector's options do not go together.
    """
    chosen = _chosen(pipeline, settings.limit)
    around = Protection(pipeline, settings)
    return Job(
        name=pipeline.name,
        sources=tuple(
            NamedSource(
                name, build_source(pipeline.sources[name], settings.context(pipeline, name))
            )
            for name in chosen
        ),
        filters=_links(pipeline, settings, pipeline.filters),
        sinks=tuple(
            NamedSink(
                name,
                around.sink(spec),
                _links(pipeline, settings, pipeline.sink_filters[name], f"{name} "),
            )
            for name, spec in pipeline.sinks.items()
        ),
        expect=pipeline.expect,
        timezone=pipeline.timezone,
        now=settings.now,
        dry=settings.dry,
        detail=settings.detail,
        diff=settings.diff,
        left_out=tuple(name for name in pipeline.sources if name not in chosen),
        state_dir=settings.state_dir,
        safety=around.safety,
        journal=around.journal,
    )


def _chosen(pipeline: Pipeline, limit: Sequence[str]) -> list[str]:
    for name in limit:
        if name not in pipeline.sources:
            known = ", ".join(pipeline.sources)
            raise UsageError(f'{pipeline.file} has no source "{name}"', mend=f"it has: {known}")
    return [name for name in pipeline.sources if not limit or name in limit]


def _links(
    pipeline: Pipeline, settings: Settings, specs: Sequence[ConnectorSpec], owner: str = ""
) -> tuple[Link, ...]:
    return tuple(
        Link(
            f"{owner}{number} {spec.type}",
            build_filter(spec, settings.context(pipeline, spec.name)),
        )
        for number, spec in enumerate(specs, start=1)
    )
