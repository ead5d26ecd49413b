"""Logging in with a browser on this machine: authorization code, PKCE, loopback (RFC 8252)."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Final
from urllib.parse import parse_qs, urlsplit

from caldav_run.dav.oauth2 import wire
from caldav_run.dav.oauth2.access import Login
from caldav_run.dav.oauth2.grant import Grant
from caldav_run.dav.oauth2.provider import Endpoints
from caldav_run.errors import AccessError, SetupError, TemporaryError
from caldav_run.secret import hide

WAIT_S: Final = 600.0
"""How long a person may take to allow it."""

_VERIFIER_BYTES: Final = 48
_PAGE: Final = (
    b"<!doctype html><title>caldav-run</title><p>caldav-run has its answer: see the terminal. "
    b"This window can be closed.\n"
)


def log_in(login: Login, show: Callable[[str], None], wait_s: float = WAIT_S) -> Grant:
    """Have a person allow it in a browser, and return the tokens.

    Args:
        login: Who is asked.
        show: Is told the address that the person must open.
        wait_s: How long to wait for the person.

    Raises:
        AccessError: It is not allowed, or the answer belongs to something else.
        TemporaryError: Nobody answers, or the provider cannot be reached.
        SetupError: The provider offers no login by browser.
    """
    with _listening() as server:
        return _exchange(
            login, f"http://127.0.0.1:{server.server_port}/", show, server.wait, wait_s
        )


def log_in_by_hand(login: Login, show: Callable[[str], None], ask: Callable[[], str]) -> Grant:
    """Do the same with a browser on another machine, whose last address is pasted.

    Args:
        login: Who is asked.
        show: Is told the address that the person must open.
        ask: Returns the address that the browser could not open at the end.
    """
    # Nobody listens there: the browser shows an error, and the answer in its address bar.
    return _exchange(login, "http://127.0.0.1:1/", show, lambda _: ask().strip(), 0)


def _exchange(
    login: Login,
    back: str,
    show: Callable[[str], None],
    answer: Callable[[float], str],
    wait_s: float,
) -> Grant:
    endpoints = login.client.endpoints(login.network)
    verifier, state = secrets.token_urlsafe(_VERIFIER_BYTES), secrets.token_urlsafe()
    show(_address(login, endpoints, back, verifier, state))
    code = _code(answer(wait_s), state, endpoints)
    hide([verifier, code])
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "code_verifier": verifier,
    }
    given = wire.post(endpoints.token_url, form, login.client, endpoints, login.network)
    return Grant.of_answer(given, time.time())


def _address(login: Login, endpoints: Endpoints, back: str, verifier: str, state: str) -> str:
    from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    if endpoints.authorize_url is None:
        raise SetupError(
            f"{login.client.name} has no login by browser",
            mend="write authorize_url below oauth2, or log in with --device",
        )
    address: str = prepare_grant_uri(
        endpoints.authorize_url,
        client_id=login.client.client_id,
        response_type="code",
        redirect_uri=back,
        scope=list(login.client.scopes),
        state=state,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
        **endpoints.asked,
    )
    return address


def _code(address: str, state: str, endpoints: Endpoints) -> str:
    """Return the code in the address that the provider led to.

    Raises:
        AccessError: There is none, or it is an answer to somebody else's question.
    """
    found = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    if not secrets.compare_digest(found.get("state", "").encode(), state.encode()):
        raise AccessError(
            "the answer does not belong to this login: its state is another one",
            mend="log in again, and open only the address shown",
        )
    # A provider that names itself must be the one that was asked (RFC 9207 section 2.4).
    if endpoints.issuer and found.get("iss", endpoints.issuer) != endpoints.issuer:
        raise AccessError(f"the answer comes from another provider: {found['iss']}")
    if "error" in found:
        words = found.get("error_description", "")
        said = f"{found['error']}: {words}" if words else found["error"]
        raise AccessError(f"the login was not allowed: {said}")
    if "code" not in found:
        raise AccessError("the answer holds no code", mend="log in again")
    return found["code"]


class _Listener(HTTPServer):
    """Waits on this machine for the browser to come back."""

    came_to: str | None = None

    def wait(self, wait_s: float) -> str:
        """Return the address that the browser came to.

        Raises:
            TemporaryError: It did not come.
        """
        limit = time.monotonic() + wait_s
        while self.came_to is None:
            self.timeout = limit - time.monotonic()
            if self.timeout <= 0:
                raise TemporaryError(
                    f"nobody logged in within {wait_s:g} s", mend="start the login again"
                )
            self.handle_request()
        return self.came_to

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a browser may break a connection off, and come again."""


class _Handler(BaseHTTPRequestHandler):
    # A browser that connects and says nothing must not hold the login up.
    timeout = 5
    server: _Listener

    def do_GET(self) -> None:
        """Keep the answer; anything else, such as an icon, is not there."""
        asked = parse_qs(urlsplit(self.path).query)
        if asked.keys().isdisjoint({"code", "error", "state"}):
            self.send_error(404)
            return
        self.server.came_to = self.path
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(_PAGE)))
        self.end_headers()
        self.wfile.write(_PAGE)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing: the path holds the code."""


@contextmanager
def _listening() -> Iterator[_Listener]:
    with _Listener(("127.0.0.1", 0), _Handler) as server:
        yield server
