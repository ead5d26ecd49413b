"""Requests: credentials, redirects, retries, and what their failures are called."""

import json
import socket
import ssl
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from caldav_run.dav import discovery
from caldav_run.dav.connection import Connection
from caldav_run.dav.failures import (
    InterruptedAnswerError,
    MalformedAnswerError,
    StatusError,
    UnreachableError,
)
from caldav_run.dav.settings import Auth, Settings
from caldav_run.errors import AccessError, ConnectorError, SetupError, TemporaryError
from caldav_run.secret import Secret
from caldav_run.testing.scripted import (
    Answer,
    Asked,
    ScriptedServer,
    multistatus,
    response,
    scripted_server,
)

OK = Answer(200, b"done")


@pytest.fixture
def other() -> Iterator[ScriptedServer]:
    with scripted_server(lambda _: OK) as running:
        yield running


def test_the_password_is_sent_unasked_as_utf8(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = lambda _: OK
    connection.send("GET", server.url).close()
    (asked,) = server.asked
    assert b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode() == (
        "alice:wörd-1"
    )


def test_without_a_password_nothing_is_sent_whatever_the_environment_holds(
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login alice password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")
    server.script = lambda _: OK
    with closing(Connection(Settings(url=server.url))) as connection:
        connection.send("GET", server.url).close()
    assert "authorization" not in server.asked[0].headers


def test_a_token_is_sent_as_bearer(server: ScriptedServer) -> None:
    server.script = lambda _: OK
    settings = Settings(url=server.url, password=Secret.of("token"), auth=Auth.BEARER)
    with closing(Connection(settings)) as connection:
        connection.send("GET", server.url).close()
    assert server.asked[0].headers["authorization"] == "Bearer token"


def test_a_refused_token_is_told_without_a_user(server: ScriptedServer) -> None:
    server.script = lambda _: Answer(401)
    settings = Settings(url=server.url, password=Secret.of("token"), auth=Auth.BEARER)
    with closing(Connection(settings)) as connection, pytest.raises(AccessError, match="the token"):
        connection.send("GET", server.url)


def test_a_server_that_wants_digest_gets_it_from_then_on(
    server: ScriptedServer, connection: Connection
) -> None:
    challenge = {"WWW-Authenticate": 'Digest realm="a", nonce="b", qop="auth", algorithm=MD5'}

    def script(asked: Asked) -> Answer:
        digest = asked.headers.get("authorization", "").startswith("Digest")
        return OK if digest else Answer(401, b"", challenge)

    server.script = script
    with connection.send("GET", server.url) as reply:
        assert reply.read() == b"done"
    connection.send("GET", server.url).close()
    assert server.asked[-1].headers["authorization"].startswith("Digest")


def test_a_refused_password_is_an_access_error_without_it(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = lambda _: Answer(401, b"", {"WWW-Authenticate": 'Basic realm="a"'})
    with pytest.raises(AccessError, match="'alice'") as caught:
        connection.send("GET", server.url)
    assert "wörd-1" not in str(caught.value)
    assert len(server.asked) == 1


def test_a_missing_login_is_told(server: ScriptedServer) -> None:
    server.script = lambda _: Answer(401)
    with (
        closing(Connection(Settings(url=server.url))) as connection,
        pytest.raises(AccessError, match="set username and password"),
    ):
        connection.send("GET", server.url)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_keeps_method_body_and_credentials(
    server: ScriptedServer, connection: Connection, status: int
) -> None:
    server.script = lambda asked: (
        Answer(status, b"", {"Location": "/there"}) if asked.path == "/here" else OK
    )
    with connection.send("PUT", f"{server.url}here", b"a\nb", {"If-Match": '"1"'}) as reply:
        assert reply.url == f"{server.url}there"
    assert server.methods() == ["PUT /here", "PUT /there"]
    assert server.asked[1].body == b"a\nb"
    assert server.asked[1].headers["if-match"] == '"1"'
    assert "authorization" in server.asked[1].headers


def test_a_redirect_is_not_read_to_its_end(server: ScriptedServer, connection: Connection) -> None:
    endless = Answer(302, bytes(1 << 17), {"Location": "/there"}, announced=1 << 40)
    server.script = lambda asked: endless if asked.path == "/here" else OK
    with connection.send("GET", f"{server.url}here") as reply:
        assert reply.read() == b"done"
    assert server.methods() == ["GET /here", "GET /there"]


def test_line_feeds_stay_line_feeds(server: ScriptedServer, connection: Connection) -> None:
    server.script = lambda _: OK
    connection.send("PUT", server.url, b"BEGIN:VCALENDAR\nEND:VCALENDAR\r\n").close()
    assert server.asked[0].body == b"BEGIN:VCALENDAR\nEND:VCALENDAR\r\n"


def test_redirects_in_a_circle_end(server: ScriptedServer, connection: Connection) -> None:
    server.script = lambda _: Answer(302, b"", {"Location": "/"})
    with pytest.raises(ConnectorError, match="more than 5 times"):
        connection.send("GET", server.url)
    assert len(server.asked) == 6


def test_another_server_is_not_even_asked(
    server: ScriptedServer, other: ScriptedServer, connection: Connection
) -> None:
    server.script = lambda _: Answer(302, b"", {"Location": f"{other.url}dav"})
    host = other.url.removeprefix("http://").rstrip("/")
    with pytest.raises(ConnectorError, match=rf"trust_hosts: \[{host}\]"):
        connection.send("GET", server.url)
    assert other.asked == []


def test_a_trusted_server_gets_the_password(server: ScriptedServer, other: ScriptedServer) -> None:
    server.script = lambda _: Answer(302, b"", {"Location": other.url})
    settings = Settings(
        url=server.url,
        username="alice",
        password=Secret.of("a"),
        trust_hosts=(other.url.removeprefix("http://").rstrip("/"),),
    )
    with closing(Connection(settings)) as connection:
        connection.send("GET", server.url).close()
    assert "authorization" in other.asked[0].headers


def test_an_href_elsewhere_is_not_asked_either(
    other: ScriptedServer, connection: Connection
) -> None:
    with pytest.raises(ConnectorError, match="another server"):
        connection.send("GET", other.url)
    assert other.asked == []


def test_a_redirect_to_plain_http_is_refused(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = lambda _: Answer(302, b"", {"Location": "http://example.org/"})
    with pytest.raises(ConnectorError, match="not encrypted"):
        connection.send("GET", server.url)


def test_a_redirect_to_nowhere_is_a_connector_error(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = lambda _: Answer(302, b"", {"Location": "javascript:alert(1)"})
    with pytest.raises(ConnectorError, match="javascript"):
        connection.send("GET", server.url)


@pytest.mark.parametrize("location", ["https://[x/", "//[x/", "https://a\u00a8b/"])
def test_a_redirect_to_what_is_no_url_is_a_connector_error(
    server: ScriptedServer, connection: Connection, location: str
) -> None:
    server.script = lambda _: Answer(302, b"", {"Location": location})
    with pytest.raises(ConnectorError, match="leads to"):
        connection.send("GET", server.url)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_when_it_says(
    server: ScriptedServer, connection: Connection, waits: list[float], status: int
) -> None:
    answers = iter([Answer(status, b"", {"Retry-After": "7"}), Answer(status), OK])
    server.script = lambda _: next(answers)
    with connection.send("PUT", server.url, b"body") as reply:
        assert reply.status == 200
    assert waits == [7.0, 4.0]
    assert [asked.body for asked in server.asked] == [b"body"] * 3


def test_a_wait_that_is_no_number_is_passed_over(
    server: ScriptedServer, connection: Connection, waits: list[float]
) -> None:
    answers = iter([Answer(503, b"", {"Retry-After": "\u00b2"}), OK])
    server.script = lambda _: next(answers)
    with connection.send("GET", server.url) as reply:
        assert reply.status == 200
    assert waits == [1.0]


def test_a_server_that_stays_busy_is_left_alone(
    server: ScriptedServer, connection: Connection, waits: list[float]
) -> None:
    server.script = lambda _: Answer(503)
    with connection.send("GET", server.url) as reply:
        assert reply.status == 503
    assert waits == [1.0, 4.0]


def test_a_long_wait_is_not_begun(
    server: ScriptedServer, connection: Connection, waits: list[float]
) -> None:
    server.script = lambda _: Answer(503, b"", {"Retry-After": "3600"})
    with connection.send("GET", server.url) as reply:
        assert reply.status == 503
    assert waits == []


def google(reason: str, message: str) -> Answer:
    """Answer as Google does where a limit of use is met."""
    error = {"domain": "usageLimits", "reason": reason, "message": message}
    told = {"error": {"errors": [error], "code": 403, "message": message}}
    return Answer(403, json.dumps(told).encode(), {"Content-Type": "application/json"})


@pytest.mark.parametrize("reason", ["rateLimitExceeded", "userRateLimitExceeded"])
def test_google_s_limit_of_a_rate_is_waited_for(
    server: ScriptedServer, connection: Connection, waits: list[float], reason: str
) -> None:
    answers = iter([google(reason, "Rate Limit Exceeded"), OK])
    server.script = lambda _: next(answers)
    with connection.send("PUT", server.url, b"body") as reply:
        assert reply.status == 200
    assert waits == [1.0]


def test_google_s_limit_of_a_rate_is_waited_for_only_so_often(
    server: ScriptedServer, connection: Connection, waits: list[float]
) -> None:
    server.script = lambda _: google("rateLimitExceeded", "Rate Limit Exceeded")
    with connection.send("GET", server.url) as reply:
        told = reply.error()
    assert waits == [1.0, 4.0]
    assert told.status == 429
    assert "too many requests at a time" in told.message
    assert told.message.endswith("rateLimitExceeded: Rate Limit Exceeded")


@pytest.mark.parametrize("reason", ["quotaExceeded", "dailyLimitExceeded"])
def test_google_s_used_up_quota_is_not_waited_for_and_is_no_refusal(
    server: ScriptedServer, settings: Settings, waits: list[float], reason: str
) -> None:
    server.script = lambda _: google(reason, "Calendar usage limits exceeded.")
    with pytest.raises(TemporaryError) as caught:
        discovery.find(settings)
    assert waits == []
    assert caught.value.exit_status == 75
    assert f"the quota is used up, the server says {reason}" in caught.value.message


def test_google_s_limit_is_seen_in_xml_too(
    server: ScriptedServer, connection: Connection, waits: list[float]
) -> None:
    body = b"<errors><error><domain>GData</domain><code>rateLimitExceeded</code></error></errors>"
    server.script = lambda _: Answer(403, body, {"Content-Type": "application/xml"})
    with connection.send("GET", server.url) as reply:
        assert reply.status == 429
    assert waits == [1.0, 4.0]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "Not yours"}}', ": Not yours"),
        (b'{"message": "Not yours"}', ": Not yours"),
        (b'{"error": "forbidden"}', ": forbidden"),
        (b'["Not yours"]', ""),
        (b'{"error": {"message": 7}}', ""),
        (b"{", ""),
    ],
)
def test_a_refusal_in_json_is_given_in_the_server_s_words(
    server: ScriptedServer, connection: Connection, body: bytes, said: str
) -> None:
    server.script = lambda _: Answer(403, body, {"Content-Type": "application/json"})
    with connection.send("GET", server.url) as reply:
        assert reply.error().message.endswith(f"answered 403 Forbidden{said}")


def test_a_slow_answer_is_interrupted(server: ScriptedServer) -> None:
    server.script = lambda _: Answer(200, b"", delay_s=1)
    with (
        closing(Connection(Settings(url=server.url, timeout_s=0.1))) as connection,
        pytest.raises(InterruptedAnswerError, match=r"did not answer within 0\.1 s"),
    ):
        connection.send("GET", server.url)


def test_a_broken_answer_is_interrupted(server: ScriptedServer, connection: Connection) -> None:
    server.script = lambda _: Answer(200, b"abc", broken=True)
    with (
        connection.send("GET", server.url) as reply,
        pytest.raises(InterruptedAnswerError, match="broke off"),
    ):
        reply.read()


def test_an_endless_body_is_not_taken_for_a_whole_one(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = lambda _: Answer(200, b"a" * 11)
    with (
        connection.send("GET", server.url) as reply,
        pytest.raises(MalformedAnswerError, match="more than 10 bytes"),
    ):
        reply.read(limit=10)


def test_a_refused_connection_is_unreachable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (
        closing(Connection(Settings(url=f"http://127.0.0.1:{port}/"))) as connection,
        pytest.raises(UnreachableError, match="refused") as caught,
    ):
        connection.send("GET", f"http://127.0.0.1:{port}/")
    assert caught.value.exit_status == 75


def test_an_unknown_host_is_unreachable() -> None:
    url = "https://nowhere.invalid/"
    with (
        closing(Connection(Settings(url=url))) as connection,
        pytest.raises(UnreachableError, match="host is unknown"),
    ):
        connection.send("GET", url)


def test_a_server_without_tls_is_told_so(server: ScriptedServer) -> None:
    url = server.url.replace("http://", "https://")
    with (
        closing(Connection(Settings(url=url))) as connection,
        pytest.raises(ConnectorError, match="nothing speaks TLS there") as caught,
    ):
        connection.send("GET", url)
    assert caught.value.exit_status == 1


def test_a_multistatus_is_streamed(server: ScriptedServer, connection: Connection) -> None:
    server.script = lambda _: multistatus(response("/a"), response("/b"))
    found = connection.multistatus("PROPFIND", server.url, b"<x/>", depth=1)
    assert [each.href for each in found] == ["/a", "/b"]
    assert server.asked[0].headers["depth"] == "1"


def test_another_status_is_an_error_with_the_servers_words(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = lambda _: Answer(403, b"No entry", {"Content-Type": "text/plain"})
    with pytest.raises(StatusError, match="403 Forbidden: No entry"):
        list(connection.multistatus("PROPFIND", server.url, b"<x/>"))


def test_a_sibling_is_signed_in_as_the_first_one_is(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = lambda _: Answer(200, b"", {"Set-Cookie": "session=1"})
    connection.send("GET", server.url).close()
    with closing(connection.sibling()) as sibling:
        sibling.send("GET", server.url).close()
    assert [each.headers.get("cookie") for each in server.asked] == [None, "session=1"]


def test_closing_twice_is_safe(server: ScriptedServer, connection: Connection) -> None:
    server.script = lambda _: OK
    connection.send("GET", server.url).close()
    connection.close()
    connection.close()


def test_a_question_is_asked_again_when_the_connection_drops(
    server: ScriptedServer, connection: Connection, waits: list[float]
) -> None:
    answers = iter([None, OK])

    def script(_: Asked) -> Answer:
        answer = next(answers)
        if answer is None:
            raise ConnectionResetError
        return answer

    server.script = script
    with connection.send("PROPFIND", server.url) as reply:
        assert reply.status == 200
    assert waits == [1.0]


def test_a_write_is_not_repeated_when_the_connection_drops(
    server: ScriptedServer, connection: Connection, waits: list[float]
) -> None:
    def script(_: Asked) -> Answer:
        raise ConnectionResetError

    server.script = script
    with pytest.raises(InterruptedAnswerError):
        connection.send("PUT", server.url, b"body")
    assert len(server.asked) == 1
    assert waits == []


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate for this machine; returns its file and the server's side of TLS."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "ca.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(public, private)
    return public, tls


def test_a_certificate_of_an_unknown_authority_is_refused_unless_it_is_named(
    tmp_path: Path,
) -> None:
    ca_file, tls = certificate(tmp_path)
    with scripted_server(lambda _: OK, tls) as server:
        with (
            closing(Connection(Settings(url=server.url))) as stranger,
            pytest.raises(ConnectorError, match=r"no secure connection.*set ca_file"),
        ):
            stranger.send("GET", server.url)
        assert server.asked == []
        with closing(Connection(Settings(url=server.url, ca_file=ca_file))) as friend:
            friend.send("GET", server.url).close()
        assert len(server.asked) == 1


def test_missing_authorities_are_a_matter_of_the_pipeline(tmp_path: Path) -> None:
    settings = Settings(url="https://127.0.0.1:1/", ca_file=tmp_path / "nowhere.pem")
    with closing(Connection(settings)) as connection, pytest.raises(SetupError, match="ca_file"):
        connection.send("GET", settings.base)
