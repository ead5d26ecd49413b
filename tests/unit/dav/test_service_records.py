"""What DNS names as a domain's calendar service, and how far that is believed."""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.rdatatype
import dns.resolver
import dns.rrset
import pytest

from caldav_run.dav import discovery
from caldav_run.dav.locating import resolve_host
from caldav_run.dav.service_records import same_domain, services
from caldav_run.dav.settings import Settings
from caldav_run.errors import ConnectorError, TemporaryError
from caldav_run.secret import Secret
from caldav_run.testing.certificates import Authority
from caldav_run.testing.scripted import (
    Answer,
    Asked,
    ScriptedServer,
    multistatus,
    response,
    scripted_server,
)

NAME = "_caldavs._tcp.example.test."

Say = Callable[..., None]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Iterator[Say]:
    """Run a name server on this machine; gives what sets its records by type."""
    records: dict[str, list[str]] = {}

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, back = self.request
            query = dns.message.from_wire(data)
            answer = dns.message.make_response(query)
            (question,) = query.question
            kind = dns.rdatatype.to_text(question.rdtype)
            if question.name.to_text() == NAME and records.get(kind):
                answer.answer.append(dns.rrset.from_text(NAME, 60, "IN", kind, *records[kind]))
            back.sendto(answer.to_wire(), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as server:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], server.server_address[1]
        monkeypatch.setattr("dns.resolver.default_resolver", resolver)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield lambda **told: records.update(told)
        server.shutdown()
        thread.join()


def test_the_preferred_record_comes_first(say: Say) -> None:
    say(SRV=["20 0 8443 second.example.test.", "10 0 443 first.example.test."])
    assert list(services("example.test")) == [
        "https://first.example.test/.well-known/caldav",
        "https://second.example.test:8443/.well-known/caldav",
    ]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('"path=/dav/my%20calendars"', "/dav/my%20calendars"),
        ('"v=1" "PATH=/dav"', "/dav"),
        ('"path=https://other.test/"', "/.well-known/caldav"),
        ('"nothing"', "/.well-known/caldav"),
    ],
)
def test_a_text_record_names_the_path(say: Say, text: str, path: str) -> None:
    say(SRV=["0 0 443 dav.example.test."], TXT=[text])
    assert list(services("example.test")) == [f"https://dav.example.test{path}"]


def test_a_lone_dot_is_no_service(say: Say) -> None:
    say(SRV=["0 0 0 ."])
    assert list(services("example.test")) == []


@pytest.mark.parametrize("domain", ["example.test", "127.0.0.1", "localhost", "a..b.test"])
@pytest.mark.usefixtures("say")
def test_a_domain_without_records_names_nothing(domain: str) -> None:
    assert list(services(domain)) == []


def test_a_name_server_that_fails_names_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = dns.resolver.Resolver(configure=False)
    monkeypatch.setattr("dns.resolver.default_resolver", resolver)
    assert list(services("example.test")) == []


@pytest.mark.parametrize(
    ("host", "same"),
    [
        ("example.test", True),
        ("dav.example.test", True),
        ("notexample.test", False),
        ("example.test.evil.test", False),
    ],
)
def test_only_hosts_below_a_domain_belong_to_it(host: str, *, same: bool) -> None:
    assert same_domain(host, "example.test") is same


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def tls_server(authority: Authority) -> Iterator[ScriptedServer]:
    def script(asked: Asked) -> Answer:
        if "authorization" not in asked.headers:
            return Answer(401, b"", {"WWW-Authenticate": "Basic"})
        calendar = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
        return multistatus(response("/dav/", ""), response("/dav/work/", calendar))

    with scripted_server(script, authority.issue("server").server_side()) as server:
        yield server


def test_a_mail_address_leads_to_the_account_without_the_password_on_the_way(
    say: Say, tls_server: ScriptedServer, authority: Authority
) -> None:
    port = tls_server.url.rstrip("/").rpartition(":")[2]
    say(SRV=["0 0 1 127.0.0.1.", f"1 0 {port} 127.0.0.1."], TXT=['"path=/dav/"'])
    settings = Settings(
        url="alice@example.test",
        password=Secret.of("a"),
        trust_hosts=("127.0.0.1:1", f"127.0.0.1:{port}"),
        ca_file=authority.file,
    )
    account = discovery.find(settings)
    account.connection.close()
    assert account.origin == f"{tls_server.url}dav/ as alice@example.test"
    assert "authorization" not in tls_server.asked[0].headers


def test_another_domain_that_dns_names_is_not_even_asked(say: Say) -> None:
    say(SRV=["0 0 443 dav.elsewhere.test."])
    with pytest.raises(ConnectorError) as caught:
        resolve_host(Settings(url="example.test", timeout_s=2))
    assert str(caught.value) == (
        "the DNS of example.test leads to another server, https://dav.elsewhere.test, which was"
        " not asked; if that is right, add: trust_hosts: [dav.elsewhere.test]"
    )


@pytest.mark.usefixtures("say")
def test_a_host_that_nothing_is_known_of_is_unreachable() -> None:
    with pytest.raises(ConnectorError, match=r"example\.test"):
        resolve_host(Settings(url="example.test", timeout_s=2))


@pytest.fixture
def website(tls_server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """Have example.test be a website without calendars."""
    port = int(tls_server.url.rstrip("/").rpartition(":")[2])
    resolve = socket.getaddrinfo

    def resolved(host: str | bytes | None, asked: int, *args: int, **options: int) -> object:
        if host in {"example.test", b"example.test"}:
            return resolve("127.0.0.1", port, *args, **options)
        return resolve(host, asked, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    tls_server.script = lambda _: Answer(405)
    return tls_server


def test_a_service_that_is_down_is_an_outage_and_no_website_gets_the_password(
    say: Say, website: ScriptedServer, authority: Authority
) -> None:
    say(SRV=["0 0 1 127.0.0.1."])
    settings = Settings(
        url="alice@example.test",
        password=Secret.of("a"),
        trust_hosts=("127.0.0.1:1",),
        ca_file=authority.file,
    )
    with pytest.raises(TemporaryError, match=r"127\.0\.0\.1:1"):
        discovery.find(settings)
    assert [each.path for each in website.asked] == ["/.well-known/caldav"]
    assert "authorization" not in website.asked[0].headers


def test_a_service_that_is_busy_is_an_outage(
    say: Say, website: ScriptedServer, authority: Authority
) -> None:
    port = website.url.rstrip("/").rpartition(":")[2]
    say(SRV=[f"0 0 {port} 127.0.0.1."], TXT=['"path=/dav/"'])
    busy = Answer(503, b"", {"Retry-After": "999"})
    website.script = lambda asked: busy if asked.path == "/dav/" else Answer(405)
    trusted = (f"127.0.0.1:{port}",)
    settings = Settings(url="example.test", trust_hosts=trusted, ca_file=authority.file)
    with pytest.raises(TemporaryError, match="/dav/ is busy"):
        resolve_host(settings)
