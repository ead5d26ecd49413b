"""How old a repository is, and whether the clocks that wrote it agree."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from caldav_run.repository.check.findings import Finding, Level, Severity
from caldav_run.repository.check.inventory import Listed
from caldav_run.repository.names import ACCOUNTS, RUNS

SILENCE: Final = timedelta(days=8)
"""How long nothing may be recorded before that is a warning: a weekly backup, and a day."""

_TOLERANCE: Final = timedelta(minutes=5)


def check(objects: Sequence[Listed], now: datetime) -> Iterator[Finding]:
    """Yield the age of the newest run and snapshots, and clocks that are wrong."""
    yield from _newest(objects, now)
    timed = [(each, each.time) for each in objects if each.time is not None]
    early = [(time - each.stored.modified, each) for each, time in timed]
    future = [(time - now, each) for each, time in timed]
    late = [(-ahead, each) for ahead, each in early]
    what, mend = "later than now: a clock is wrong", "set the clock of the backup host, or yours"
    yield from _clock(future, Severity.WARNING, what, mend)
    if not any(ahead > _TOLERANCE for ahead, _ in future):
        what = "later than the store's own: the writer's clock was ahead"
        yield from _clock(early, Severity.WARNING, what, "set the clock of the backup host")
    what = "earlier than the store's own: this is a copy, or the object was written again"
    yield from _clock(late, Severity.NOTE, what, None)


def _newest(objects: Sequence[Listed], now: datetime) -> Iterator[Finding]:
    runs = [each.run.time for each in objects if each.run]
    if not runs:
        what, mend = "no run was ever recorded", "run a pipeline that writes here"
        yield Finding(Level.STRUCTURE, Severity.WARNING, RUNS, what, mend)
    else:
        age = now - max(runs)
        what = f"the newest run is of {max(runs):%Y-%m-%d %H:%M} UTC, {_told(age)} old"
        if age > SILENCE:
            mend = "see why nothing was backed up since"
            yield Finding(Level.STRUCTURE, Severity.WARNING, RUNS, what, mend)
        else:
            yield Finding(Level.STRUCTURE, Severity.NOTE, RUNS, what)
    newest: dict[str, datetime] = {}
    for each in objects:
        if each.segment:
            stream = each.segment.generation.stream
            newest[stream] = max(each.segment.time, newest.get(stream, each.segment.time))
    for stream, time in sorted(newest.items()):
        what = f"the newest snapshot is of {time:%Y-%m-%d %H:%M} UTC, {_told(now - time)} old"
        yield Finding(Level.STRUCTURE, Severity.NOTE, f"{ACCOUNTS}{stream}/", what)


def _clock(
    apart: Sequence[tuple[timedelta, Listed]], severity: Severity, what: str, mend: str | None
) -> Iterator[Finding]:
    """Tell of all objects whose times are too far apart the worst one, and how many they are."""
    wrong = [(distance, each) for distance, each in apart if distance > _TOLERANCE]
    if wrong:
        most, worst = max(wrong, key=lambda pair: pair[0])
        more = f"; {len(wrong) - 1} more are so" if len(wrong) > 1 else ""
        told = f"its time is {_told(most)} {what}{more}"
        yield Finding(Level.STRUCTURE, severity, worst.name, told, mend)


def _told(span: timedelta) -> str:
    minutes = max(int(span.total_seconds() // 60), 0)
    for unit, length in (("day", 1440), ("hour", 60)):
        if minutes >= length:
            return _counted(minutes // length, unit)
    return _counted(minutes, "minute")


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"
