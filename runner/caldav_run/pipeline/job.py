"""From a loaded pipeline to a job that the engine runs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from caldav_run.connectors.protocol import Context
from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.judge import Link
from caldav_run.errors import UsageError
from caldav_run.pipeline.build import (
    ConnectorSpec,
    Pipeline,
    build_filter,
    build_sink,
    build_source,
)
from caldav_run.pipeline.turned import sink_properties
from caldav_run.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the command line adds to a pipeline.

    Attributes:
        now: The start of the run, in UTC.
        state_dir: The folder for caches.
        identities: Files that hold age identities.
        passphrase: Opens a repository where there is no identity file at all.
        trust: Fingerprints of signers to trust.
        adopt_origin: Whether an account's history goes on though it is found elsewhere now.
        limit: The only sources to read; empty for all.
        dry: Whether to write nothing.
        detail: Whether to tell every change.
        verify: How much to read back after writing, instead of what sinks say; None to leave it.
    """

    now: datetime
    state_dir: Path
    identities: tuple[Path, ...] = ()
    passphrase: Secret | None = None
    trust: tuple[str, ...] = ()
    adopt_origin: bool = False
    limit: tuple[str, ...] = ()
    dry: bool = False
    detail: bool = False
    verify: str | None = None

    def context(self, pipeline: Pipeline, name: str) -> Context:
        """Return what the connector of that name may know."""
        return Context(
            name=name,
            pipeline=pipeline.name,
            timezone=pipeline.timezone,
            now=self.now,
            state_dir=self.state_dir,
            identities=self.identities,
            passphrase=self.passphrase,
            trust=self.trust,
            adopt_origin=self.adopt_origin,
            file=pipeline.file,
        )


def make_job(pipeline: Pipeline, settings: Settings) -> Job:
    """Make every connector of a pipeline; connects to nothing.

    Raises:
        UsageError: `limit` names a source that the pipeline does not have.
        SetupError: A connector's options do not go together.
    """
    chosen = _chosen(pipeline, settings.limit)
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
                build_sink(_verifying(spec, settings), settings.context(pipeline, name)),
                _links(pipeline, settings, pipeline.sink_filters[name], f"{name} "),
            )
            for name, spec in pipeline.sinks.items()
        ),
        expect=pipeline.expect,
        timezone=pipeline.timezone,
        now=settings.now,
        dry=settings.dry,
        detail=settings.detail,
        left_out=tuple(name for name in pipeline.sources if name not in chosen),
        state_dir=settings.state_dir,
    )


def _verifying(spec: ConnectorSpec, settings: Settings) -> ConnectorSpec:
    """Return a sink that reads back as the command line says, where it is one that can."""
    if settings.verify is None or "verify" not in sink_properties(spec.type):
        return spec
    return replace(spec, options={**spec.options, "verify": settings.verify})


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
