"""Fetch one published calendar: bounded, and with the credentials kept at their origin."""

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urljoin, urlsplit

from caldav_run.errors import AccessError, ConnectorError, SetupError, TemporaryError
from caldav_run.secret import Secret

if TYPE_CHECKING:
    import niquests

MAX_REDIRECTS: Final = 5
_TIMEOUT_S: Final = 60.0
_CHUNK_BYTES: Final = 1 << 16
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_REFUSED: Final = frozenset({401, 403, 407})
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

    def check(self) -> None:
        """Check the address without connecting.

        Raises:
            SetupError: It is no web address, holds credentials, or would send them in clear.
        """
        self._check(_split(self.url))

    def fetch(self) -> bytes:
        """Return the calendar's bytes, following redirects.

        Raises:
            SetupError: As `check`.
            AccessError: The server refuses the credentials, or asks for some.
            TemporaryError: The server cannot be reached or is busy.
            ConnectorError: The server answers something else, or more than the limit.
        """
        import niquests

        url = _split(self.url)
        home = _origin(url)
        with niquests.Session() as session:
            # No proxy, .netrc or other credentials that the pipeline does not name.
            session.trust_env = False
            for _ in range(MAX_REDIRECTS + 1):
                self._check(url)
                own = _origin(url) == home
                try:
                    answer = self._get(session, url, with_credentials=own)
                    location = _location(answer)
                    if location is None:
                        _raise_for_status(answer, _shown(url))
                        return self._body(answer, _shown(url))
                    answer.close()
                except niquests.exceptions.SSLError as error:
                    raise ConnectorError(
                        f"{_shown(url)}: the server's certificate is not trusted",
                        mend="check the host's name; the certificate may have expired",
                    ) from error
                except (niquests.exceptions.RequestException, OSError) as error:
                    raise TemporaryError(f"{_shown(url)}: the server cannot be reached") from error
                url = _split(urljoin(url.geturl(), location))
        raise ConnectorError(f"{_shown(url)}: more than {MAX_REDIRECTS} redirects")

    def _get(
        self, session: "niquests.Session", url: SplitResult, *, with_credentials: bool
    ) -> "niquests.Response":
        auth = None
        if with_credentials and self.username is not None and self.password is not None:
            auth = (self.username, self.password.reveal())
        return session.get(
            url.geturl(),
            auth=auth,
            allow_redirects=False,
            stream=True,
            timeout=_TIMEOUT_S,
            headers={"Accept": "text/calendar, */*;q=0.1"},
        )

    def _body(self, answer: "niquests.Response", shown: str) -> bytes:
        data = bytearray()
        with answer:
            for chunk in answer.iter_content(_CHUNK_BYTES):
                data += chunk
                if len(data) > self.limit:
                    raise ConnectorError(f"{shown}: larger than {self.limit >> 20} MiB")
        return bytes(data)

    def _check(self, url: SplitResult) -> None:
        if url.scheme not in _DEFAULT_PORTS or not url.hostname:
            raise SetupError(f"{_shown(url)} is no web address", mend="write https://…")
        if url.username is not None or url.password is not None:
            raise SetupError(
                f"{_shown(url)}: credentials stand in the URL",
                mend="use `username` and `password`",
            )
        if url.scheme == "http" and not (self.insecure or _is_loopback(url.hostname)):
            raise SetupError(
                f"{_shown(url)} is not encrypted",
                mend="write https, or `insecure: true` if everyone on the way may read it",
            )


def shown(url: str) -> str:
    """Return an address as messages may show it: without credentials and query."""
    return _shown(_split(url))


def _shown(url: SplitResult) -> str:
    host = url.netloc.rpartition("@")[2]
    return url._replace(netloc=host, query="", fragment="").geturl()


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise SetupError("`url` is no web address", mend="write https://…") from error
    return parts._replace(scheme="https") if parts.scheme == "webcal" else parts


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or _DEFAULT_PORTS.get(url.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _location(answer: "niquests.Response") -> str | None:
    if answer.status_code not in _MOVED:
        return None
    return answer.headers.get("Location")


def _raise_for_status(answer: "niquests.Response", shown: str) -> None:
    status = answer.status_code or 0
    if status == 200:  # noqa: PLR2004 - the only answer that has the whole calendar
        return
    answer.close()
    if status in _REFUSED:
        raise AccessError(
            f"{shown}: the server refuses access (HTTP {status})",
            mend="check `username` and `password`, or whether the calendar is still published",
        )
    if status in _BUSY or status >= 500:  # noqa: PLR2004 - the class of server errors
        raise TemporaryError(f"{shown}: the server cannot answer now (HTTP {status})")
    raise ConnectorError(f"{shown}: the server answers HTTP {status}")
