"""How a person names a snapshot."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from caldav_run.errors import UsageError
from caldav_run.repository.moments import FORMS, last_moment

if TYPE_CHECKING:
    # Checking a pipeline asks for the form only, and should not wait for cryptography.
    from caldav_run.repository.snapshots import SnapshotInfo

MEND: Final = (
    f"give latest, latest~2, an id or its first digits (4 at least), {FORMS}; a date means its end"
)
SAFETY: Final = "before-"
"""So begin the accounts that hold what a destination was before a run, not what was backed up."""
_LATEST: Final = re.compile(r"latest(?:~(\d{1,6}))?")
_ID: Final = re.compile(r"[0-9a-f]{4,64}")
_LIST: Final = "`caldav-run snapshots` lists them"
_LISTED: Final = 10


def is_reference(text: str) -> bool:
    """Return whether a text has one of the forms that can name a snapshot."""
    forms = (_LATEST.fullmatch(text), _ID.fullmatch(text.lower()))
    return any(forms) or last_moment(text, datetime.now(UTC)) is not None


def resolve(known: Sequence["SnapshotInfo"], ref: str, now: datetime) -> "SnapshotInfo":
    """Find the snapshot that a person means.

    Args:
        known: The snapshots to choose from, oldest first.
        ref: `latest`, `latest~2` (the second before it), an id or the beginning of one, or a
            time, which means the newest not after it; see `last_moment`. What could be both an
            id and a time, as 20260501, is an id where there is such a one.
        now: The time, in the zone where days end.

    Raises:
        UsageError: There is none, or more than one is meant.
    """
    found = _by_id(known, ref.lower()) if _ID.fullmatch(ref.lower()) else None
    if found is not None:
        return found
    if match := _LATEST.fullmatch(ref):
        return _by_count(_one_account(known, ref), ref, int(match[1] or 0))
    time = last_moment(ref, now)
    if time is None:
        raise UsageError(f"there is no snapshot {ref}", mend=MEND)
    return _by_time(_one_account(known, ref), ref, time)


def _by_id(known: Iterable["SnapshotInfo"], ref: str) -> "SnapshotInfo | None":
    found = [each for each in known if each.id.startswith(ref)]
    if len(found) > 1:
        listed = [f"{each.id[:12]} ({each.account}, {each.time:%Y-%m-%d})" for each in found]
        more = [f"{len(found) - _LISTED} more"] if len(found) > _LISTED else []
        raise UsageError(
            f"{ref} begins the ids of {len(found)} snapshots",
            mend=f"give more of it: {', '.join(listed[:_LISTED] + more)}",
        )
    return found[0] if found else None


def meant(accounts: Iterable[str]) -> list[str]:
    """Return which accounts are meant where none is named: safety snapshots only if alone."""
    every = sorted(set(accounts))
    return [each for each in every if not each.startswith(SAFETY)] or every


def _one_account(known: Sequence["SnapshotInfo"], ref: str) -> Sequence["SnapshotInfo"]:
    accounts = meant(each.account for each in known)
    if len(accounts) > 1:
        raise UsageError(
            f"{ref} needs one account, and there are {', '.join(accounts)}",
            mend="name one with --account",
        )
    return [each for each in known if each.account in accounts]


def _by_count(known: Sequence["SnapshotInfo"], ref: str, back: int) -> "SnapshotInfo":
    if back >= len(known):
        count = len(known)
        all_of_them = "there is 1 in all" if count == 1 else f"there are {count} in all"
        raise UsageError(f"there is no snapshot {ref}: {all_of_them}", mend=_LIST)
    return known[-1 - back]


def _by_time(known: Sequence["SnapshotInfo"], ref: str, time: datetime) -> "SnapshotInfo":
    found = [each for each in known if each.time <= time]
    if not found:
        oldest = f"; the oldest is of {known[0].time:%Y-%m-%d %H:%M:%S} UTC" if known else ""
        raise UsageError(f"there is no snapshot as old as {ref}{oldest}", mend=_LIST)
    return found[-1]
