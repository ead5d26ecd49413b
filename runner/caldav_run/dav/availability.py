"""When the user is available, as an account tells it and takes it (RFC 7953 section 7.2)."""

from http import HTTPStatus
from typing import Final

from caldav_run.dav import bodies, collections, failures, names
from caldav_run.dav.discovery import Account
from caldav_run.dav.signpost import Signpost
from caldav_run.errors import CalendarError

_ASKED: Final = (names.RESOURCETYPE, names.AVAILABILITY)


def told(account: Account) -> str | None:
    """Return what the scheduling inbox says, else the home, empty for nothing.

    Returns:
        None where the account's URL names but one calendar: that has no such thing.

    Raises:
        CalendarError: The server does not tell, with its words.
    """
    return None if account.single is not None else _look(account).availability or ""


def tell(account: Account, text: str, over: str) -> str:
    """Say it to the scheduling inbox, where there is one, else to the home, and read it back.

    Args:
        account: The account.
        text: What to say; empty to say nothing any more.
        over: What was said up to now, as `told` gave it.

    Returns:
        What the server says now.

    Raises:
        CalendarError: The server refuses, with its words; or it says something else by now.
    """
    before = _look(account)
    if (before.availability or "") != over:
        raise CalendarError("it was changed meanwhile")
    refusal = _patch(account, before.inbox or account.homes[0], text)
    kept = _look(account).availability or ""
    # Whether it took is seen by reading it back, whatever the answer says.
    if refusal and kept == over:
        raise CalendarError(f"the server says {refusal}")
    return kept


def _look(account: Account) -> Signpost:
    found = Signpost()
    try:
        for home in account.homes:
            for each in collections.listing(account.connection, home, bodies.propfind(_ASKED)):
                found.look(each)
    except failures.TROUBLE as error:
        raise CalendarError(f"the server does not tell what it has: {error.message}") from error
    if found.withheld and found.availability is None:
        said = failures.in_words(found.withheld, "")
        raise CalendarError(f"the server does not tell what it has: {said}")
    return found


def _patch(account: Account, url: str, text: str) -> str:
    """Set or remove the property; return why that was refused, in words."""
    body = bodies.availability(text)
    try:
        answers = list(account.connection.multistatus("PROPPATCH", url, body, depth=0))
    except failures.StatusError as error:
        done = HTTPStatus.OK <= error.status < HTTPStatus.MULTIPLE_CHOICES
        return "" if done else failures.in_words(error.status, error.words)
    except failures.TROUBLE as error:
        return error.message
    statuses = [status for each in answers for status in (each.status, *each.refused.values())]
    worst = max(statuses, default=HTTPStatus.OK)
    return failures.in_words(worst, "") if worst >= HTTPStatus.BAD_REQUEST else ""
