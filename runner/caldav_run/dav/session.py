"""The HTTP library's session of one account: python-caldav's, shut to the environment."""

from copy import copy
from typing import TYPE_CHECKING, Any

import caldav_run
from caldav_run.dav.settings import Auth, Settings
from caldav_run.dav.transport import Proxy, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable
    from http.cookiejar import Cookie

    from caldav.davclient import DAVClient
    from niquests import Session


def open_client(settings: Settings, base: str, *, anonymous: bool) -> "DAVClient":
    """Make a client; it connects with the first request.

    Args:
        settings: What to connect with.
        base: The URL that the service was found at.
        anonymous: Whether to ask without credentials.

    Raises:
        SetupError: The client certificate or the proxy cannot be used.
    """
    from caldav.davclient import DAVClient

    credentials: dict[str, Any] = {}
    if settings.password is not None and not anonymous:
        # Unasked: Cyrus answers 207 with nothing in it to who is not signed in.
        kind = Auth.BASIC if settings.auth is Auth.AUTO else settings.auth
        credentials = {
            "username": settings.username,
            "password": settings.password.reveal(),
            "auth_type": str(kind),
        }
    client = DAVClient(
        url=base, enable_rfc6764=False, ssl_verify_cert=_believed(settings), **credentials
    )
    if settings.tls_fingerprint or settings.client_certificate or settings.proxy:
        from niquests import Session

        # HTTP/3 is another stack, around proxies as well: what is promised is proven without it.
        client.session.close()
        client.session = Session(disable_http3=True)
    prepare(client.session, settings.proxy)
    if settings.client_certificate is not None and not anonymous:
        client.session.cert = settings.client_certificate.for_session()
    return client


def sign_in_alike(client: "DAVClient", auth_type: str | None, cookies: "Iterable[Cookie]") -> None:
    """Have a client sign in as another one of the same account does by now."""
    for cookie in cookies:
        client.session.cookies.set_cookie(copy(cookie))  # type: ignore[no-untyped-call]
    if client.auth_type != auth_type:
        client.auth_type = auth_type
        client.build_auth_object()


def prepare(session: "Session", proxy: Proxy | None) -> None:
    """Shut a session to the environment, and have it go through this proxy.

    Raises:
        SetupError: The proxy cannot be used.
    """
    # No .netrc, no proxy or certificate bundle from the environment.
    session.trust_env = False
    session.headers["User-Agent"] = f"caldav-run/{caldav_run.__version__}"
    session.headers["Accept"] = "*/*"
    if proxy is not None:
        session.proxies = dict(proxy.for_session())


def _believed(settings: Settings) -> bool | str:
    """Return what the server's certificate is held against, as the HTTP library takes it."""
    if settings.tls_fingerprint is not None:
        return f"sha256_{fingerprint(settings.tls_fingerprint)}"
    return True if settings.ca_file is None else str(settings.ca_file)
