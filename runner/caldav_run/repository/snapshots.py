"""What a repository shows of its snapshots, and how a person names one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from caldav_run.errors import CaldavRunError, UsageError
from caldav_run.model import Calendar, Provenance
from caldav_run.repository.segment import Counts

_LATEST: Final = re.compile(r"latest(?:~(\d{1,6}))?")
_ID: Final = re.compile(r"[0-9a-f]{4,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotInfo:
    """One account at one committed state.

    Attributes:
        id: Its segment's hash.
        account: The account.
        time: When it was committed.
        generation: The name of its generation.
        number: Its number in that.
        counts: What it holds; None when its segment cannot be read.
        guarded: Whether a guard had tripped.
        problem: Why it cannot be read, as far as that is known without reading it whole.
    """

    id: str
    account: str
    time: datetime
    generation: str
    number: int
    counts: Counts | None
    guarded: bool
    problem: CaldavRunError | None = None

    @property
    def incomplete(self) -> bool:
        """Whether something that it needs is missing or damaged."""
        return self.problem is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarInfo:
    """A calendar in a snapshot.

    Attributes:
        calendar: Its id and properties.
        excluded: Whether it was not selected; nothing of it is held then.
        stale_since: When it was last read as a whole, if it could not be read since.
        unread: Whether it could not be read as a whole.
        reason: Why not.
    """

    calendar: Calendar
    excluded: bool = False
    unread: bool = False
    stale_since: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemInfo:
    """An item in a snapshot, without its bytes.

    Attributes:
        calendar: The id of its calendar.
        href: Its name in it.
        uid: Its UID; None when it has none or nothing is known.
        etag: Its etag.
        sha256: Hash of its bytes; None when it could never be read.
        size: How many bytes they are.
        provenance: How they were read.
        object: The name of the pack that holds them.
        member: Their name in it.
        stale_since: When they were last read, if they could not be read since.
        reason: Why it could not be read.
    """

    calendar: str
    href: str
    uid: str | None = None
    etag: str | None = None
    sha256: str | None = None
    size: int = 0
    provenance: Provenance = Provenance.GET
    object: str | None = None
    member: str | None = None
    stale_since: datetime | None = None
    reason: str | None = None


def resolve(known: Sequence[SnapshotInfo], ref: str) -> SnapshotInfo:
    """Find the snapshot that a person means.

    Args:
        known: The snapshots to choose from, oldest first.
        ref: `latest`, `latest~2` (the second before it), an id or the beginning of one, or a
            time (ISO 8601; UTC unless it says otherwise), which means the newest not after it.

    Raises:
        UsageError: There is none, or more than one is meant.
    """
    found = _by_id(known, ref) if _ID.fullmatch(ref) else None
    if found is not None:
        return found
    one = _one_account(known, ref)
    match = _LATEST.fullmatch(ref)
    if match is None:
        return _by_time(one, ref)
    back = int(match[1] or 0)
    if back >= len(one):
        raise UsageError(f"there is no snapshot {ref}: {_how_many(len(one))}")
    return one[-1 - back]


def _by_id(known: Sequence[SnapshotInfo], ref: str) -> SnapshotInfo | None:
    found = [each for each in known if each.id.startswith(ref)]
    if len(found) > 1:
        raise UsageError(f"{ref} begins the ids of {len(found)} snapshots", mend="give more of it")
    return found[0] if found else None


def _one_account(known: Sequence[SnapshotInfo], ref: str) -> Sequence[SnapshotInfo]:
    accounts = sorted({each.account for each in known})
    if len(accounts) > 1:
        raise UsageError(
            f"{ref} needs one account, and there are {', '.join(accounts)}",
            mend="name one with --account",
        )
    return known


def _by_time(known: Sequence[SnapshotInfo], ref: str) -> SnapshotInfo:
    try:
        time = datetime.fromisoformat(ref)
    except ValueError:
        raise UsageError(
            f"there is no snapshot {ref}",
            mend="give an id, latest, latest~1, or a time such as 2026-05-01T00:00:00Z",
        ) from None
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    found = [each for each in known if each.time <= time]
    if not found:
        oldest = f"; the oldest is of {known[0].time.isoformat()}" if known else ""
        raise UsageError(f"there is no snapshot as old as {ref}{oldest}")
    return found[-1]


def _how_many(count: int) -> str:
    return "there is 1 in all" if count == 1 else f"there are {count} in all"
