"""A connection's settings refuse what would fail later, or leak."""

import pytest

from caldav_run.dav.settings import Auth, Settings
from caldav_run.errors import SetupError
from caldav_run.secret import Secret

PASSWORD = Secret.of("hunter2")


def test_a_bare_host_is_asked_by_https() -> None:
    settings = Settings(url="example.org:8443")
    assert settings.bare
    assert settings.base == "https://example.org:8443/"


def test_a_bare_address_of_this_machine_is_asked_by_http() -> None:
    assert Settings(url="localhost:5232").base == "http://localhost:5232/"


def test_a_host_with_a_path_keeps_it() -> None:
    assert Settings(url="example.org/dav").base == "https://example.org/dav"


def test_a_url_is_taken_as_it_is() -> None:
    assert Settings(url="https://example.org/dav/").base == "https://example.org/dav/"


def test_http_beyond_this_machine_needs_the_users_word() -> None:
    with pytest.raises(SetupError, match="insecure: true"):
        Settings(url="http://example.org/")
    assert Settings(url="http://example.org/", insecure=True).base == "http://example.org/"


def test_a_mail_address_is_its_domain_and_the_user() -> None:
    settings = Settings(url="alice@example.org", password=Secret.of("pw"))
    assert (settings.base, settings.username) == ("https://example.org/", "alice@example.org")


def test_a_username_stands_above_the_mail_address() -> None:
    settings = Settings(url="alice@example.org", username="a", password=Secret.of("pw"))
    assert settings.username == "a"


@pytest.mark.parametrize(
    "url", ["https://alice:pw@example.org/", "alice:pw@example.org", "alice@example.org/dav/"]
)
def test_a_user_in_the_url_is_refused(url: str) -> None:
    with pytest.raises(SetupError, match="use username and password"):
        Settings(url=url)


def test_an_at_sign_in_the_path_is_no_user() -> None:
    assert Settings(url="https://example.org/alice@example.org/").base


def test_half_of_the_credentials_is_refused() -> None:
    with pytest.raises(SetupError, match="set password"):
        Settings(url="example.org", username="alice")
    with pytest.raises(SetupError, match="set username"):
        Settings(url="example.org", password=PASSWORD)


def test_a_token_needs_no_user() -> None:
    assert Settings(url="example.org", password=PASSWORD, auth=Auth.BEARER).username is None
    with pytest.raises(SetupError, match="set password"):
        Settings(url="example.org", auth=Auth.BEARER)


def test_the_password_is_not_shown() -> None:
    assert "hunter2" not in repr(Settings(url="example.org", username="a", password=PASSWORD))
