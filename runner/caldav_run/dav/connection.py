"""HTTP for CalDAV: one account's requests, their redirects, retries, and the XML they answer."""

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from time import monotonic
from time import sleep as pause
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from caldav_run.dav import busy, failures, multistatus, session, ways
from caldav_run.dav.failures import LeadsAwayError
from caldav_run.dav.origin import Origin, Trust
from caldav_run.dav.reply import Reply
from caldav_run.dav.session import Client
from caldav_run.dav.settings import Auth, Settings
from caldav_run.errors import AccessError, SetupError

if TYPE_CHECKING:
    from http.cookiejar import Cookie

MAX_HOPS: Final = 5
# Connections share a token, and the next one may have ended, too, when it is one's turn.
_SIGN_INS: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 307, 308})
# What may be asked again when no answer came, since asking twice does what asking once does.
_REPEATABLE: Final = frozenset({"GET", "PROPFIND", "REPORT"})
_WAITS_S: Final = (1.0, 4.0)
_XML: Final = {"Content-Type": "application/xml; charset=utf-8"}


class Exchange(NamedTuple):
    """One request and how it was answered.

    Attributes:
        method: The HTTP method.
        url: What was asked for.
        status: The status; 0 where no answer came.
        seconds: How long it took until the answer began.
    """

    method: str
    url: str
    status: int
    seconds: float


Watch = Callable[[Exchange], None]


class Connection:
    """One client of one account. Not for use by several threads at once.

    Args:
        settings: What to connect with.
        base: The URL that the service was found at; its origin is what the credentials are for.
        anonymous: Whether to ask without credentials, and then wherever a redirect leads.
        watch: Is told of every request.

    Attributes:
        profile: The name of the profile that the settings choose, if any.
        signs: What the last multistatus says of the software that gave it, in lower case: the
            headers by which servers are told apart, the one of DAV classes between equals signs.
    """

    def __init__(
        self,
        settings: Settings,
        base: str | None = None,
        *,
        anonymous: bool = False,
        watch: Watch | None = None,
    ) -> None:
        """Open no connection yet; that happens with the first request."""
        self.base = base or settings.base
        self.trust: Trust = settings.trust_for(self.base)
        self.username = settings.username
        self.profile = settings.profile
        self.signs = ""
        self._settings = settings
        self._anonymous = anonymous
        self._watch = watch
        self._opened: Client | None = None
        self._token = ""
        # Those after the last answer: the session's own may be changing while a sibling is made.
        self._cookies: tuple[Cookie, ...] = ()

    def send(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Send a request, follow its redirects, and wait where the server asks for it.

        Raises:
            UnreachableError: No connection can be made.
            InterruptedAnswerError: No answer came.
            AccessError: The credentials are refused.
            ConnectorError: TLS fails, or the answer leads where the credentials must not go.
        """
        for wait_s in _WAITS_S:
            try:
                reply = self._follow(method, url, body, headers or {})
            except failures.AnswerTimeoutError:
                raise
            except failures.InterruptedAnswerError:
                if method not in _REPEATABLE:
                    raise
                pause(wait_s)
                continue
            asked_s = busy.wait_s(reply, wait_s)
            if asked_s is None:
                return reply
            reply.close()
            pause(asked_s)
        return self._follow(method, url, body, headers or {})

    def sibling(self) -> "Connection":
        """Return another client of the same account, signed in the same way, for another thread."""
        made = Connection(self._settings, self.base, anonymous=self._anonymous)
        if self._opened is not None:
            made._client().sign_in_alike(self._opened.kind, self._cookies)
        return made

    def multistatus(
        self,
        method: str,
        url: str,
        body: bytes,
        depth: int = 1,
        about: dict[str, str] | None = None,
    ) -> Iterator[multistatus.Response]:
        """Yield the responses of a PROPFIND, REPORT or PROPPATCH while they arrive.

        Args:
            method: The method.
            url: Where to.
            body: What to ask.
            depth: The Depth header.
            about: See `multistatus.parse`.

        Raises:
            StatusError: The answer is no multistatus.
            MalformedAnswerError: The answer is no XML.
            ConnectorError: See `send`.
        """
        with self.send(method, url, body, {**_XML, "Depth": str(depth)}) as reply:
            if reply.status != HTTPStatus.MULTI_STATUS:
                raise reply.error()
            chunks = multistatus.without_controls(reply.chunks())
            yield from multistatus.parse(chunks, reply.url, about)

    def answer(self, method: str, url: str, body: bytes) -> bytes:
        """Return a whole multistatus of Depth 1, for `multistatus.parse`.

        Raises:
            StatusError: The answer is no multistatus.
            MalformedAnswerError: It is too long to be held.
            ConnectorError: See `send`.
        """
        with self.send(method, url, body, {**_XML, "Depth": "1"}) as reply:
            if reply.status != HTTPStatus.MULTI_STATUS:
                raise reply.error()
            return reply.read()

    def close(self) -> None:
        """Let go of the session; safe to call twice."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _follow(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        self._check(url, url)
        current = url
        for _ in range(MAX_HOPS + 1):
            reply = self._ask(method, current, body, headers)
            if reply.status not in _REDIRECTS:
                return reply
            with reply:
                following = reply.leads_to()
            self._check(following, current)
            current = following
        raise LeadsAwayError(f"{url} redirects more than {MAX_HOPS} times")

    def _check(self, url: str, came_from: str) -> None:
        """Stop before credentials go where the user did not send them."""
        try:
            origin = Origin.of(url)
        except SetupError as error:
            raise LeadsAwayError(f"{came_from} leads to something else: {error}") from error
        if not self.trust.protected(origin):
            raise LeadsAwayError(
                f"{came_from} leads to {origin}, which is not encrypted",
                mend="write the https:// address of the service itself as url",
            )
        if self._anonymous or self.trust.allows(url):
            return
        host = str(origin).partition("://")[2]
        raise LeadsAwayError(
            f"{came_from} leads to another server, {origin}, which did not get the password",
            mend=f"if that is right, add: trust_hosts: [{host}]",
        )

    def _ask(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        reply = self._exchange(method, url, body, headers)
        if reply.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            reply.close()
            raise ways.proxy_refused(url)
        if self._anonymous:
            return reply
        for _ in range(_SIGN_INS):
            if reply.status != HTTPStatus.UNAUTHORIZED or not self._sign_in_anew(reply):
                break
            reply = self._exchange(method, url, body, headers)
        if reply.status == HTTPStatus.UNAUTHORIZED:
            with reply:
                raise self._refused(reply)
        if self._settings.oauth2 is not None:
            self._settings.oauth2.accepted(self._token)
        return reply

    def _exchange(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        from niquests.exceptions import RequestException

        client = self._client()
        begun = monotonic()
        try:
            response = client.session.request(
                method,
                url,
                data=body,
                headers=dict(headers),
                auth=self._authorization(client),
                timeout=self._settings.timeout_s,
                verify=client.verify,
                allow_redirects=False,
                stream=True,
            )
        except (RequestException, ValueError) as error:
            self._tell(method, url, 0, begun)
            raise failures.translate(error, url, self._settings.timeout_s) from error
        self._cookies = tuple(client.session.cookies)
        reply = Reply(response, method, self._settings.timeout_s)
        if reply.status == HTTPStatus.MULTI_STATUS:
            self.signs = _signs(reply)
        self._tell(method, url, reply.status, begun)
        reply.look_for_limits()
        return reply

    def _tell(self, method: str, url: str, status: int, begun: float) -> None:
        if self._watch is not None:
            self._watch(Exchange(method, url, status, monotonic() - begun))

    def _client(self) -> Client:
        if self._opened is None:
            self._opened = session.open_client(self._settings, anonymous=self._anonymous)
        return self._opened

    def _authorization(self, client: Client) -> Any:
        """Return what signs the next request in, as the HTTP library takes it."""
        oauth2 = self._settings.oauth2
        if oauth2 is None or self._anonymous:
            return client.auth
        # The library sends a text as a bearer token.
        self._token = oauth2.bearer()
        return self._token

    def _sign_in_anew(self, reply: Reply) -> bool:
        """Return whether to ask once more: by Digest, or with another token."""
        if self._settings.oauth2 is None and not self._change_to_digest(reply):
            return False
        with reply:
            return self._settings.oauth2 is None or self._settings.oauth2.renew(self._token)

    def _change_to_digest(self, reply: Reply) -> bool:
        """Sign in by Digest from now on, where that is what the server asks for."""
        from caldav.lib.auth import extract_auth_types

        client = self._client()
        offered = extract_auth_types(reply.header("WWW-Authenticate"))
        wanted = self._settings.auth is Auth.AUTO and client.kind is Auth.BASIC
        if not wanted or Auth.DIGEST not in offered:
            return False
        client.sign_in_by(Auth.DIGEST)
        return True

    def _refused(self, reply: Reply) -> AccessError:
        if (oauth2 := self._settings.oauth2) is not None:
            return AccessError(f"{reply.url} refuses a new token", mend=oauth2.login.mend)
        if self._settings.password is None:
            return AccessError(f"{reply.url} asks for a login", mend="set username and password")
        who = self._settings.username or "the token"
        return AccessError(
            f"{reply.url} refuses the password of {who!r}",
            mend="check username and password; many services want an app password here",
        )


def _signs(reply: Reply) -> str:
    software = (reply.header(name) for name in ("Server", "X-DAViCal-Version"))
    return f"{' '.join(software)} ={reply.header('DAV')}=".lower()
