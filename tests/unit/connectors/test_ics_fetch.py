import base64
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from caldav_run.connectors.ics_fetch import Feed
from caldav_run.connectors.sources.ics import IcsSource
from caldav_run.errors import AccessError, ConnectorError, TemporaryError
from caldav_run.secret import Secret
from caldav_run.testing.contracts import context, event
from caldav_run.testing.contracts.sources import Held, Seen
from caldav_run.testing.scripted import Answer, scripted_server

BODY = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


@dataclass
class Web:
    """A server that answers from a table and notes the credentials that it gets."""

    port: int = 0
    answers: dict[str, tuple[int, str | None, bytes]] = field(default_factory=dict)
    seen: list[tuple[str, str | None]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def feed(self, path: str, **options: Any) -> Feed:
        return Feed(url=self.url(path), limit=1 << 20, **options)


def serve() -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.seen.append((self.path, self.headers["Authorization"]))
            status, location, body = web.answers.get(self.path, (404, None, b""))
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        web.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield web
        server.shutdown()
        thread.join()


@pytest.fixture
def web() -> Iterator[Web]:
    yield from serve()


@pytest.fixture
def elsewhere() -> Iterator[Web]:
    yield from serve()


def test_a_calendar_is_fetched_without_credentials(web: Web) -> None:
    web.answers["/a.ics?key=1"] = (200, None, BODY)
    assert web.feed("/a.ics?key=1").fetch() == BODY
    assert web.seen == [("/a.ics?key=1", None)]


def test_credentials_are_sent_unasked(web: Web) -> None:
    web.answers["/a.ics"] = (200, None, BODY)
    web.feed("/a.ics", username="alice", password=Secret.of("s3cret")).fetch()
    expected = base64.b64encode(b"alice:s3cret").decode()
    assert web.seen == [("/a.ics", f"Basic {expected}")]


def test_the_login_file_of_the_user_is_not_read(
    web: Web, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    web.answers["/a.ics"] = (200, None, BODY)
    web.feed("/a.ics").fetch()
    assert web.seen == [("/a.ics", None)]


def test_a_redirect_to_another_server_gets_no_credentials(web: Web, elsewhere: Web) -> None:
    web.answers["/a.ics"] = (302, elsewhere.url("/b.ics"), b"")
    elsewhere.answers["/b.ics"] = (200, None, BODY)
    feed = web.feed("/a.ics", username="alice", password=Secret.of("s3cret"))
    assert feed.fetch() == BODY
    assert web.seen[0][1] is not None
    assert elsewhere.seen == [("/b.ics", None)]


def test_a_redirect_on_the_same_server_keeps_the_credentials(web: Web) -> None:
    web.answers["/a.ics"] = (301, "/b.ics", b"")
    web.answers["/b.ics"] = (200, None, BODY)
    web.feed("/a.ics", username="alice", password=Secret.of("s3cret")).fetch()
    assert None not in [sent for _, sent in web.seen]


def test_a_redirect_is_not_read_to_its_end(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caldav_run.connectors.ics_fetch._TIMEOUT_S", 2.0)
    with scripted_server(
        lambda _: Answer(302, b"x", {"Location": web.url("/b.ics")}, announced=1 << 40)
    ) as endless:
        web.answers["/b.ics"] = (200, None, BODY)
        assert Feed(url=f"{endless.url}a.ics", limit=1 << 20).fetch() == BODY


def test_a_circle_of_redirects_ends(web: Web) -> None:
    web.answers["/a.ics"] = (302, "/a.ics", b"")
    with pytest.raises(ConnectorError, match="redirects more than 5 times"):
        web.feed("/a.ics").fetch()
    assert len(web.seen) == 6


def test_a_redirect_to_plain_http_elsewhere_is_not_followed(web: Web) -> None:
    web.answers["/a.ics"] = (302, "http://calendars.example/b.ics?token=s3cret", b"")
    with pytest.raises(ConnectorError, match="which is not encrypted") as caught:
        web.feed("/a.ics").fetch()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "location",
    [
        "http://[bad/s3cret",
        "webcal://calendars.example/s3cret.ics",
        "https://calendars.example:port/s3cret.ics",
        "https://calendars.example:99999/s3cret.ics",
        "https://a\u00a8b/s3cret.ics",
        "https://127.0.0.1:0/s3cret.ics",
        "https://" + "a" * 70 + "/s3cret.ics",
        "https://a..b/s3cret.ics",
        "https://*/s3cret.ics",
    ],
)
def test_a_redirect_to_what_is_no_address_is_told_without_it(web: Web, location: str) -> None:
    web.answers["/a.ics"] = (302, location, b"")
    with pytest.raises(ConnectorError) as caught:
        web.feed("/a.ics").fetch()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (401, AccessError, "refuses access: 401 Unauthorized"),
        (403, AccessError, "refuses access"),
        (404, ConnectorError, "has no calendar: 404 Not Found"),
        (302, ConnectorError, "has no calendar: 302"),
        (429, TemporaryError, "cannot answer"),
        (503, TemporaryError, "cannot answer"),
    ],
)
def test_a_refusal_is_told_apart_by_what_can_be_done(
    web: Web, status: int, kind: type[ConnectorError], message: str
) -> None:
    web.answers["/a.ics?token=s3cret"] = (status, None, b"")
    with pytest.raises(kind, match=message) as caught:
        web.feed("/a.ics?token=s3cret").fetch()
    assert type(caught.value) is kind
    assert "s3cret" not in str(caught.value)


def test_a_calendar_above_the_limit_is_not_taken(web: Web) -> None:
    web.answers["/a.ics"] = (200, None, bytes((1 << 20) + 1))
    with pytest.raises(ConnectorError, match="larger than 1 MiB"):
        web.feed("/a.ics").fetch()


def test_a_calendar_that_comes_by_drops_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caldav_run.connectors.ics_fetch._TIMEOUT_S", 0.2)
    with (
        scripted_server(lambda _: Answer(200, bytes(100), drip_s=0.02)) as drips,
        pytest.raises(TemporaryError, match="too slowly") as caught,
    ):
        Feed(url=f"{drips.url}a.ics?token=s3cret", limit=1 << 20).fetch()
    assert "s3cret" not in str(caught.value)


def test_a_server_that_is_not_there_is_a_temporary_error() -> None:
    with pytest.raises(TemporaryError, match=r"127\.0\.0\.1:1/…: "):
        Feed(url="http://127.0.0.1:1/a.ics?token=s3cret", limit=1).fetch()


def test_a_published_calendar_is_a_source(web: Web, tmp_path: Path) -> None:
    web.answers["/holidays%20in%20Berlin.ics"] = (200, None, event("a"))
    options = {"url": web.url("/holidays%20in%20Berlin.ics")}
    source = IcsSource.from_options(options, context(tmp_path))
    seen = Seen.of(source.read(Held()))
    assert [each.title for each in seen.calendars.values()] == ["holidays in Berlin"]
    assert set(seen.changed) == {("holidays%20in%20Berlin", "a.ics")}


def test_webcal_means_https() -> None:
    Feed(url="webcal://calendars.example/a.ics", limit=1).check()
