"""Fetch one published calendar: bounded, and with the credentials kept at their origin."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from caldav_run.dav.failures import in_words, translate
from caldav_run.dav.origin import Origin
from caldav_run.dav.reply import Reply
from caldav_run.dav.session import leave_redirects
from caldav_run.errors import AccessError, ConnectorError, SetupError, TemporaryError
from caldav_run.secret import Secret

if TYPE_CHECKING:
    import niquests

MAX_REDIRECTS: Final = 5
_TIMEOUT_S: Final = 60.0
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_REFUSED: Final = frozenset({401, 403})
_BUSY: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Where a published calendar is.

    Attributes:
        url: Its address; `webcal` means https.
        username: The user, where the server asks for one.
        password: The user's password.
        insecure: Whether http is allowed beyond this machine.
        limit: The most bytes to take.
    """

    url: str
    username: str | None = None
    password: Secret | None = None
    insecure: bool = False
    limit: int

    @property
    def shown(self) -> str:
        """The server, as messages may show it: path and query of a private address are secret."""
        return _shown(self.url)

    def check(self) -> None:
        """Check the address without connecting.

        Raises:
            SetupError: It is no web address, holds credentials, or would send them in clear.
        """
        home = Origin.of(self._start())
        if "@" in urlsplit(self.url).netloc:
            raise SetupError(
                f"{self.shown}: credentials stand in the URL",
                mend="use `username` and `password`",
            )
        if not self._protected(home, home):
            raise SetupError(
                f"{self.shown} is not encrypted",
                mend="write https, or `insecure: true` if everyone on the way may read it",
            )

    def fetch(self) -> bytes:
        """Return the calendar's bytes, following redirects.

        Raises:
            AccessError: The server refuses the credentials, or asks for some.
            TemporaryError: The server cannot be reached or is busy.
            ConnectorError: The server answers something else, or more than the limit.
        """
        import niquests

        home = Origin.of(self._start())
        url = self._start()
        with niquests.Session() as session:
            # No proxy, .netrc or certificate bundle that the pipeline does not name.
            session.trust_env = False
            leave_redirects(session)
            for _ in range(MAX_REDIRECTS + 1):
                own = Origin.of(url) == home
                try:
                    with self._ask(session, url, with_credentials=own) as answer:
                        location = answer.headers.get("Location")
                        if answer.status_code not in _MOVED or not location:
                            return self._body(answer, _shown(url))
                except (niquests.exceptions.RequestException, ValueError) as error:
                    raise translate(error, _shown(url), _TIMEOUT_S) from error
                url = self._following(url, location, home)
        raise ConnectorError(f"{self.shown} redirects more than {MAX_REDIRECTS} times")

    def _following(self, url: str, location: str, home: Origin) -> str:
        try:
            following = urljoin(url, location)
            origin = Origin.of(following)
        except (ValueError, SetupError):
            # What is wrong with the address is not said: that would show it.
            raise ConnectorError(f"{_shown(url)} leads to what is no web address") from None
        if not self._protected(origin, home):
            raise ConnectorError(
                f"{_shown(url)} leads to {_shown(following)}, which is not encrypted"
            )
        return following

    def _start(self) -> str:
        scheme, colon, rest = self.url.partition(":")
        return f"https:{rest}" if scheme == "webcal" else f"{scheme}{colon}{rest}"

    def _protected(self, origin: Origin, home: Origin) -> bool:
        # A server elsewhere must not be able to point at a port of this machine.
        local = origin.loopback and home.loopback
        return origin.scheme == "https" or local or self.insecure

    def _ask(
        self, session: "niquests.Session", url: str, *, with_credentials: bool
    ) -> "niquests.Response":
        auth = None
        if with_credentials and self.username is not None and self.password is not None:
            auth = (self.username, self.password.reveal())
        return session.get(
            url,
            auth=auth,
            allow_redirects=False,
            stream=True,
            timeout=_TIMEOUT_S,
            headers={"Accept": "text/calendar, */*;q=0.1"},
        )

    def _body(self, answer: "niquests.Response", shown: str) -> bytes:
        _raise_for_status(int(answer.status_code or 0), shown)
        reply = Reply(answer, "GET", _TIMEOUT_S)
        reply.url = shown
        data = bytearray()
        for chunk in reply.chunks():
            data += chunk
            if len(data) > self.limit:
                raise ConnectorError(f"{shown} is larger than {self.limit >> 20} MiB")
        return bytes(data)


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"


def _raise_for_status(status: int, shown: str) -> None:
    if status == HTTPStatus.OK:
        return
    said = in_words(status, "")
    if status in _REFUSED:
        raise AccessError(
            f"{shown} refuses access: {said}",
            mend="check `username` and `password`, and whether it is still published",
        )
    if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise TemporaryError(f"{shown} cannot answer: {said}", mend="try again later")
    raise ConnectorError(f"{shown} has no calendar: {said}")
