"""As much of two snapshots of one generation as what happened between them concerns."""

from typing import Final

from caldav_run.model import Op
from caldav_run.repository.generation import Generation
from caldav_run.repository.rows import Row
from caldav_run.repository.snapshots import SnapshotInfo
from caldav_run.repository.state import State

_WHOLE: Final = frozenset({Op.CALENDAR_GONE, Op.EXCLUDED, Op.UNREAD})


def narrowed(
    generation: Generation, old: SnapshotInfo, new: SnapshotInfo
) -> tuple[State, State] | None:
    """Return two states that differ where the snapshots do; equal items may be in neither.

    An account has many items of which few change: this keeps only those in memory.

    Args:
        generation: Where both belong.
        old: One of them.
        new: The other one, or the same; it may be the earlier one.

    Returns:
        Their states; None when only the whole snapshots can tell.

    Raises:
        DamageError: A segment that they need is missing or damaged.
    """
    if generation.listed.forked:
        return None
    low, high = sorted((old, new), key=lambda each: each.number)
    between = [row for row in generation.log(high.id) if row.seq > low.number]
    touched = {(row.calendar, row.href) for row in between}
    whole = {row.calendar for row in between if row.href is None and row.op in _WHOLE}
    before, after = State(), State()
    for row in generation.rows(high.id):
        if row.href is None or row.calendar in whole or (row.calendar, row.href) in touched:
            after.apply(row)
            if row.seq <= low.number:
                before.apply(row)
    returned = {calendar for calendar, href in touched if href is None} - whole
    # What was unread or left out and is there again may bring items of which no row speaks.
    if any(_away(before.calendars.get(each)) for each in returned):
        return None
    return (before, after) if low is old else (after, before)


def _away(row: Row | None) -> bool:
    return row is not None and row.op in _WHOLE
