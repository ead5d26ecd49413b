"""How to treat a server: what is known of it beyond what the standards promise."""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Self

from caldav_run.dav.limits import Limits, limits_of


class Sync(StrEnum):
    """How far a server's sync-collection can be relied on.

    Attributes:
        TRUSTED: It names every change, and refuses a token that it does not know.
        STALE_TOKENS: It takes tokens that it does not know, and then names no deletions.
        NONE: It is not asked.
    """

    TRUSTED = "trusted"
    STALE_TOKENS = "stale-tokens"
    NONE = "none"


_AUDITS = {
    Sync.TRUSTED: timedelta(days=7),
    Sync.STALE_TOKENS: timedelta(days=1),
    Sync.NONE: timedelta(days=7),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How to treat a server.

    Attributes:
        name: What the profile is called in a pipeline.
        title: What the server is called in front of a person.
        sync: How far sync-collection can be relied on.
        audit_every: How long a calendar's members may go without all of them being listed.
        multiget_limit: How many items one report may ask for.
        concurrency: How many requests may be under way at a time, from 1 to 8.
        rewrites_shares: Whether calendars that others share are not given as they are stored.
        etags_recur: Whether an item that was deleted and made again may have the etag that it had.
        costly: Properties that take the server long to tell of each member, and that help only.
    """

    name: str = "standard"
    title: str = "an unknown server"
    sync: Sync = Sync.TRUSTED
    audit_every: timedelta = _AUDITS[Sync.TRUSTED]
    multiget_limit: int = 1000
    concurrency: int = 8
    rewrites_shares: bool = False
    etags_recur: bool = False
    costly: frozenset[str] = frozenset()

    def with_sync(self, sync: Sync) -> Self:
        """Return this profile for a server whose sync-collection is otherwise."""
        return replace(self, sync=sync, audit_every=_AUDITS[sync])

    @property
    def limits(self) -> Limits:
        """What the server takes of what is written."""
        return limits_of(self.name)

    def share_note(self, owner: str) -> str | None:
        """Return what is missing from a calendar that somebody shares; None for nothing."""
        if not self.rewrites_shares:
            return None
        return (
            f"{owner} shares it, and {self.title} gives a share without private events, alarms and"
            " details: back up the owner's account to have them"
        )


UNKNOWN = Profile()
