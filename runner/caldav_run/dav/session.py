"""The HTTP library's session of one account, signed in, and shut to the environment."""

from copy import copy
from typing import TYPE_CHECKING

import caldav_run
from caldav_run.dav.origin import Origin
from caldav_run.dav.settings import Auth, Settings
from caldav_run.dav.transport import Proxy, authorities, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable
    from http.cookiejar import Cookie

    from niquests import Response, Session
    from niquests.auth import AuthBase


class Client:
    """A session, and what signs its requests in; for one thread.

    Attributes:
        session: The library's session.
        verify: What the server's certificate is held against.
        kind: How requests are signed in; None without credentials.
        auth: What signs them in, as the library takes it.
    """

    def __init__(self, session: "Session", settings: Settings, *, anonymous: bool) -> None:
        """Sign in as the settings say."""
        self.session = session
        self.verify = _believed(settings)
        self.kind: Auth | None = None
        self.auth: AuthBase | str | None = None
        self._settings = settings
        if settings.password is not None and not anonymous:
            # Unasked: Cyrus answers 207 with nothing in it to who is not signed in.
            self.sign_in_by(Auth.BASIC if settings.auth is Auth.AUTO else settings.auth)

    def sign_in_by(self, kind: Auth) -> None:
        """Sign in otherwise from now on; a Digest begins anew."""
        from niquests.auth import HTTPBasicAuth, HTTPDigestAuth

        word = self._settings.password.reveal() if self._settings.password else ""
        self.kind = kind
        if kind is Auth.BEARER:
            # The library sends a text as a bearer token.
            self.auth = word
        else:
            sign = HTTPDigestAuth if kind is Auth.DIGEST else HTTPBasicAuth
            self.auth = sign(self._settings.username or "", word)

    def sign_in_alike(self, kind: Auth | None, cookies: "Iterable[Cookie]") -> None:
        """Sign in as another client of the same account does by now."""
        for cookie in cookies:
            self.session.cookies.set_cookie(copy(cookie))  # type: ignore[no-untyped-call]
        if kind is not None and kind is not self.kind:
            self.sign_in_by(kind)

    def close(self) -> None:
        """Let go of the session."""
        self.session.close()


def open_client(settings: Settings, *, anonymous: bool) -> Client:
    """Make a client; it connects with the first request.

    Args:
        settings: What to connect with.
        anonymous: Whether to ask without credentials.

    Raises:
        SetupError: Client certificate, `ca_file` or proxy cannot be used.
    """
    from niquests import Session

    # HTTP/3 is another stack, around proxies as well: what is promised is proven without it.
    promised = settings.tls_fingerprint or settings.client_certificate or settings.proxy
    session = Session(disable_http3=bool(promised))
    prepare(session, settings.proxy)
    if Origin.of(settings.base).loopback and settings.proxy is None:
        # Nothing is slower on this machine than to compress what it says to itself.
        session.headers["Accept-Encoding"] = "identity"
    if settings.client_certificate is not None and not anonymous:
        session.cert = settings.client_certificate.for_session()
    return Client(session, settings, anonymous=anonymous)


def prepare(session: "Session", proxy: Proxy | None) -> None:
    """Shut a session to the environment, and have it go through this proxy.

    Raises:
        SetupError: The proxy cannot be used.
    """
    # No .netrc, no proxy or certificate bundle from the environment.
    session.trust_env = False
    leave_redirects(session)
    session.headers["User-Agent"] = f"caldav-run/{caldav_run.__version__}"
    session.headers["Accept"] = "*/*"
    if proxy is not None:
        session.proxies = dict(proxy.for_session())


def leave_redirects(session: "Session") -> None:
    """Keep a session from looking at redirects, which callers follow themselves.

    The library looks at where each leads though it is not to follow it, and reads all of the
    answer before, however long that is.
    """
    session.get_redirect_target = _nowhere  # type: ignore[method-assign]


def _nowhere(resp: "Response") -> str | None:
    del resp
    return None


def _believed(settings: Settings) -> bool | str:
    """Return what the server's certificate is held against, as the HTTP library takes it."""
    if settings.tls_fingerprint is not None:
        return f"sha256_{fingerprint(settings.tls_fingerprint)}"
    return True if settings.ca_file is None else authorities(settings.ca_file)
