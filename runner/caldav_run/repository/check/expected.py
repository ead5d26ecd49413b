"""Whether the store holds what the segments of a generation say that it holds."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from caldav_run.repository.check.findings import Finding, Level, Severity
from caldav_run.repository.header import LogEntry
from caldav_run.repository.names import GenerationName

_MEND = "look for it in a copy of the repository; the next run makes a full backup"


def objects_of(generation: GenerationName, entries: Iterable[LogEntry]) -> dict[str, int]:
    """Return the stored sizes of all segments and packs that a log tells of, by name."""
    expected: dict[str, int] = {}
    for entry in entries:
        expected |= {generation.pack(each.sha256): each.size for each in entry.packs}
        expected[generation.segment(entry.number, entry.time, entry.id)] = entry.size
    return expected


def check_expected(
    level: Level, expected: Mapping[str, int], present: Mapping[str, int], gone: Severity
) -> Iterator[Finding]:
    """Yield what is missing or of another size.

    Args:
        level: Which check asks.
        expected: What should be there: stored sizes in bytes, by name.
        present: What is there.
        gone: How bad it is when something is missing: an expired generation may go.
    """
    for name, size in sorted(expected.items()):
        if name not in present:
            yield Finding(level, gone, name, "it is missing; a signed segment names it", _MEND)
        elif present[name] != size:
            what = f"it has {present[name]} bytes; a signed segment says {size}"
            yield Finding(level, Severity.DAMAGE, name, what, _MEND)


def check_unnamed(
    level: Level, packs: Iterable[str], expected: Collection[str]
) -> Iterator[Finding]:
    """Yield the packs that no segment names."""
    for name in packs:
        if name not in expected:
            what = "no segment names it: a run that stored it was cut off, or goes on now"
            yield Finding(level, Severity.NOTE, name, what)
