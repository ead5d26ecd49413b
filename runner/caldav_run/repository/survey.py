"""What a listing shows, sorted by generation."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from caldav_run.repository import names
from caldav_run.repository.names import GenerationName, SegmentName, TombstoneName
from caldav_run.repository.store import Stored


@dataclass(frozen=True, slots=True)
class Listed:
    """The objects of one generation.

    Attributes:
        name: Which generation.
        segments: Its segments by id, by ascending number.
        sizes: The stored sizes of segments and packs in bytes, by name.
        modified: When segments and packs were stored, by the store's clock, by name.
        tombstones: What claims that it is to be deleted, and when that was stored.
    """

    name: GenerationName
    segments: dict[str, SegmentName] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    modified: dict[str, datetime] = field(default_factory=dict)
    tombstones: dict[TombstoneName, datetime] = field(default_factory=dict)

    @property
    def begun(self) -> bool:
        """Whether it has a base: packs alone are a first backup that was cut off."""
        return any(each.number == 0 for each in self.segments.values())

    @property
    def newest(self) -> SegmentName:
        """The segment with the highest number; there is one."""
        return max(self.segments.values(), key=lambda each: each.number)

    @property
    def forked(self) -> bool:
        """Whether two segments have one number: two machines wrote with one key."""
        return len({each.number for each in self.segments.values()}) < len(self.segments)


def survey(listing: Iterable[Stored]) -> list[Listed]:
    """Sort a listing by generation, oldest first; unknown names are passed over."""
    found: dict[GenerationName, Listed] = {}
    for name, size, modified in listing:
        segment, tombstone = names.parse_segment(name), names.parse_tombstone(name)
        told = segment or tombstone
        generation = told.generation if told else names.parse_pack(name)
        if generation is None:
            continue
        listed = found.setdefault(generation, Listed(generation))
        if tombstone:
            listed.tombstones[tombstone] = modified
            continue
        listed.sizes[name], listed.modified[name] = size, modified
        if segment:
            listed.segments[segment.sha256] = segment
    return [found[name] for name in sorted(found)]
