"""Errors on the wire say what a person can do, in the server's own words."""

import pytest
from niquests import exceptions

from caldav_run.dav import failures
from caldav_run.errors import AccessError, ConnectorError, TemporaryError

URL = "https://example.org/"


@pytest.mark.parametrize(
    ("status", "kind", "exit_status"),
    [
        (403, AccessError, 77),
        (429, TemporaryError, 75),
        (503, TemporaryError, 75),
        (507, TemporaryError, 75),
        (500, TemporaryError, 75),
        (404, ConnectorError, 1),
        (200, ConnectorError, 1),
    ],
)
def test_a_status_means_something_for_the_account(
    status: int, kind: type[ConnectorError], exit_status: int
) -> None:
    error = failures.for_account(failures.StatusError("PROPFIND", URL, status), URL)
    assert type(error) is kind
    assert error.exit_status == exit_status


def test_an_unknown_status_is_shown_as_a_number() -> None:
    assert str(failures.StatusError("PUT", URL, 799)) == f"PUT {URL} was answered 799"


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (
            (
                b'<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:message>Calendar'
                b" limit reached</s:message></d:error>"
            ),
            "application/xml",
            "Calendar limit reached",
        ),
        (
            (
                b'<D:error xmlns:D="DAV:"><D:no-uid-conflict/><D:responsedescription>UID in use'
                b"</D:responsedescription></D:error>"
            ),
            "text/xml; charset=utf-8",
            "UID in use",
        ),
        (
            b'<?xml version="1.0"?><error xmlns="DAV:"><no-uid-conflict xmlns="urn:x"/></error>',
            "text/plain",
            "no-uid-conflict",
        ),
        (
            b'<multistatus xmlns="DAV:"><response><error><quota/></error></response></multistatus>',
            "text/xml",
            "quota",
        ),
        (b'<multistatus xmlns="DAV:"/>', "text/xml", ""),
        (b"", "text/xml", ""),
        (b"<<<", "text/xml", ""),
        (b"No\x1b[31m\n such   calendar", "text/plain", "No [31m such calendar"),
        (b"<html><body>Sorry</body></html>", "text/html; charset=utf-8", "a web page"),
        (b"\x00\x01", "application/octet-stream", ""),
    ],
)
def test_a_server_is_quoted_in_one_line(body: bytes, content_type: str, words: str) -> None:
    assert failures.words(body, content_type) == words


def test_a_long_speech_is_cut() -> None:
    said = failures.words(b"a" * 1000, "text/plain")
    assert len(said) == 200
    assert said.endswith("…")


def test_a_connection_that_is_not_accepted_in_time_is_unreachable() -> None:
    error = failures.translate(exceptions.ConnectTimeout("waited"), URL, 2.5)
    assert isinstance(error, failures.UnreachableError)
    assert str(error) == f"{URL} did not accept a connection within 2.5 s"


def test_a_url_that_the_library_refuses_is_a_connector_error() -> None:
    error = failures.translate(exceptions.InvalidURL("no host"), URL, 1)
    assert type(error) is failures.LeadsAwayError
    assert "no host" in str(error)


def test_a_cause_without_words_is_called_by_its_name() -> None:
    error = failures.translate(exceptions.ChunkedEncodingError(), URL, 1)
    assert "ChunkedEncodingError" in str(error)


def test_causes_that_go_in_a_circle_end() -> None:
    one, other = exceptions.ConnectionError("one"), exceptions.ConnectionError("other")
    one.__cause__, other.__cause__ = other, one
    assert "other" in str(failures.translate(one, URL, 1))
