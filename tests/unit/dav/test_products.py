"""Servers are recognised by their address, by what their answers show, and by their paths."""

import pytest

from caldav_run.connectors.schemas import load_schemas
from caldav_run.dav.products import ADDRESSES, PRODUCTS, recognised
from caldav_run.dav.profiles import UNKNOWN, Profile, Sync
from caldav_run.dav.settings import Settings

SABRE = "1, 3, extended-mkcol, access-control, calendarserver-principal-property-search"
RADICALE = "1, 2, 3, calendar-access, addressbook, extended-mkcol"


@pytest.mark.parametrize(
    ("url", "signs", "name"),
    [
        ("https://caldav.fastmail.com/dav/principals/user/a@b.c/", "", "fastmail"),
        ("https://p42-caldav.icloud.com:443/1/calendars/", "", "icloud"),
        ("https://apidata.googleusercontent.com/caldav/v2/a/user", "", "google"),
        ("https://calendar.zoho.com.au/caldav/1/user/", "", "zoho"),
        ("https://posteo.de:8443/calendars/a/", f" ={SABRE}=", "posteo"),
        ("https://a.test/x/", f"apache ={SABRE}, nc-calendar-search=", "nextcloud"),
        ("https://a.test/remote.php/dav/calendars/a/", "", "nextcloud"),
        ("https://a.test/x/", f"nginx ={SABRE}=", "baikal"),
        ("https://a.test/caldav.php/a/", "apache davical/1.1.12; db/1.3.5 ==", "davical"),
        ("https://a.test/SOGo/dav/a/Calendar/", "nginx ==", "sogo"),
        ("https://a.test/dav/calendars/user/a/", "==", "cyrus"),
        ("https://a.test/dav/cal/a/", "==", "stalwart"),
        ("https://a.test/a/", f"wsgiserver/0.2 ={RADICALE}=", "radicale"),
        ("https://a.test/a/", "python/3.11 aiohttp/3.14.5 ==", "xandikos"),
        ("https://a.test/a/", f"other ={RADICALE}, more=", "standard"),
        ("https://evil.test/caldav.fastmail.com/", "", "standard"),
    ],
)
def test_a_server_is_recognised(url: str, signs: str, name: str) -> None:
    assert recognised(["https://a.test/", url], signs.lower()).name == name


def test_a_service_is_known_by_its_host_whatever_software_it_shows() -> None:
    found = recognised(["https://dav.mailbox.org/"], f"={SABRE}, nc-calendar-search=")
    assert found.name == "mailbox.org"


@pytest.mark.parametrize("kind", ["sources", "sinks"])
def test_a_pipeline_may_name_every_profile(kind: str) -> None:
    schema = load_schemas()[f"{kind}/caldav.schema.json"]
    assert schema["properties"]["profile"]["enum"] == sorted(PRODUCTS)


@pytest.mark.parametrize("name", sorted(PRODUCTS))
def test_a_product_gives_a_whole_profile(name: str) -> None:
    profile = PRODUCTS[name]()
    assert profile.name == name
    assert profile.title != UNKNOWN.title
    assert 1 <= profile.concurrency <= UNKNOWN.concurrency


def days(profile: Profile) -> int:
    return profile.audit_every.days


@pytest.mark.parametrize("name", ["sogo", "davical", "synology", "stalwart", "ox", "mailbox.org"])
def test_a_server_that_takes_stale_tokens_is_listed_every_day(name: str) -> None:
    profile = PRODUCTS[name]()
    assert profile.sync is Sync.STALE_TOKENS
    assert days(profile) == 1


@pytest.mark.parametrize("name", ["nextcloud", "cyrus", "radicale", "baikal", "icloud"])
def test_a_server_that_refuses_stale_tokens_is_listed_every_week(name: str) -> None:
    profile = PRODUCTS[name]()
    assert profile.sync is Sync.TRUSTED
    assert days(profile) == 7


@pytest.mark.parametrize("name", ["posteo", "yahoo"])
def test_hints_of_the_library_tell_who_has_no_sync(name: str) -> None:
    assert PRODUCTS[name]().sync is Sync.NONE


@pytest.mark.parametrize("name", ["ox", "gmx"])
def test_hints_of_the_library_slow_down_where_requests_are_counted(name: str) -> None:
    assert PRODUCTS[name]().concurrency == 2


@pytest.mark.parametrize("domain", sorted(ADDRESSES))
def test_the_address_of_a_mail_domain_is_that_of_a_known_service(domain: str) -> None:
    assert Settings(url=ADDRESSES[domain]).base == ADDRESSES[domain]
    assert recognised([ADDRESSES[domain]], "") is not UNKNOWN
