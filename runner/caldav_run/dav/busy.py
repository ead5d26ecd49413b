"""Servers that have had enough for now: how they say so, and how long they want to rest."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from caldav_run.dav.reply import Reply

_BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
LONGEST_WAIT_S: Final = 30.0
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
    asked_s = _asked_s(reply, usual_s)
    return asked_s if asked_s <= LONGEST_WAIT_S else None


def _asked_s(reply: "Reply", usual_s: float) -> float:
    """Return how long a server asks to wait, as seconds or as a date (RFC 9110 section 10.2.3)."""
    after = reply.header("Retry-After")
    if after.isdecimal():
        return float(after)
    if (until := moment(after)) is None:
        return usual_s
    # By the server's own clock, where it tells the time.
    now = moment(reply.header("Date")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def moment(date: str) -> datetime | None:
    """Return the time of an HTTP date (RFC 9110 section 5.6.7); None where it is none.

    One that names no zone is in UTC.
    """
    try:
        found = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


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
