"""Every address of a real server leads to the account, and the server is taken for what it is."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from tests.integration.servers import known
from tests.integration.servers.calendars import Made
from tests.integration.servers.description import Running
from tests.integration.servers.pool import Pool
from tests.integration.servers.raw import Raw

from caldav_run.connectors.remembered import corrected
from caldav_run.dav import collections, discovery
from caldav_run.dav.collections import Collection
from caldav_run.dav.discovery import Account, Kind
from caldav_run.dav.probing import probed
from caldav_run.dav.profiles import Sync
from caldav_run.dav.settings import Settings
from caldav_run.errors import AccessError
from caldav_run.secret import Secret
from caldav_run.testing.servers import Server

BOXES = {"inbox", "outbox", ".in", ".out", "trashbin", "addresses", "notifications"}


class Expected(NamedTuple):
    """What a server is taken for, and how far its sync-collection goes by profile and probe."""

    profile: str
    sync: Sync = Sync.TRUSTED


EXPECTED: Mapping[str, Expected] = {
    "radicale": Expected("radicale"),
    "xandikos": Expected("xandikos"),
    "cyrus": Expected("cyrus"),
    "cyrus-3.10": Expected("cyrus"),
    "davical": Expected("davical", Sync.STALE_TOKENS),
    "sogo": Expected("sogo", Sync.STALE_TOKENS),
    # Too old to have any, which its calendars show by having no token.
    "sabre": Expected("baikal"),
    "nextcloud": Expected("nextcloud"),
}


def found(server: Server, url: str, password: str | None = None) -> Account:
    secret = Secret.of(password or server.password) if server.password else None
    username = server.username if secret else None
    return discovery.find(Settings(url=url, username=username, password=secret))


def calendars(account: Account) -> Iterator[Collection]:
    return (each for each in account.collections() if isinstance(each, Collection))


def root(server: Server) -> str:
    parts = urlsplit(server.url)
    return f"{parts.scheme}://{parts.netloc}"


def test_the_host_the_service_and_the_home_lead_to_one_account(
    running: Running, calendar: Made
) -> None:
    server = running.account
    host = urlsplit(server.url).netloc
    origins = set()
    for url in (host, root(server), server.url, root(server) + server.home):
        account = found(server, url)
        with closing(account.connection):
            assert calendar.name in {each.calendar.id for each in calendars(account)}, url
            origins.add(account.origin)
    assert len(origins) == 1


def test_the_address_of_a_calendar_is_that_calendar(running: Running, calendar: Made) -> None:
    account = found(running.account, root(running.account) + calendar.path)
    with closing(account.connection):
        assert [each.calendar.id for each in calendars(account)] == [calendar.name]


def test_a_calendar_is_the_users_own_and_boxes_are_no_calendars(
    running: Running, calendar: Made
) -> None:
    account = found(running.account, running.account.url)
    with closing(account.connection):
        kinds = {each.calendar.id: account.kind(each) for each in calendars(account)}
    assert kinds[calendar.name] is Kind.OWN
    assert not BOXES & {each.lower() for each in kinds}


def test_the_server_is_recognised_and_a_probe_agrees(running: Running, calendar: Made) -> None:
    if running.description.name not in EXPECTED:
        pytest.skip("it is not known what it is")
    account = found(running.account, running.account.url)
    with closing(account.connection):
        mine = next(each for each in calendars(account) if each.calendar.id == calendar.name)
        sync = probed(account.connection, mine)
    profile = account.profile
    assert Expected(profile.name, profile.sync) == EXPECTED[running.description.name]
    assert sync is None or corrected(profile, sync) == profile


def test_a_wrong_password_is_an_access_error(running: Running) -> None:
    if not running.account.password:
        pytest.skip("it asks for no password")
    with pytest.raises(AccessError):
        found(running.account, running.account.url, "not-the-password")


SHARE = (
    '<o:share xmlns:d="DAV:" xmlns:o="http://owncloud.org/ns"><o:set><d:href>principal:principals'
    "/users/{}</d:href></o:set></o:share>"
)
SUBSCRIBE = (
    '<d:mkcol xmlns:d="DAV:" xmlns:s="http://calendarserver.org/ns/"><d:set><d:prop>'
    "<d:resourcetype><d:collection/><s:subscribed/></d:resourcetype>"
    "<d:displayname>Holidays</d:displayname><s:source><d:href>https://feeds.example/a.ics"
    "</d:href></s:source></d:prop></d:set></d:mkcol>"
)
XML = {"Content-Type": "application/xml; charset=utf-8"}


@pytest.mark.container
@pytest.mark.timeout(known.START_LIMIT_S)
@pytest.mark.skipif("nextcloud" not in known.wanted(), reason="it was not asked for")
def test_nextcloud_tells_shared_subscribed_and_deleted_calendars_apart(pool: Pool) -> None:
    new_account = pool.get("nextcloud").new_account
    assert new_account is not None
    reader, owner = new_account("discovering"), new_account("sharing")
    with Raw(owner) as raw:
        raw.make_calendar(f"{owner.home}team/", "Team")
        share = SHARE.format(reader.username).encode()
        assert raw.send("POST", f"{owner.home}team/", share, XML).good
    with Raw(reader) as raw:
        assert raw.send("MKCOL", f"{reader.home}holidays/", SUBSCRIBE.encode(), XML).good
        raw.make_calendar(f"{reader.home}gone/", "Gone")
        assert raw.send("DELETE", f"{reader.home}gone/").good
    account = found(reader, reader.url)
    with closing(account.connection):
        home = account.homes[0]
        shown = list(collections.shown(account.connection, home, home))
        read = {each.calendar.id for each in calendars(account)}
    kinds = {
        each.calendar.id: (account.kind(each), account.owner_name(each))
        for each in shown
        if isinstance(each, Collection)
    }
    shared = "team_shared_by_sharing"
    assert kinds[shared] == (Kind.SHARED, "sharing")
    assert kinds["holidays"][0] is Kind.SUBSCRIBED
    assert "gone" not in kinds
    assert read == {*kinds} - {"holidays"}
