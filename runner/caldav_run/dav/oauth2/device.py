"""Logging in with a browser on any other device (RFC 8628)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from time import sleep as pause
from typing import Any, Final

from caldav_run.dav.failures import InterruptedAnswerError, UnreachableError
from caldav_run.dav.oauth2 import wire
from caldav_run.dav.oauth2.access import Login
from caldav_run.dav.oauth2.grant import Grant
from caldav_run.dav.oauth2.provider import Endpoints
from caldav_run.dav.oauth2.wire import RefusalError
from caldav_run.errors import AccessError, ConnectorError, SetupError, TemporaryError
from caldav_run.secret import hide

_GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:device_code"
_INTERVAL_S: Final = 5.0
_SLOWER_S: Final = 5.0
_LONGEST_S: Final = 1800.0


@dataclass(frozen=True, slots=True)
class Shown:
    """What the person needs.

    Attributes:
        address: What to open.
        code: What to enter there.
        complete: An address that holds the code already; None where there is none.
    """

    address: str
    code: str
    complete: str | None


def log_in(login: Login, show: Callable[[Shown], None]) -> Grant:
    """Have a person allow it on another device, and return the tokens.

    Args:
        login: Who is asked.
        show: Is told what the person needs.

    Raises:
        AccessError: It is not allowed.
        TemporaryError: Nobody answers in time, or the provider cannot be reached.
        SetupError: The provider offers no login by device.
    """
    endpoints = login.client.endpoints(login.network)
    if endpoints.device_url is None:
        raise SetupError(
            f"{login.client.name} has no login by device",
            mend="log in with a browser; on a machine without one with --paste",
        )
    form = {"scope": " ".join(login.client.scopes)} if login.client.scopes else {}
    begun = wire.post(endpoints.device_url, form, login.client, endpoints, login.network)
    code, shown = _shown(begun, endpoints.device_url)
    hide([code])
    show(shown)
    interval_s = _seconds(begun.get("interval"), _INTERVAL_S)
    lifetime_s = min(_LONGEST_S, _seconds(begun.get("expires_in"), _LONGEST_S))
    return _polled(login, endpoints, code, interval_s, lifetime_s)


def _polled(
    login: Login, endpoints: Endpoints, code: str, interval_s: float, lifetime_s: float
) -> Grant:
    form = {"grant_type": _GRANT_TYPE, "device_code": code}
    waited_s = 0.0
    while waited_s < lifetime_s:
        pause(interval_s)
        waited_s += interval_s
        try:
            given = wire.post(endpoints.token_url, form, login.client, endpoints, login.network)
        except RefusalError as refusal:
            interval_s += _longer(refusal)
        except (UnreachableError, InterruptedAnswerError):
            interval_s *= 2  # section 3.5
        else:
            return Grant.of_answer(given, time.time())
    raise TemporaryError("nobody entered the code in time", mend="start the login again")


def _longer(refusal: RefusalError) -> float:
    """Return by how much longer to wait from now on.

    Raises:
        AccessError: It is not allowed.
        TemporaryError: The code has ended.
    """
    if refusal.code == "authorization_pending":
        return 0.0
    if refusal.code == "slow_down":
        return _SLOWER_S
    if refusal.code == "expired_token":
        raise TemporaryError("nobody entered the code in time", mend="start the login again")
    if refusal.code == "access_denied":
        raise AccessError("the login was not allowed: access_denied")
    raise refusal


def _shown(begun: wire.Answer, url: str) -> tuple[str, Shown]:
    code, word, address = (
        begun.get(name) for name in ("device_code", "user_code", "verification_uri")
    )
    # Google's own spelling.
    address = address or begun.get("verification_url")
    if not (isinstance(code, str) and isinstance(word, str) and isinstance(address, str)):
        raise ConnectorError(f"{url} begins no login by device: it gives no code")
    complete = begun.get("verification_uri_complete")
    return code, Shown(address, word, complete if isinstance(complete, str) else None)


def _seconds(value: Any, default: float) -> float:
    usable = isinstance(value, int | float) and value > 0
    return float(value) if usable else default
