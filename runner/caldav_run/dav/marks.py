"""What a reading remembers of a calendar, as far as it can be gone by later."""

import re
from typing import Final

from caldav_run.dav.collections import Collection
from caldav_run.model import Mark

_SECONDS: Final = re.compile(r"\d{9,11}")
_SETTLED_S: Final = 60.0
"""By how much a server's clock may be behind."""


def mark(collection: Collection, token: str | None, audited: float, now: float) -> Mark:
    """Return how far a calendar was read.

    One server's tokens are the second of the last change. What else happens in that second moves
    no token and is never named, so that of a second not long past nothing is remembered, and the
    next reading lists all members.

    Args:
        collection: The calendar, as it was before it was read.
        token: Where to go on from.
        audited: When every member was last named, in Unix time.
        now: The start of this reading, in Unix time.
    """
    for each in (token, collection.sync_token, collection.ctag):
        if each and _SECONDS.fullmatch(each) and float(each) > now - _SETTLED_S:
            return Mark(None, None, audited)
    return Mark(collection.seen, token, audited)
