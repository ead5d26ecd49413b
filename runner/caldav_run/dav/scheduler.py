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
        profile=account.profile, offered=_is_offered(account), addresses=_addresses(account)
    )


def _is_offered(account: Account) -> bool:
    with account.connection.send("OPTIONS", account.homes[0]) as reply:
        if reply.status not in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
            return True
        classes = {each.strip().lower() for each in reply.header("DAV").split(",")}
    return classes == {""} or not _OFFERS.isdisjoint(classes)


def _addresses(account: Account) -> frozenset[str] | None:
    if account.principal is None:
        return None
    asked = bodies.propfind([names.CALENDAR_USER_ADDRESS_SET])
    try:
        found = describe(account.connection, account.principal, asked)
    except (failures.StatusError, failures.MalformedAnswerError):
        return None
    element = found.properties.get(names.CALENDAR_USER_ADDRESS_SET)
    hrefs = () if element is None else element.iterfind(names.HREF)
    return frozenset((each.text or "").strip().lower().removeprefix("mailto:") for each in hrefs)
