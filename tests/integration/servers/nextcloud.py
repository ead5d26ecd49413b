"""Accounts of a Nextcloud that runs in a container."""

import json
import secrets
from collections.abc import Callable
from urllib.parse import urlencode

from tests.integration.servers.containers import Started
from tests.integration.servers.description import Description
from tests.integration.servers.raw import Answer, Raw

from caldav_run.testing.servers import Server

_OCS = {"OCS-APIRequest": "true", "Content-Type": "application/x-www-form-urlencoded"}


_LIMITS = {"rateLimitCalendarCreation": "100000", "maximumCalendarsSubscriptions": "-1"}


def lift_limits(server: Started) -> None:
    """Let an account make more than ten calendars an hour, and have more than thirty."""
    for name, value in _LIMITS.items():
        server.run(
            *("php", "/var/www/html/occ", "config:app:set", "dav", name),
            *("--type=integer", f"--value={value}"),
            user="www-data",
        )


def account_maker(description: Description, url: str, password: str) -> Callable[[str], Server]:
    """Return what makes accounts, with the administrator's password.

    They get an app password: a login password costs 0.4 s on every request.
    """
    admin = description.server(url, "admin", password)

    def new_account(name: str) -> Server:
        login = secrets.token_urlsafe(24)
        form = urlencode({"userid": name, "password": login}).encode()
        # An account is there also where the picture that it gets could not be drawn, which is
        # answered with 500: whether it is, the next request shows.
        _send(admin, "POST", "/ocs/v2.php/cloud/users", form)
        found = _ask(description.server(url, name, login), "GET", "/ocs/v2.php/core/getapppassword")
        data = json.loads(found)["ocs"]["data"]
        return description.server(url, name, data["apppassword"])

    return new_account


def _ask(account: Server, method: str, path: str) -> bytes:
    answer = _send(account, method, path)
    assert answer.good, f"{method} {path}: {answer}"
    return answer.body


def _send(account: Server, method: str, path: str, form: bytes = b"") -> Answer:
    with Raw(account) as raw:
        return raw.send(method, f"{path}?format=json", form, _OCS)
