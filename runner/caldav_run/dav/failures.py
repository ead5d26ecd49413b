"""What can go wrong on the wire, as errors that say what a person can do."""

import json
import re
import socket
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from lxml import etree

from caldav_run.dav import names, ways
from caldav_run.errors import AccessError, ConnectorError, TemporaryError

_WORDS_LIMIT: Final = 200
_PHRASES: Final = {int(status): status.phrase for status in HTTPStatus}
_FORBIDDEN: Final = frozenset({401, 403})
_BUSY: Final = frozenset({429, 503, 507})

_UNREACHABLE: Final = (
    (socket.gaierror, "the host is unknown", "check its spelling"),
    (ConnectionRefusedError, "the connection is refused", "check host and port"),
)


class UnreachableError(TemporaryError):
    """No connection could be made at all."""


class InterruptedAnswerError(TemporaryError):
    """The server did not answer in time, or stopped in the middle of an answer."""


class BrokenOffError(InterruptedAnswerError):
    """The server stopped in the middle of an answer."""


class AnswerTimeoutError(InterruptedAnswerError):
    """The server did not answer in time; asking again at once would take as long."""


class MalformedAnswerError(ConnectorError):
    """The answer is not the XML that it should be."""


class StatusError(ConnectorError):
    """The server answered with a status that means no.

    Args:
        method: The request's method.
        url: Where it was sent; kept as well.
        status: The HTTP status.
        words: What the server says about it; may be empty.
        after: When to ask again, as the server says it (RFC 9110 section 10.2.3); may be empty.
    """

    def __init__(
        self, method: str, url: str, status: int, words: str = "", after: str = ""
    ) -> None:
        """Compose the message and keep the status, which callers decide by."""
        self.url = url
        self.status = status
        self.words = words
        self.after = after
        super().__init__(f"{method} {url} was answered {in_words(status, words)}")


class LeadsAwayError(ConnectorError):
    """The answer, or an href in one, leads where the credentials must not go."""


TROUBLE: Final = (StatusError, MalformedAnswerError, InterruptedAnswerError, LeadsAwayError)
"""What goes wrong with one request and leaves the others a chance."""


def in_words(status: int, words: str) -> str:
    """Return a status with its standard phrase and the server's own words."""
    phrase = _PHRASES.get(status, "")
    return f"{status} {phrase}".rstrip() + (f": {words}" if words else "")


def passing(status: int) -> bool:
    """Return whether a refusal may pass by itself; what is not implemented will not be later."""
    broken = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED
    return status in _BUSY or broken


def for_account(error: StatusError, url: str) -> ConnectorError:
    """Return what a refusing answer means when it concerns the account as a whole."""
    said = in_words(error.status, error.words)
    if error.status in _FORBIDDEN:
        return AccessError(f"{url} refuses access: {said}")
    if error.status in _BUSY:
        return TemporaryError(f"{url} is busy: {said}", mend="try again later")
    if passing(error.status):
        return TemporaryError(f"{url} has an internal error: {said}", mend="try again later")
    return no_caldav(url, said)


def outage(error: ConnectorError) -> TemporaryError | None:
    """Return what a failure that may pass by itself means; None for a firm one."""
    meant = for_account(error, error.url) if isinstance(error, StatusError) else error
    return meant if isinstance(meant, TemporaryError) else None


def for_home(error: StatusError, home: str) -> ConnectorError:
    """Return what a refusing answer means where it is about a calendar home, which is there."""
    meant = for_account(error, home)
    if isinstance(meant, (AccessError, TemporaryError)):
        return meant
    return ConnectorError(
        f"the calendar home {home} cannot be listed: {in_words(error.status, error.words)}",
        mend="where it is somebody else's, give the address of one of its calendars as url",
    )


def no_caldav(url: str, found: str) -> ConnectorError:
    """Return the error for a URL behind which no CalDAV server answers."""
    return ConnectorError(
        f"{url} is no CalDAV server ({found})",
        mend="look up the CalDAV address in the settings of the calendar service",
    )


def translate(error: Exception, url: str, timeout_s: float) -> ConnectorError:
    """Return what an error of the HTTP library means.

    Args:
        error: What the library raised.
        url: The URL that was asked for.
        timeout_s: How long was waited, in seconds.
    """
    causes = tuple(_causes(error))
    return ways.meaning(causes, url) or _meaning(error, causes, url, timeout_s)


def _meaning(
    error: Exception, causes: tuple[BaseException, ...], url: str, timeout_s: float
) -> ConnectorError:
    from niquests import exceptions

    reason = _innermost(causes)
    if isinstance(error, exceptions.SSLError):
        mend = "check the host name and the clock; for a private authority set ca_file"
        if "WRONG_VERSION_NUMBER" in reason:
            mend = "nothing speaks TLS there: check the port, or write http:// for this machine"
        return ConnectorError(f"no secure connection to {url}: {reason}", mend=mend)
    # What the library calls a bad header is left over of the answer before, which was longer than
    # it said.
    if isinstance(error, ValueError) and not isinstance(error, exceptions.InvalidHeader):
        return LeadsAwayError(f"{url} cannot be asked, or leads to what is no URL: {reason}")
    if isinstance(error, exceptions.ConnectTimeout):
        return UnreachableError(f"{url} did not accept a connection within {timeout_s:g} s")
    for kind, problem, mend in _UNREACHABLE:
        if any(isinstance(cause, kind) for cause in causes):
            return UnreachableError(f"{url}: {problem}", mend=mend)
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return AnswerTimeoutError(f"{url} did not answer within {timeout_s:g} s")
    return InterruptedAnswerError(f"{url} broke off: {reason}")


def words(body: bytes, content_type: str) -> str:
    """Return what a server says in an error's body, in one line of at most 200 characters.

    The text of web pages is passed over: it is made for a browser and buries the one sentence.
    """
    if "html" in content_type:
        return "a web page"
    if "xml" in content_type or body.lstrip().startswith(b"<?xml"):
        return shorten(_xml_words(body))
    if content_type.startswith("text/plain"):
        return shorten(body.decode(errors="replace"))
    return shorten(_json_words(body)) if "json" in content_type else ""


def _json_words(body: bytes) -> str:
    """Return the message of an error as Google writes it, and most others too."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    error = told.get("error", told) if isinstance(told, dict) else None
    found = error.get("message") if isinstance(error, dict) else error
    return found if isinstance(found, str) else ""


def _xml_words(body: bytes) -> str:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    root = etree.fromstring(body, parser) if body else None
    if root is None:
        return ""
    for name in (names.SABRE_MESSAGE, names.RESPONSE_DESCRIPTION):
        found = root.find(f".//{name}")
        if found is not None and found.text:
            return found.text
    holder = root if root.tag == names.ERROR else root.find(f".//{names.ERROR}")
    # A precondition is an empty element whose name is the message (RFC 4918 section 16).
    tags = () if holder is None else (child.tag for child in holder)
    # One server writes prefixes that it does not declare, or whole names as one.
    conditions = [re.split("[}:]", tag)[-1] for tag in tags if isinstance(tag, str)]
    # Some name what stands in the way (RFC 4791 section 5.3.2.1).
    culprits = () if holder is None else holder.iterfind(f"*/{names.HREF}")
    return ", ".join((*conditions, *(each.text for each in culprits if each.text)))


def shorten(text: str) -> str:
    """Return what somebody else says in one line of at most 200 printable characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _WORDS_LIMIT else line[: _WORDS_LIMIT - 1] + "…"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what lies beneath it; the library hides causes in three places."""
    current: BaseException | None = error
    seen: set[int] = set()
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        inner = (getattr(current, "reason", None), *current.args, current.__cause__)
        current = next(
            (each for each in inner if isinstance(each, BaseException)), current.__context__
        )


def _innermost(causes: tuple[BaseException, ...]) -> str:
    return shorten(str(causes[-1])) or type(causes[-1]).__name__
