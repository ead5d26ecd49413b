"""A listing with what each name tells."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from caldav_run.repository.check.kinds import Kind, classify
from caldav_run.repository.names import ACCOUNTS, RUNS, GenerationName, RunName, SegmentName
from caldav_run.repository.store import Store, Stored


@dataclass(frozen=True, slots=True)
class Listed:
    """One object of a listing; see `kinds.Named` for what its name tells."""

    stored: Stored
    kind: Kind
    sha256: str | None
    generation: GenerationName | None
    segment: SegmentName | None
    run: RunName | None

    @property
    def name(self) -> str:
        """Its name."""
        return self.stored.name

    @property
    def time(self) -> datetime | None:
        """When its name says that it was made; None for what says nothing."""
        told = self.segment or self.run
        return told.time if told else None


def inventory(listing: Iterable[Stored]) -> list[Listed]:
    """Return every object with what its name tells, in the order of the listing."""
    return [Listed(each, *classify(each.name)) for each in listing]


def settled(store: Store) -> list[Stored]:
    """List every object together with all that it refers to, also while a run goes on.

    A run stores packs, then the segment that names them, then the record that names the segment:
    they are listed the other way round, and what came in between is left out.

    Raises:
        ConnectorError: The store cannot be read.
    """
    records = {each.name for each in store.list(RUNS)}
    settled = records | {each.name for each in store.list(ACCOUNTS)}
    return [
        each
        for each in store.list()
        if each.name in settled or classify(each.name).kind not in {Kind.SEGMENT, Kind.RUN}
    ]
