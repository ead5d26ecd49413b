"""Certificates, pins and proxies against a real Radicale with TLS."""

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
from tests.integration.auth.conftest import radicale_with_tls

from caldav_run.dav import discovery
from caldav_run.dav.settings import Settings
from caldav_run.dav.transport import ClientCertificate, Proxy
from caldav_run.errors import AccessError, ConnectorError, TemporaryError
from caldav_run.secret import Secret, redact
from caldav_run.testing.certificates import Authority, Issued
from caldav_run.testing.proxies import RunningProxy, http_proxy, socks_proxy

# python-socks leaves sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
WORD = Secret.of("word-1")
Started = Callable[..., AbstractContextManager[RunningProxy]]
PROXIES = pytest.mark.parametrize("proxied", [http_proxy, socks_proxy])


@pytest.fixture(autouse=True)
def sockets_collected_here() -> Iterator[None]:
    """Have the sockets that are left go in the test that left them, not in another module's."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caldav_run.dav.connection.pause", lambda _: None)


@pytest.fixture(scope="module")
def shown(authority: Authority) -> Issued:
    return authority.issue("server")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, shown: Issued) -> Iterator[str]:
    with radicale_with_tls(tmp_path_factory.mktemp("radicale"), shown) as running:
        yield running


@pytest.fixture(scope="module")
def strict_url(
    tmp_path_factory: pytest.TempPathFactory, shown: Issued, authority: Authority
) -> Iterator[str]:
    """Give a Radicale that wants a client certificate of the authority."""
    wanted = ("--server-certificate-authority", str(authority.file))
    with radicale_with_tls(tmp_path_factory.mktemp("strict"), shown, wanted) as running:
        yield running


def identity(settings: Settings) -> str:
    account = discovery.find(settings)
    with closing(account.connection):
        return account.identity


def settings(url: str, **more: object) -> Settings:
    return Settings(url=url, username="alice", password=WORD, timeout_s=10.0, **more)  # type: ignore[arg-type]


def test_a_pinned_certificate_needs_no_authority(url: str, shown: Issued) -> None:
    assert identity(settings(url, tls_fingerprint=f"SHA256:{shown.fingerprint}"))


def test_another_certificate_is_refused_and_named(url: str, shown: Issued) -> None:
    with pytest.raises(ConnectorError, match=f"SHA256:{shown.fingerprint}") as caught:
        identity(settings(url, tls_fingerprint=f"SHA256:{'ab' * 32}"))
    assert caught.value.exit_status == 1
    assert "tls_fingerprint" in (caught.value.mend or "")


def test_a_certificate_of_the_named_authority_is_believed(url: str, authority: Authority) -> None:
    assert identity(settings(url, ca_file=authority.file))


@pytest.mark.parametrize("password", ["", "locked-1"])
def test_a_client_certificate_opens_the_door(
    strict_url: str, authority: Authority, password: str
) -> None:
    alice = authority.issue(f"alice-{password}", password)
    word = Secret.of(password) if password else None
    shown = ClientCertificate(file=alice.file, key=alice.key, password=word)
    assert identity(settings(strict_url, ca_file=authority.file, client_certificate=shown))


def test_a_client_certificate_goes_together_with_a_pin(
    strict_url: str, authority: Authority, shown: Issued
) -> None:
    alice = authority.issue("alice")
    certificate = ClientCertificate(file=alice.file, key=alice.key)
    pin = f"SHA256:{shown.fingerprint}"
    assert identity(settings(strict_url, tls_fingerprint=pin, client_certificate=certificate))


def test_without_a_client_certificate_the_server_refuses(
    strict_url: str, authority: Authority
) -> None:
    with pytest.raises(ConnectorError):
        identity(settings(strict_url, ca_file=authority.file))


def test_a_strangers_client_certificate_is_refused(
    strict_url: str, authority: Authority, tmp_path: Path
) -> None:
    bob = Authority(tmp_path).issue("bob")
    certificate = ClientCertificate(file=bob.file, key=bob.key)
    with pytest.raises(ConnectorError):
        identity(settings(strict_url, ca_file=authority.file, client_certificate=certificate))


@PROXIES
def test_everything_goes_through_the_proxy(
    url: str, authority: Authority, proxied: Started
) -> None:
    with proxied("me", "p@ss:/word") as proxy:
        way = Proxy(url=proxy.url, username="me", password=Secret.of("p@ss:/word"))
        assert identity(settings(url, ca_file=authority.file, proxy=way))
        assert set(proxy.targets) == {url.removeprefix("https://").rstrip("/")}


@PROXIES
def test_a_pin_holds_through_a_proxy(url: str, shown: Issued, proxied: Started) -> None:
    with proxied() as proxy:
        way = Proxy(url=proxy.url)
        assert identity(settings(url, tls_fingerprint=f"SHA256:{shown.fingerprint}", proxy=way))
        with pytest.raises(ConnectorError, match="another certificate"):
            identity(settings(url, tls_fingerprint=f"SHA256:{'ab' * 32}", proxy=way))


@PROXIES
def test_a_proxy_that_refuses_the_login_is_an_access_error(
    url: str, authority: Authority, proxied: Started
) -> None:
    with proxied("me", "right-word") as proxy:
        wrong = Proxy(url=proxy.url, username="me", password=Secret.of("wrong-word"))
        for way in (wrong, Proxy(url=proxy.url)):
            with pytest.raises(AccessError, match="proxy on the way") as caught:
                identity(settings(url, ca_file=authority.file, proxy=way))
            assert "wrong-word" not in redact(str(caught.value))
        assert proxy.targets == []


@PROXIES
def test_a_proxy_that_is_down_is_told_as_such(
    url: str, authority: Authority, proxied: Started
) -> None:
    with proxied() as proxy:
        gone = proxy.url
    with pytest.raises(TemporaryError, match="the proxy on the way"):
        identity(settings(url, ca_file=authority.file, proxy=Proxy(url=gone)))


def test_a_proxy_may_speak_tls_itself(url: str, authority: Authority, shown: Issued) -> None:
    with http_proxy(tls=shown.server_side()) as proxy:
        assert identity(settings(url, ca_file=authority.file, proxy=Proxy(url=proxy.url)))
        assert proxy.targets


def test_a_proxy_of_the_environment_is_not_used(
    url: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_proxy() as proxy:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert identity(settings(url, ca_file=authority.file))
        assert proxy.targets == []
