"""What goes to a provider and what comes back: forms and JSON."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from caldav_run.dav import failures, session
from caldav_run.dav.reply import Reply
from caldav_run.dav.transport import Proxy, authorities
from caldav_run.errors import AccessError, ConnectorError, TemporaryError

if TYPE_CHECKING:
    from niquests import Session

    from caldav_run.dav.oauth2.provider import Client, Endpoints

_ANSWER_LIMIT: Final = 1024 * 1024
_PASSING: Final = frozenset({"temporarily_unavailable", "server_error"})

Answer = Mapping[str, Any]
"""A JSON object, as the provider gave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How a provider is reached.

    Attributes:
        timeout_s: How long to wait for an answer.
        ca_file: Certificates to trust instead of the system's.
        proxy: What every request goes through.
    """

    timeout_s: float = 60.0
    ca_file: Path | None = None
    proxy: Proxy | None = None


class RefusalError(AccessError):
    """The provider says no, with a code of RFC 6749 section 5.2 or RFC 8628 section 3.5.

    Args:
        url: Who says so.
        code: Its code.
        words: Its description; may be empty.
    """

    def __init__(self, url: str, code: str, words: str) -> None:
        """Keep the code, which callers decide by."""
        self.code = code
        said = f"{code}: {words}" if words else code
        mend = "check client_id and client_secret" if "client" in code else None
        super().__init__(f"{url} refuses: {said}", mend=mend)


def post(
    url: str, form: Mapping[str, str], client: "Client", endpoints: "Endpoints", network: Network
) -> Answer:
    """Send a form as this client, and return the answer.

    Raises:
        RefusalError: The provider says no.
        TemporaryError: It cannot be reached, or is busy.
        ConnectorError: It answers something else.
    """
    from urllib.parse import urlencode

    from authlib.oauth2.auth import ClientAuth

    secret = client.client_secret
    way = ClientAuth(
        client.client_id,
        None if secret is None else secret.reveal(),
        "none" if secret is None else endpoints.secret_in,
    )
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    # It fills the headers in.
    target, headers, body = way.prepare("POST", url, headers, urlencode(form))
    with _opened(network) as opened, _told(url, network):
        answer = opened.post(target, data=body, headers=headers, **_bounds(network))
        return _meaning(Reply(answer, "POST", network.timeout_s), url)


def get(url: str, network: Network) -> Answer | None:
    """Return a JSON object; None where there is none.

    Raises:
        TemporaryError: The provider cannot be reached, or is busy.
    """
    with _opened(network) as opened, _told(url, network):
        given = opened.get(url, headers={"Accept": "application/json"}, **_bounds(network))
        answer = Reply(given, "GET", network.timeout_s)
        if answer.status == HTTPStatus.OK:
            return _object(answer)
        _raise_if_busy(answer, url)
        return None


def _meaning(answer: Reply, url: str) -> Answer:
    _raise_if_busy(answer, url)
    found = _object(answer)
    code = None if found is None else found.get("error")
    if isinstance(code, str):
        words = failures.shorten(str((found or {}).get("error_description", "")))
        if code in _PASSING:
            raise TemporaryError(f"{url} cannot answer now: {code}", mend="try again later")
        raise RefusalError(url, failures.shorten(code), words)
    status = answer.status
    if status == HTTPStatus.OK:
        return found or {}
    raise ConnectorError(
        f"{url} is no OAuth2 endpoint: it answers {failures.in_words(status, '')}",
        mend="check the endpoints or issuer below oauth2",
    )


def _raise_if_busy(answer: Reply, url: str) -> None:
    status = answer.status
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise TemporaryError(
            f"{url} is busy: {failures.in_words(status, '')}", mend="try again later"
        )


def _object(answer: Reply) -> Answer | None:
    try:
        found = json.loads(answer.read(_ANSWER_LIMIT))
    except (ValueError, RecursionError, failures.MalformedAnswerError):
        return None
    return found if isinstance(found, dict) else None


def _bounds(network: Network) -> dict[str, Any]:
    # Where a provider leads to is not followed: forms hold secrets.
    verify = True if network.ca_file is None else authorities(network.ca_file)
    return {
        "timeout": network.timeout_s,
        "verify": verify,
        "allow_redirects": False,
        "stream": True,
    }


@contextmanager
def _opened(network: Network) -> "Iterator[Session]":
    from niquests import Session

    with Session() as opened:
        session.prepare(opened, network.proxy)
        yield opened


@contextmanager
def _told(url: str, network: Network) -> Iterator[None]:
    from niquests.exceptions import RequestException

    try:
        yield
    except RequestException as error:
        raise failures.translate(error, url, network.timeout_s) from error
