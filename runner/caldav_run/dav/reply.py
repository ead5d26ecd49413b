"""An answer whose body is read as it arrives, or not at all."""

from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urljoin

from caldav_run.dav import busy, failures

if TYPE_CHECKING:
    from niquests import Response as HttpResponse

_CHUNK: Final = 64 * 1024
_ANSWER_LIMIT: Final = 64 * 1024 * 1024
_ERROR_LIMIT: Final = 64 * 1024
_SLOWEST: Final = 1024
"""Bytes a second below which an answer is not waited for: by drops it would never end."""


class Reply:
    """An answer whose body has not been read yet; to be closed, best by `with`.

    Attributes:
        status: The HTTP status.
        url: Whose answer it is.
        limit: The limit of use that this is about, see `look_for_limits`; empty for none.
    """

    def __init__(self, response: "HttpResponse", method: str, timeout_s: float) -> None:
        """Wrap the library's response."""
        self._response = response
        self._method = method
        self._timeout_s = timeout_s
        self.status = int(response.status_code or 0)
        self.url = str(response.url)
        self.limit = ""
        self._read: bytes | None = None

    def header(self, name: str) -> str:
        """Return a header's value, or an empty text."""
        value: str = self._response.headers.get(name) or ""
        return value

    def look_for_limits(self) -> None:
        """Take Google's 403 about a limit of use for the 429 that others answer.

        Raises:
            InterruptedAnswerError: See `chunks`.
        """
        if self.status != HTTPStatus.FORBIDDEN:
            return
        self._read = self._beginning(_ERROR_LIMIT)
        self.limit = busy.limit(self._read)
        if self.limit:
            self.status = int(HTTPStatus.TOO_MANY_REQUESTS)

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it arrives.

        Raises:
            BrokenOffError: The body ends early.
            AnswerTimeoutError: The body stops coming, or comes by drops.
        """
        if self._read is not None:
            yield self._read
            return
        pieces = self._response.iter_content(_CHUNK)
        waited_s, got = 0.0, 0
        while True:
            begun = monotonic()
            if (piece := self._next(pieces)) is None:
                return
            waited_s += monotonic() - begun
            got += len(piece)
            if waited_s > self._timeout_s:
                if got < _SLOWEST * waited_s:
                    raise failures.AnswerTimeoutError(f"{self.url} answers too slowly to wait for")
                waited_s, got = 0.0, 0
            yield piece

    def _next(self, pieces: Iterator[bytes]) -> bytes | None:
        from niquests.exceptions import RequestException

        try:
            return next(pieces, None)
        except RequestException as error:
            found = failures.translate(error, self.url, self._timeout_s)
            if type(found) is failures.InterruptedAnswerError:
                raise failures.BrokenOffError(found.message) from error
            raise found from error

    def read(self, limit: int = _ANSWER_LIMIT) -> bytes:
        """Return the whole body.

        Args:
            limit: How many bytes are accepted at most.

        Raises:
            MalformedAnswerError: The body is longer; a part of it would be a lie.
        """
        body = self._beginning(limit + 1)
        if len(body) > limit:
            raise failures.MalformedAnswerError(f"{self.url} gave more than {limit} bytes")
        return body

    def error(self) -> failures.StatusError:
        """Return this answer as an error, with the server's own words."""
        body = self._beginning(_ERROR_LIMIT)
        said = failures.words(body, self.header("Content-Type"))
        if self.limit:
            said = busy.words(self.limit, said)
        after = self.header("Retry-After")
        return failures.StatusError(self._method, self.url, self.status, said, after)

    def drain(self) -> None:
        """Read an answer that says that something was done, so that the connection can be kept.

        Raises:
            MalformedAnswerError: It is a web page, as one to sign in at: nothing was done, perhaps.
        """
        body = b""
        with suppress(failures.InterruptedAnswerError):
            body = self._beginning(_ERROR_LIMIT)
        page = "html" in self.header("Content-Type") and body.strip()
        if page and self.status == HTTPStatus.OK:
            raise failures.MalformedAnswerError(f"{self.url} answers with a web page")

    def leads_to(self) -> str:
        """Return where a redirect leads, read so far that the connection can be kept.

        Raises:
            LeadsAwayError: It leads to what is no URL.
            InterruptedAnswerError: See `chunks`.
        """
        try:
            following = urljoin(self.url, self.header("Location"))
        except ValueError as error:
            raise failures.LeadsAwayError(f"{self.url} leads to what is no URL: {error}") from error
        self._beginning(_ERROR_LIMIT)
        return following

    def _beginning(self, limit: int) -> bytes:
        body = bytearray()
        for chunk in self.chunks():
            body += chunk
            if len(body) >= limit:
                break
        return bytes(body[:limit])

    def close(self) -> None:
        """Let the connection go."""
        self._response.close()

    def __enter__(self) -> Self:
        """Return the reply."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the reply."""
        self.close()
