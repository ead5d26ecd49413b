"""Accounts of a Nextcloud that runs in a container."""

import json
import secrets
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from tests.integration.servers.containers import Started
from tests.integration.servers.description import Description
from tests.integration.servers.raw import Answer, Raw

from caldav_run.testing.servers import Server

_OCS = {"OCS-APIRequest": "true", "Content-Type": "application/x-www-form-urlencoded"}


# Calendars in an hour and in all; the welcome of a new account would be among the mails.
_SETTINGS: Final = (
    ("dav", "rateLimitCalendarCreation", "--type=integer", "--value=100000"),
    ("dav", "maximumCalendarsSubscriptions", "--type=integer", "--value=-1"),
    ("core", "newUser.sendEmail", "--value=no"),
)
MAIL: Final = {"SMTP_HOST": "127.0.0.1", "MAIL_FROM_ADDRESS": "cloud", "MAIL_DOMAIN": "example.org"}
"""The environment that makes it mail to its own port 25."""


def prepare(server: Started) -> None:
    """Let an account make more than ten calendars an hour, and welcome nobody."""
    for setting in _SETTINGS:
        command = ("php", "/var/www/html/occ", "config:app:set", *setting)
        server.run(*command, user="www-data")


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
        # Only who has an address organises anything.
        address = urlencode({"key": "email", "value": f"{name}@example.org"}).encode()
        _send(admin, "PUT", f"/ocs/v2.php/cloud/users/{name}", address)
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
