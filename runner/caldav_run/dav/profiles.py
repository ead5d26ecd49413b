"""What is known of a server beyond what the standards promise."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How to treat a server.

    Attributes:
        sync: How far sync-collection can be relied on.
        audit_every: How long a calendar's members may go without all of them being listed.
        multiget_limit: How many items one report may ask for.
        concurrency: How many requests may be under way at a time, from 1 to 8.
    """

    sync: Sync = Sync.TRUSTED
    audit_every: timedelta = timedelta(days=7)
    multiget_limit: int = 1000
    concurrency: int = 8


UNKNOWN = Profile()
