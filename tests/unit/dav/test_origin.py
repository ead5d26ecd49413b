"""Credentials stay with the origin that they are for."""

import pytest

from caldav_run.dav.origin import Origin, Trust
from caldav_run.errors import SetupError

HOME = Origin.of("https://dav.example.org/a")


def test_the_same_origin_is_trusted() -> None:
    assert Trust(HOME).allows("https://DAV.example.org:443/b")


@pytest.mark.parametrize(
    "url",
    [
        "http://dav.example.org/",
        "https://dav.example.org:8443/",
        "https://example.org/",
        "https://dav.example.org.evil.example/",
        "http://127.0.0.1/",
    ],
)
def test_another_origin_is_not(url: str) -> None:
    assert not Trust(HOME).allows(url)


def test_a_listed_host_is_trusted_by_https_on_its_usual_port() -> None:
    trust = Trust(HOME, ("other.example",))
    assert trust.allows("https://other.example/")
    assert not trust.allows("http://other.example/")
    assert not trust.allows("https://other.example:8443/")


def test_a_pattern_trusts_hosts_and_ports() -> None:
    trust = Trust(HOME, ("*.Example.net", "other.example:8443"))
    assert trust.allows("https://p01.example.net/")
    assert trust.allows("https://other.example:8443/")
    assert not trust.allows("https://example.net/")


def test_hosts_of_one_service_trust_each_other() -> None:
    trust = Trust(Origin.of("https://caldav.icloud.com/"))
    assert trust.allows("https://p42-caldav.icloud.com/1/calendars/")
    assert not trust.allows("https://p42-caldav.icloud.com.example/")


def test_http_needs_this_machine_or_the_users_word() -> None:
    local = Trust(Origin.of("http://127.0.0.1:5232/"))
    assert local.protected(Origin.of("http://[::1]:5232/"))
    assert not local.protected(Origin.of("http://example.org/"))
    assert Trust(HOME, insecure=True).protected(Origin.of("http://example.org/"))


@pytest.mark.parametrize(
    "url", [r"https://evil.example\@dav.example.org/", r"https://evil.example\.dav.example.org/"]
)
def test_a_host_that_two_parsers_read_differently_gets_nothing(url: str) -> None:
    with pytest.raises(SetupError, match="backslash"):
        Trust(HOME).allows(url)


@pytest.mark.parametrize(
    "url", ["ftp://example.org/", "https:///a", "example.org", "https://[::1/", "https://a:99999/"]
)
def test_what_has_no_origin_is_refused(url: str) -> None:
    with pytest.raises(SetupError):
        Origin.of(url)


@pytest.mark.parametrize(
    "url", ["https://a.example", "http://a.example:8080", "https://[::1]:8443"]
)
def test_an_origin_is_shown_as_the_beginning_of_a_url(url: str) -> None:
    assert str(Origin.of(url)) == url


@pytest.mark.parametrize(
    ("host", "loopback"), [("localhost", True), ("127.9.9.9", True), ("example.org", False)]
)
def test_this_machine_is_recognised(host: str, *, loopback: bool) -> None:
    assert Origin.of(f"http://{host}/").loopback is loopback
