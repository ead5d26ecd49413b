"""What an object is, as far as its name tells."""

from enum import StrEnum
from typing import Final, NamedTuple

from caldav_run.repository import names
from caldav_run.repository.names import GenerationName, RunName, SegmentName


class Kind(StrEnum):
    """The objects that a repository is made of."""

    README = "readme"
    MARKER = "marker"
    BUNDLE = "bundle"
    PACK = "pack"
    SEGMENT = "segment"
    TOMBSTONE = "tombstone"
    RUN = "run"
    UNKNOWN = "unknown"


class Named(NamedTuple):
    """An object as its name tells it.

    Attributes:
        kind: What it is.
        sha256: The hash of its bytes; None for what is not named by its hash.
        generation: The generation that a pack, segment or tombstone lies in.
        segment: What a segment's name tells.
        run: What a run record's name tells.
    """

    kind: Kind
    sha256: str | None = None
    generation: GenerationName | None = None
    segment: SegmentName | None = None
    run: RunName | None = None


_PLAIN: Final = {names.README: Named(Kind.README), names.MARKER: Named(Kind.MARKER)}


def classify(name: str) -> Named:
    """Return what an object is."""
    if name in _PLAIN:
        return _PLAIN[name]
    if segment := names.parse_segment(name):
        return Named(Kind.SEGMENT, segment.sha256, segment.generation, segment)
    if pack := names.parse_pack(name):
        return Named(Kind.PACK, names.sha256_of(name), pack)
    if run := names.parse_run(name):
        return Named(Kind.RUN, names.sha256_of(name), run=run)
    return _rare(name)


def _rare(name: str) -> Named:
    if stone := names.parse_tombstone(name):
        return Named(Kind.TOMBSTONE, stone.sha256, stone.generation)
    if bundle := names.parse_bundle(name):
        return Named(Kind.BUNDLE, bundle)
    return Named(Kind.UNKNOWN)
