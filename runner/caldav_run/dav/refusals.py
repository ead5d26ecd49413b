"""What an answer to a write means: try again, decide anew, or take no for an answer."""

import re
from http import HTTPStatus
from typing import Final

from caldav_run.dav import busy, failures
from caldav_run.dav.failures import StatusError
from caldav_run.errors import (
    CaldavRunError,
    CalendarError,
    ConnectorError,
    ItemError,
    TemporaryError,
)

_PERHAPS_FULL: Final = frozenset({403, 429})
_BUSY: Final = frozenset({408, 423, 429, 502, 503, 504})
# How databases say that somebody else is writing: SQLite, MySQL, PostgreSQL.
_CROWDED: Final = re.compile(
    r"is locked|lock ?wait|deadlock|serializ|could not obtain lock|retryable", re.IGNORECASE
)
# Names of preconditions (RFC 4331 section 6), and what services say instead.
_FULL: Final = re.compile(r"quota|sufficient-disk-space|storage (?:is )?full", re.IGNORECASE)
_NO_RIGHT: Final = "need-privileges"


class NotYetError(Exception):
    """It was not done, and may be when it is tried again.

    Args:
        error: What went wrong.
        crowded: Whether somebody else was in the way, so that trying again soon is right.
        busy: Whether the server wants to be left alone, or cannot be reached.
    """

    def __init__(self, error: ConnectorError, *, crowded: bool = False, busy: bool = False) -> None:
        """Keep what was said."""
        self.error = error
        self.crowded = crowded
        self.busy = busy
        super().__init__(str(error))


def meaning(error: StatusError, deed: str) -> NotYetError | CaldavRunError:
    """Return what to raise for a write that was refused.

    Args:
        error: The answer.
        deed: What was not done: "written" or "deleted".

    Returns:
        `NotYetError` for what may pass, an `ItemError` for one item, a `CalendarError` or
        `ConnectorError` where every other item would be refused as well.
    """
    status, said = error.status, failures.in_words(error.status, error.words)
    if status == HTTPStatus.INSUFFICIENT_STORAGE or (
        status in _PERHAPS_FULL and _FULL.search(error.words)
    ):
        return TemporaryError(f"{error.url} was not {deed}, there is no room: {said}")
    if status == HTTPStatus.FORBIDDEN and _NO_RIGHT in error.words:
        return CalendarError(f"{error.url} must not be {deed}: {said}")
    if status in _BUSY:
        if error.after.isdecimal() and int(error.after) > busy.LONGEST_WAIT_S:
            return TemporaryError(
                f"{error.url} was not {deed}: {said}",
                mend=f"try again in {error.after} seconds, as the server asks for",
            )
        return NotYetError(error, busy=True)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return NotYetError(error, crowded=bool(_CROWDED.search(error.words)))
    return ItemError(f"not {deed}: the server says {said}")


def final(error: ConnectorError, deed: str) -> ItemError:
    """Return the failure of an item that was tried often enough."""
    if isinstance(error, StatusError):
        said = failures.in_words(error.status, error.words)
        return ItemError(f"not {deed} in several attempts: the server says {said}")
    if isinstance(error, failures.UnreachableError):
        return ItemError(f"not {deed}: {error.message}", mend=error.mend)
    return ItemError(f"it is not known whether it was {deed}: {error.message}")
