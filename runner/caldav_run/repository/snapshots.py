"""What a repository shows of its snapshots."""

from dataclasses import dataclass
from datetime import datetime

from caldav_run.errors import CaldavRunError
from caldav_run.model import Calendar, Provenance
from caldav_run.repository.header import Counts


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
        expired: Since when its generation is marked for deletion; None when it is not.
    """

    id: str
    account: str
    time: datetime
    generation: str
    number: int
    counts: Counts | None
    guarded: bool
    problem: CaldavRunError | None = None
    expired: datetime | None = None

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
