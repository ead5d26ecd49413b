"""What the command line adds to a pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from caldav_run.connectors.protocol import Context
from caldav_run.pipeline.build import Pipeline
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
        diff: Whether to tell in what each item would change, too.
        sets: Values that took the place of the pipeline's variables.
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
    diff: bool = False
    sets: Mapping[str, str] = field(default_factory=dict)

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
