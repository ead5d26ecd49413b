"""What stands around the sinks of a run that writes: its journal, and safety snapshots."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, cast

from caldav_run.connectors.mirroring import Mirror
from caldav_run.connectors.protocol import Archive, Sink, Source
from caldav_run.engine.journal import Journal
from caldav_run.engine.safety import Safeties, Safety, Vault
from caldav_run.pipeline.build import ConnectorSpec, Pipeline, build_sink, build_source
from caldav_run.pipeline.settings import Settings
from caldav_run.pipeline.turned import as_source, sink_properties

LOCAL: Final = "local"
OFF: Final = "off"


class Protection:
    """Wraps the sinks of one run.

    Attributes:
        journal: Where their writes are written down.
        safety: Saves a destination before it is written over.
    """

    def __init__(self, pipeline: Pipeline, settings: Settings) -> None:
        """Take the pipeline and what the command line adds; nothing is touched."""
        head = {
            "pipeline": pipeline.name,
            "file": str(pipeline.file.absolute()),
            "sets": dict(settings.sets),
        }
        self.journal = Journal(settings.state_dir, settings.now, head)
        self.safety = Safeties(known={}, journal=self.journal)
        self._pipeline = pipeline
        self._settings = settings

    def sink(self, spec: ConnectorSpec, where: Mapping[str, Any] | None = None) -> Sink:
        """Make a sink, and around one with a present state its journal.

        Args:
            spec: The sink as the pipeline says.
            where: What `undo` needs to find it again; None for a sink of the pipeline.

        Raises:
            SetupError: Its options do not go together.
        """
        spec = _verifying(spec, self._settings)
        sink = build_sink(spec, self._settings.context(self._pipeline, spec.name))
        if isinstance(sink, Archive):
            return sink
        # Brings the comparison of items with it, which a backup does without.
        from caldav_run.engine.recorded import RecordedMirror

        choice = self._choice(sink)
        if choice != OFF:
            name = None if choice == LOCAL else choice
            self.safety.known[spec.name] = self._safety(spec, sink, name)
        return RecordedMirror(
            sink, spec.name, self.journal, self.safety, where or {"to": spec.name}
        )

    def _choice(self, sink: Mirror) -> str:
        """Return where a destination is saved: a snapshot sink's name, local or off."""
        known = [name for name, each in self._pipeline.sinks.items() if each.type == "snapshot"]
        return sink.options.safety_snapshot or (known[0] if known else LOCAL)

    def _safety(self, spec: ConnectorSpec, sink: Mirror, name: str | None) -> Safety:
        return Safety(
            name=spec.name,
            origin=sink.origin,
            sink=name,
            source=partial(self._source, spec),
            vault=partial(self._vault, name),
            timezone=self._pipeline.timezone,
            now=self._settings.now,
        )

    def _source(self, spec: ConnectorSpec, account: str) -> Source:
        context = self._settings.context(self._pipeline, spec.name)
        return build_source(as_source(spec, account), context)

    def _vault(self, name: str | None) -> Vault:
        if name is None:
            # Brings the writing of repositories with it, which most runs do without.
            from caldav_run.pipeline.local_vault import local_vault

            context = self._settings.context(self._pipeline, LOCAL)
            return local_vault(context)
        # Nobody renamed an account: another one is another history.
        settings = replace(self._settings, adopt_origin=False)
        made = build_sink(self._pipeline.sinks[name], settings.context(self._pipeline, name))
        return cast("Vault", made)


def _verifying(spec: ConnectorSpec, settings: Settings) -> ConnectorSpec:
    """Return a sink that reads back as the command line says, where it is one that can."""
    if settings.verify is None or "verify" not in sink_properties(spec.type):
        return spec
    return replace(spec, options={**spec.options, "verify": settings.verify})
