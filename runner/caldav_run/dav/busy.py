"""Servers that have had enough for now: how they say so, and how long they want to rest."""

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from caldav_run.dav.reply import Reply

_BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_LONGEST_WAIT_S: Final = 30.0
# Google's limits of use, told by 403 in JSON or XML. Those of a rate pass soon, others in hours.
_LIMITS: Final = re.compile(
    rb"\b((?:userRateLimit|rateLimit|quota|dailyLimit|variableTermLimit)Exceeded)"
)
_PASSING: Final = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})


def wait_s(reply: "Reply", usual_s: float) -> float | None:
    """Return how many seconds to wait before the request is repeated; None not to.

    Args:
        reply: The answer.
        usual_s: How long to wait where the server does not say.
    """
    if reply.status not in _BUSY or (reply.limit and reply.limit not in _PASSING):
        return None
    after = reply.header("Retry-After")
    asked_s = float(after) if after.isdecimal() else usual_s
    return asked_s if asked_s <= _LONGEST_WAIT_S else None


def limit(body: bytes) -> str:
    """Return which limit of use a 403 tells of, as Google calls it; empty for none.

    Source: https://developers.google.com/workspace/calendar/api/guides/errors
    """
    found = _LIMITS.search(body)
    return found[1].decode() if found else ""


def words(limit: str, said: str) -> str:
    """Return what to say of a limit of use, with the server's own words."""
    what = "too many requests at a time" if limit in _PASSING else "the quota is used up"
    return f"{what}, the server says {limit}" + (f": {said}" if said else "")
