"""From a host or any URL to the account's calendars."""

from collections.abc import Callable, Mapping
from contextlib import closing

import pytest

from caldav_run.dav import discovery
from caldav_run.dav.collections import Collection
from caldav_run.dav.locating import resolve_host
from caldav_run.dav.settings import Settings
from caldav_run.errors import AccessError, ConnectorError, TemporaryError
from caldav_run.secret import Secret
from caldav_run.testing.scripted import (
    Answer,
    Asked,
    Script,
    ScriptedServer,
    multistatus,
    response,
)

CALENDAR = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
FOLDER = "<d:resourcetype><d:collection/></d:resourcetype>"
PRINCIPAL = "<d:current-user-principal><d:href>/p/alice/</d:href></d:current-user-principal>"


def homes(*hrefs: str) -> str:
    inner = "".join(f"<d:href>{href}</d:href>" for href in hrefs)
    return f"<c:calendar-home-set>{inner}</c:calendar-home-set>"


def site(pages: Mapping[str, Answer]) -> Script:
    """Answer PROPFINDs by path, and by `path*` where members are asked for."""

    def script(asked: Asked) -> Answer:
        members = "*" if asked.headers.get("depth") == "1" else ""
        return pages.get(asked.path + members, Answer(404))

    return script


USUAL: Mapping[str, Answer] = {
    "/dav/": multistatus(response("/dav/", FOLDER + PRINCIPAL)),
    "/p/alice/": multistatus(response("/p/alice/", PRINCIPAL + homes("/dav/c/alice/"))),
    "/dav/c/alice/*": multistatus(
        response("/dav/c/alice/", FOLDER),
        response("/dav/c/alice/work/", CALENDAR),
        response("/dav/c/alice/inbox/", FOLDER),
    ),
    "/dav/c/alice/work/": multistatus(response("/dav/c/alice/work/", CALENDAR + PRINCIPAL)),
    "/dav/c/alice/": multistatus(response("/dav/c/alice/", FOLDER + PRINCIPAL)),
    "/.well-known/caldav": Answer(301, b"", {"Location": "/dav/"}),
}

Find = Callable[[str], tuple[str, list[str]]]


@pytest.fixture
def find(server: ScriptedServer) -> Find:
    def from_url(path: str) -> tuple[str, list[str]]:
        settings = Settings(
            url=server.url + path, username="alice", password=Secret.of("a"), timeout_s=5
        )
        account = discovery.find(settings)
        with closing(account.connection):
            listed = account.collections()
            found = [each.calendar.id for each in listed if isinstance(each, Collection)]
        return account.origin.removeprefix(server.url), found

    return from_url


@pytest.mark.parametrize("path", ["", "dav/", "dav", "p/alice/", "dav/c/alice/", "dav/c/alice"])
def test_every_address_of_the_service_leads_to_the_account(
    server: ScriptedServer, find: Find, path: str
) -> None:
    pages = dict(USUAL)
    pages["/dav"] = Answer(301, b"", {"Location": "/dav/"})
    pages["/dav/c/alice"] = Answer(301, b"", {"Location": "/dav/c/alice/"})
    server.script = site(pages)
    assert find(path) == ("p/alice/ as alice", ["work"])


def test_a_path_that_says_nothing_is_left_for_the_well_known_one(
    server: ScriptedServer, find: Find
) -> None:
    server.script = site({**USUAL, "/web/": Answer(405)})
    assert find("web/") == ("p/alice/ as alice", ["work"])


def test_the_address_of_one_calendar_is_that_calendar(server: ScriptedServer, find: Find) -> None:
    server.script = site(USUAL)
    assert find("dav/c/alice/work/") == ("dav/c/alice/work/ as alice", ["work"])


def test_a_calendar_without_a_principal_is_named_by_its_last_segment(
    server: ScriptedServer, find: Find
) -> None:
    server.script = site({"/x/opaque/": multistatus(response("/x/opaque/", CALENDAR))})
    assert find("x/opaque/") == ("x/opaque/ as alice", ["opaque"])


def test_somebody_elses_shared_home_is_a_home(server: ScriptedServer, find: Find) -> None:
    pages = {
        **USUAL,
        "/dav/c/bob/": multistatus(response("/dav/c/bob/", FOLDER + PRINCIPAL)),
        "/dav/c/bob/*": multistatus(response("/dav/c/bob/shared/", CALENDAR)),
    }
    server.script = site(pages)
    assert find("dav/c/bob/") == ("dav/c/bob/ as alice", ["shared"])


@pytest.mark.parametrize("path", ["dav/", "p/alice/", "dav/c/alice/"])
def test_an_account_is_the_same_wherever_it_is_entered(
    server: ScriptedServer, find: Find, path: str
) -> None:
    # As one server names the principal in one place without its slash, and as another tells of
    # the user's homes at its root already.
    spelled = PRINCIPAL.replace("/p/alice/", "/p/alice")
    pages = {
        **USUAL,
        "/dav/": multistatus(response("/dav/", FOLDER + spelled + homes("/dav/c/alice/"))),
        "/dav/c/alice/": multistatus(response("/dav/c/alice/", FOLDER + spelled)),
        "/p/alice": USUAL["/p/alice/"],
    }
    server.script = site(pages)
    assert find(path) == ("p/alice/ as alice", ["work"])


def test_somebody_elses_principal_is_another_account(server: ScriptedServer, find: Find) -> None:
    pages = {
        **USUAL,
        "/p/bob/": multistatus(response("/p/bob/", PRINCIPAL + homes("/dav/c/bob/"))),
        "/dav/c/bob/*": multistatus(response("/dav/c/bob/shared/", CALENDAR)),
    }
    server.script = site(pages)
    assert find("p/bob/") == ("p/bob/ as alice", ["shared"])


def test_a_home_is_found_without_any_principal(server: ScriptedServer, find: Find) -> None:
    pages = {
        "/dav/": multistatus(response("/dav/", FOLDER)),
        "/dav/*": multistatus(response("/dav/", FOLDER), response("/dav/a/", CALENDAR)),
    }
    server.script = site(pages)
    assert find("dav/") == ("dav/ as alice", ["a"])


def test_calendars_of_two_homes_stay_apart(server: ScriptedServer, find: Find) -> None:
    pages = {
        **USUAL,
        "/p/alice/": multistatus(response("/p/alice/", homes("/dav/c/alice/", "/dav/c/team"))),
        "/dav/c/team/*": multistatus(response("/dav/c/team/work/", CALENDAR)),
    }
    server.script = site(pages)
    assert find("")[1] == ["work", "/dav/c/team/work"]


def test_a_home_that_cannot_be_listed_fails_the_account(server: ScriptedServer, find: Find) -> None:
    server.script = site({**USUAL, "/dav/c/alice/*": Answer(403)})
    with pytest.raises(AccessError, match="403 Forbidden"):
        find("")


def test_a_home_of_somebody_else_that_cannot_be_listed_is_not_taken_for_the_own_one(
    server: ScriptedServer, find: Find
) -> None:
    # As Nextcloud answers for the home of somebody who has delegated it.
    server.script = site(
        {**USUAL, "/dav/c/bob/": multistatus(response("/dav/c/bob/", FOLDER + PRINCIPAL))}
    )
    with pytest.raises(ConnectorError, match="cannot be listed: 404 Not Found") as caught:
        find("dav/c/bob/")
    assert "one of its calendars" in str(caught.value.mend)
    assert caught.value.exit_status == 1


def test_nobody_signed_in_is_an_access_error(server: ScriptedServer, find: Find) -> None:
    nobody = "<d:current-user-principal><d:unauthenticated/></d:current-user-principal>"
    server.script = site({"/dav/": multistatus(response("/dav/", nobody))})
    with pytest.raises(AccessError, match="did not sign anybody in"):
        find("dav/")


def test_an_empty_principal_is_no_principal(server: ScriptedServer, find: Find) -> None:
    nobody = "<d:current-user-principal/>"
    server.script = site(
        {
            "/dav/": multistatus(response("/dav/", nobody)),
            "/dav/*": multistatus(response("/dav/", FOLDER)),
        }
    )
    with pytest.raises(ConnectorError, match="no principal, no calendars"):
        find("dav/")


@pytest.mark.parametrize(
    ("page", "kind", "words"),
    [
        (Answer(200, b"<html>", {"Content-Type": "text/html"}), ConnectorError, "a web page"),
        (Answer(404), ConnectorError, "404 Not Found"),
        (Answer(405), ConnectorError, "no CalDAV server"),
        (Answer(403), AccessError, "403 Forbidden"),
        (Answer(500), TemporaryError, "500 Internal Server Error"),
        (Answer(207, b"<html><body/></html>"), ConnectorError, "no multistatus"),
        (Answer(207, b"<html><br></html>"), ConnectorError, "cannot be read"),
        (multistatus(), ConnectorError, "describes nothing"),
    ],
)
@pytest.mark.usefixtures("waits")
def test_what_is_no_account_says_so(
    server: ScriptedServer, find: Find, page: Answer, kind: type[ConnectorError], words: str
) -> None:
    server.script = lambda _: page
    with pytest.raises(kind, match=words) as caught:
        find("")
    assert type(caught.value) is kind


def test_a_bare_host_is_resolved_without_the_password(server: ScriptedServer) -> None:
    server.script = site(USUAL)
    bare = server.url.removeprefix("http://").rstrip("/")
    settings = Settings(url=bare, username="alice", password=Secret.of("a"))
    account = discovery.find(settings)
    account.connection.close()
    assert "authorization" not in server.asked[0].headers
    assert server.asked[0].path == "/.well-known/caldav"
    assert account.connection.base == f"{server.url}dav/"


def test_a_bare_host_without_a_well_known_address_is_asked_itself(server: ScriptedServer) -> None:
    server.script = lambda _: Answer(404)
    bare = server.url.removeprefix("http://").rstrip("/")
    assert resolve_host(Settings(url=bare)) == server.url


BUSY = Answer(503, b"", {"Retry-After": "999"})


def test_an_outage_where_a_bare_host_leads_is_one_and_the_host_does_not_get_the_password(
    server: ScriptedServer,
) -> None:
    server.script = site({**USUAL, "/dav/": BUSY, "/": Answer(405)})
    bare = server.url.removeprefix("http://").rstrip("/")
    settings = Settings(url=bare, username="alice", password=Secret.of("a"))
    with pytest.raises(TemporaryError, match="/dav/ is busy: 503"):
        discovery.find(settings)
    assert [each.path for each in server.asked] == ["/.well-known/caldav", "/dav/"]
    assert not any("authorization" in each.headers for each in server.asked)


def test_a_bare_host_whose_well_known_address_is_broken_is_asked_itself(
    server: ScriptedServer,
) -> None:
    server.script = site({**USUAL, "/.well-known/caldav": Answer(500)})
    bare = server.url.removeprefix("http://").rstrip("/")
    assert resolve_host(Settings(url=bare)) == server.url


@pytest.mark.parametrize("answer", [BUSY, Answer(500), Answer(0)])
@pytest.mark.usefixtures("waits")
def test_a_principal_that_does_not_tell_for_now_makes_no_other_account(
    server: ScriptedServer, find: Find, answer: Answer
) -> None:
    home = multistatus(response("/dav/c/alice/", FOLDER + PRINCIPAL + homes("/dav/c/alice/")))
    server.script = site({**USUAL, "/dav/c/alice/": home, "/p/alice/": answer})
    with pytest.raises(TemporaryError, match="/p/alice/"):
        find("dav/c/alice/")


@pytest.mark.parametrize("path", ["dav/c/alice/work/", "dav/c/bob/"])
def test_a_place_that_is_down_for_now_is_not_exchanged_for_the_whole_account(
    server: ScriptedServer, find: Find, path: str
) -> None:
    empty = multistatus(response("/dav/", FOLDER))
    server.script = site({**USUAL, "/dav/*": empty, f"/{path}": BUSY})
    with pytest.raises(TemporaryError, match=f"/{path} is busy"):
        find(path)


def test_a_principal_that_tells_nobody_leaves_the_home_to_name_the_account(
    server: ScriptedServer, find: Find
) -> None:
    home = multistatus(response("/dav/c/alice/", FOLDER + PRINCIPAL + homes("/dav/c/alice/")))
    server.script = site({**USUAL, "/dav/c/alice/": home, "/p/alice/": Answer(403)})
    assert find("dav/c/alice/") == ("dav/c/alice/ as alice", ["work"])


def test_an_outage_behind_the_well_known_address_is_no_wrong_address(
    server: ScriptedServer, find: Find
) -> None:
    server.script = site({**USUAL, "/dav/": BUSY, "/": Answer(405)})
    with pytest.raises(TemporaryError, match="is busy: 503"):
        find("")


def test_a_well_known_address_that_is_not_implemented_is_no_outage(
    server: ScriptedServer, find: Find
) -> None:
    server.script = site({"/.well-known/caldav": Answer(501), "/": Answer(405)})
    with pytest.raises(ConnectorError, match=r"no CalDAV server \(405") as caught:
        find("")
    assert caught.value.exit_status == 1


def test_a_host_with_a_path_needs_no_resolving(server: ScriptedServer) -> None:
    bare = server.url.removeprefix("http://") + "dav/"
    assert resolve_host(Settings(url=bare)) == server.url + "dav/"
    assert server.asked == []


def owned(by: str) -> str:
    return f"{CALENDAR}<d:owner><d:href>{by}</d:href></d:owner>"


def test_own_shared_and_subscribed_calendars_are_told_apart(server: ScriptedServer) -> None:
    copy = (
        '<d:resourcetype><d:collection/><c:calendar/><x:subscribed xmlns:x="'
        'http://calendarserver.org/ns/"/></d:resourcetype>'
    )
    members = multistatus(
        response("/dav/c/alice/", FOLDER),
        response("/dav/c/alice/mine/", owned("/p/%61lice")),
        response("/dav/c/alice/untold/", CALENDAR),
        response("/dav/c/alice/theirs/", owned("/p/b%C3%B6b/")),
        response("/dav/c/alice/copy/", copy),
    )
    server.script = site({**USUAL, "/dav/c/alice/*": members})
    account = discovery.find(Settings(url=f"{server.url}dav/"))
    with closing(account.connection):
        found = [each for each in account.collections() if isinstance(each, Collection)]
    assert [(each.calendar.id, account.kind(each), account.owner_name(each)) for each in found] == [
        ("mine", "own", "alice"),
        ("untold", "own", ""),
        ("theirs", "shared", "böb"),
        ("copy", "subscribed", ""),
    ]
