"""Certificates, pins and proxies: what is refused before anything is contacted."""

import importlib.util
from pathlib import Path

import pytest

from caldav_run.dav.settings import Settings
from caldav_run.dav.transport import ClientCertificate, Proxy, authorities, fingerprint
from caldav_run.errors import SetupError
from caldav_run.secret import Secret, redact
from caldav_run.testing.certificates import Authority

PIN = f"SHA256:{'ab' * 32}"
PROXY = "http://proxy.example:3128"


def test_a_fingerprint_may_have_colons_and_any_case() -> None:
    assert fingerprint("sha256:" + ":".join(["AB"] * 32)) == "ab" * 32
    assert fingerprint(PIN) == "ab" * 32


@pytest.mark.parametrize("text", ["ab" * 32, "SHA256:abc", "SHA1:" + "ab" * 20, f"{PIN}:", ""])
def test_another_spelling_is_refused_with_the_command_that_shows_it(text: str) -> None:
    with pytest.raises(SetupError, match="openssl x509"):
        fingerprint(text)


def test_a_pin_and_an_authority_exclude_each_other() -> None:
    with pytest.raises(SetupError, match="keep one of"):
        Settings(url="example.org", tls_fingerprint=PIN, ca_file=Path("ca.pem"))


def test_what_needs_tls_is_refused_without_it() -> None:
    with pytest.raises(SetupError, match="has no certificates"):
        Settings(url="http://127.0.0.1/", tls_fingerprint=PIN)
    with pytest.raises(SetupError, match="has no certificates"):
        Settings(url="http://127.0.0.1/", client_certificate=ClientCertificate(file=Path("a")))


def test_plain_http_through_a_proxy_elsewhere_needs_the_users_word() -> None:
    proxy = Proxy(url=PROXY)
    with pytest.raises(SetupError, match="in clear to the proxy"):
        Settings(url="http://127.0.0.1/", proxy=proxy)
    assert Settings(url="http://127.0.0.1/", proxy=proxy, insecure=True).proxy == proxy
    assert Settings(url="http://127.0.0.1/", proxy=Proxy(url="http://localhost:1")).proxy


@pytest.mark.parametrize(
    "url", ["proxy:3128", "ftp://proxy", "http://", "http://p:99999", "http://p/path", "http://p?a"]
)
def test_what_is_no_proxy_is_refused(url: str) -> None:
    with pytest.raises(SetupError, match="write scheme://host:port"):
        Proxy(url=url)


def test_a_user_in_the_url_of_a_proxy_is_refused() -> None:
    with pytest.raises(SetupError, match="below proxy"):
        Proxy(url="http://me:pw@proxy:3128")


def test_the_password_of_a_proxy_is_quoted_and_hidden_in_both_spellings() -> None:
    proxy = Proxy(url=PROXY, username="me@home", password=Secret.of("p@ss:/word"))
    assert "p@ss" not in repr(proxy)
    whole = proxy.for_session()["https"]
    assert whole == "http://me%40home:p%40ss%3A%2Fword@proxy.example:3128"
    assert redact(whole) == "http://me%40home:***@proxy.example:3128"
    assert redact("p@ss:/word") == "***"


def test_socks_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SetupError, match=r"caldav-run\[socks\]"):
        Proxy(url="socks5://proxy:1080").for_session()


def test_a_certificate_opens_with_its_password_only(tmp_path: Path) -> None:
    alice = Authority(tmp_path).issue("alice", "word")
    right = ClientCertificate(file=alice.file, key=alice.key, password=Secret.of("word"))
    assert right.for_session() == (str(alice.file), str(alice.key), "word")
    for password in (None, Secret.of("wrong")):
        wrong = ClientCertificate(file=alice.file, key=alice.key, password=password)
        with pytest.raises(SetupError, match="do not open"):
            wrong.for_session()


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    alice, bob = authority.issue("alice"), authority.issue("bob")
    with pytest.raises(SetupError, match="belong together"):
        ClientCertificate(file=alice.file, key=bob.key).for_session()


def test_a_certificate_and_its_key_may_be_one_file(tmp_path: Path) -> None:
    alice = Authority(tmp_path).issue("alice")
    both = tmp_path / "both.pem"
    both.write_bytes(alice.file.read_bytes() + alice.key.read_bytes())
    assert ClientCertificate(file=both).for_session() == (str(both), str(both))


def test_a_missing_certificate_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"nowhere\.pem.*No such file"):
        ClientCertificate(file=tmp_path / "nowhere.pem").for_session()


def test_authorities_are_read_before_anything_is_contacted(tmp_path: Path) -> None:
    file = Authority(tmp_path).file
    assert authorities(file) == str(file)
    assert authorities(tmp_path) == str(tmp_path)
    with pytest.raises(SetupError, match=r"nowhere\.pem cannot be read: No such file"):
        authorities(tmp_path / "nowhere.pem")


@pytest.mark.parametrize("text", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_file_without_certificates_is_no_authority(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(text)
    with pytest.raises(SetupError, match=r"ca\.pem holds no certificates"):
        authorities(file)
