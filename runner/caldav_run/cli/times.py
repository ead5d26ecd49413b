"""Points in time as a person reads them, and how old a snapshot is."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from caldav_run.cli import console
from caldav_run.errors import UsageError

if TYPE_CHECKING:
    from caldav_run.repository.reader import Reader
    from caldav_run.repository.snapshots import SnapshotInfo


def tell_age(reader: "Reader", snapshot: "SnapshotInfo") -> None:
    """Tell how old what is shown is: when it was taken, and when the account was last read."""
    read = reader.last_read(snapshot.account)
    since = f"; the account was last read {when(read)}" if read else ""
    console.tell(f"{snapshot.account} as of {when(snapshot.time)}{since}")


def tell_read(reader: "Reader", accounts: Iterable[str]) -> None:
    """Tell when each account was last read with success."""
    for name in accounts:
        read = reader.last_read(name)
        console.tell(f"{name}: last read {when(read)}" if read else f"{name}: never read whole")


def when(time: datetime) -> str:
    """Return a time with its distance from now: `2026-05-04 12:00:00 UTC (2 days ago)`."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC ({_ago(datetime.now(UTC) - time)})"


def beginning(text: str, timezone: tzinfo) -> datetime:
    """Read a time in words, of a day its start; see `caldav_run.repository.moments`.

    Raises:
        UsageError: It is none.
    """
    from caldav_run.repository.moments import FORMS, first_moment

    found = first_moment(text, datetime.now(timezone))
    if found is None:
        raise UsageError(f'"{text}" is no time', mend=f"give {FORMS}")
    return found


def _ago(passed: timedelta) -> str:
    seconds = passed.total_seconds()
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(seconds // length)
        if count >= 1:
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"
