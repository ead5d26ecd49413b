"""What a server says of its scheduling (RFC 6638), asked once for an account."""

from http import HTTPStatus
from typing import Final

from caldav_run.dav import bodies, failures, names
from caldav_run.dav.discovery import Account, describe
from caldav_run.dav.scheduling import Scheduler

# The second is what drafts of the standard called it.
_OFFERS: Final = frozenset({"calendar-auto-schedule", "calendar-schedule"})


def ask(account: Account) -> Scheduler:
    """Ask whether the server schedules, and whether it knows who the user is.

    What it does not say clearly counts as a yes.

    Raises:
        ConnectorError: The server cannot be reached, or refuses the credentials.
    """
    return Scheduler(
        profile=account.profile, offered=_is_offered(account), addressed=_is_addressed(account)
    )


def _is_offered(account: Account) -> bool:
    with account.connection.send("OPTIONS", account.homes[0]) as reply:
        if reply.status not in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
            return True
        classes = {each.strip().lower() for each in reply.header("DAV").split(",")}
    return classes == {""} or not _OFFERS.isdisjoint(classes)


def _is_addressed(account: Account) -> bool:
    if account.principal is None:
        return True
    asked = bodies.propfind([names.CALENDAR_USER_ADDRESS_SET])
    try:
        found = describe(account.connection, account.principal, asked)
    except (failures.StatusError, failures.MalformedAnswerError):
        return True
    element = found.properties.get(names.CALENDAR_USER_ADDRESS_SET)
    return element is not None and element.find(names.HREF) is not None
