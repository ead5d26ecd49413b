"""Level 0: what a writer's own segments say should be there; opened with its metadata key."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from caldav_run.errors import DamageError, SetupError
from caldav_run.repository import runs, segment
from caldav_run.repository.check.expected import check_expected, check_unnamed, objects_of
from caldav_run.repository.check.findings import Finding, Level, Severity, damage_of
from caldav_run.repository.check.inventory import Listed
from caldav_run.repository.check.records import Heads
from caldav_run.repository.create import repository_id
from caldav_run.repository.generation import Generation
from caldav_run.repository.keys import Writer
from caldav_run.repository.lineage import rewritten
from caldav_run.repository.names import ACCOUNTS, RunName, SegmentName
from caldav_run.repository.segment import Segment
from caldav_run.repository.store import Store
from caldav_run.repository.survey import survey
from caldav_run.repository.tombstone import grave_of

_RECENT: Final = 32
"""How many run records are read: pipelines that share a writer each record their own accounts."""


def check_known(store: Store, objects: Sequence[Listed], writer: Writer) -> Iterator[Finding]:
    """Compare a listing with what the writer's segments and newest run records say.

    Reads the newest cumulative segment of each generation, those after it, and the newest run
    records.

    Args:
        store: Where the objects lie.
        objects: All of them.
        writer: Whose segments are read; those of others are passed over.

    Raises:
        ConnectorError: The store cannot be read.
        SetupError: There is no repository.
    """
    repository = repository_id(store)
    trusted, identities = {writer.signer.fingerprint}, (writer.metadata,)

    def open_segment(name: SegmentName) -> Segment:
        stored = store.get(name.name)
        return segment.open_segment(name, stored, identities, trusted, repository)

    present = {each.sha256 for each in objects if each.segment and each.sha256}
    foreign: set[str] = set()
    for listed in survey(each.stored for each in objects):
        if listed.name.writer != writer.name:
            foreign.add(listed.name.writer)
            continue
        generation = Generation(listed, open_segment)
        for identity, problem in generation.problems.items():
            yield damage_of(Level.KNOWN, listed.segments[identity].name, problem)
        entries = generation.snapshots
        present |= entries.keys() | rewritten([generation])
        expected = objects_of(listed.name, entries.values())
        grave, doubts = grave_of(store, listed, trusted, repository)
        for doubt in doubts:
            what = f"{doubt.message}; level 3 tells whether you trust it"
            yield Finding(Level.KNOWN, Severity.WARNING, listed.name.folder, what)
        gone = Severity.NOTE if grave else Severity.DAMAGE
        yield from check_expected(Level.KNOWN, expected, listed.sizes, gone)
        packs = (name for name in listed.sizes if "/pack-" in name)
        if listed.begun and not generation.problems:
            yield from check_unnamed(Level.KNOWN, packs, expected)
    yield from _cut_off(store, objects, writer, repository, present)
    for each in sorted(foreign):
        what = f"objects of the writer {each} are not compared: its key or --deep opens them"
        yield Finding(Level.KNOWN, Severity.NOTE, ACCOUNTS, what)


def _cut_off(
    store: Store, objects: Sequence[Listed], writer: Writer, repository: str, present: set[str]
) -> Iterator[Finding]:
    """Tell the heads of the newest run records that the store does not have."""
    own = [each.run for each in objects if each.run and each.run.writer == writer.name]
    heads = Heads(present)
    for name in sorted(own, key=_time)[-_RECENT:]:
        try:
            trusted, identities = {writer.signer.fingerprint}, (writer.metadata,)
            stored = store.get(name.name)
            heads.take(name, runs.open_run(name, stored, identities, trusted, repository))
        except (DamageError, SetupError) as error:
            yield damage_of(Level.KNOWN, name.name, error)
    yield from heads.missing(Level.KNOWN)


def _time(name: RunName) -> datetime:
    return name.time
