"""What a CalDAV source says of calendars beside their items."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from caldav_run import shelf
from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.errors import ConnectorError
from caldav_run.model import (
    CalendarDone,
    CalendarExcluded,
    CalendarStart,
    Failed,
    Item,
    Provenance,
    Reading,
)
from caldav_run.testing.contracts import context
from caldav_run.testing.contracts.sources import Held
from caldav_run.testing.scripted import Answer, Asked, multistatus, response, scripted_server


def calendar(owner: str) -> str:
    return (
        "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
        f"<d:owner><d:href>/p/{owner}/</d:href></d:owner>"
    )


def account(asked: Asked) -> Answer:
    """One calendar of alice's and one of bob's, both empty."""
    if asked.path == "/home/" and asked.headers.get("depth") == "1":
        shared = (response("/home/mine/", calendar("alice")), response("/home/t/", calendar("bob")))
        return multistatus(response("/home/"), *shared)
    home = "<c:calendar-home-set><d:href>/home/</d:href></c:calendar-home-set>"
    principal = "<d:current-user-principal><d:href>/p/alice/</d:href></d:current-user-principal>"
    return multistatus(response(asked.path, home + principal))


def nameless(asked: Asked) -> Answer:
    """One empty calendar, whose display name is refused."""
    if asked.path == "/home/" and asked.headers.get("depth") == "1":
        refused = (
            "<d:propstat><d:prop><d:displayname/></d:prop>"
            "<d:status>HTTP/1.1 403 Forbidden</d:status></d:propstat></d:response>"
        )
        found = response("/home/team/", calendar("alice")).replace("</d:response>", refused)
        return multistatus(response("/home/"), found)
    return account(asked)


@pytest.mark.parametrize(
    ("chosen", "becomes"),
    [
        (["Team"], Failed),
        ({"exclude": ["Private"]}, Failed),
        ({"include": ["team"], "exclude": ["Private"]}, Failed),
        (["team"], CalendarStart),
        ({"exclude": ["team"]}, CalendarExcluded),
        ([], CalendarExcluded),
        (None, CalendarStart),
    ],
)
def test_a_calendar_whose_name_is_refused_is_left_out_only_where_that_is_certain(
    tmp_path: Path, chosen: object, becomes: type
) -> None:
    with scripted_server(nameless) as server:
        options = {"url": f"{server.url}p/alice/", "calendars": chosen}
        source = CaldavSource.from_options(options, context(tmp_path))
        with closing(source):
            found, *_ = source.read(Held())
    assert isinstance(found, becomes)
    told = found.reason if isinstance(found, Failed) else getattr(found, "note", "403")
    assert "403" in str(told)


def two_homes(asked: Asked) -> Answer:
    """An account with two homes, the second of which cannot be listed."""
    if asked.path == "/team/":
        return Answer(404)
    more = "<d:href>/team/</d:href></c:calendar-home-set>"
    answer = account(asked)
    return replace(answer, body=answer.body.replace(b"</c:calendar-home-set>", more.encode()))


def test_a_home_that_cannot_be_listed_does_not_keep_the_other_one_from_being_read(
    tmp_path: Path,
) -> None:
    found: list[Reading] = []
    with scripted_server(two_homes) as server:
        source = CaldavSource.from_options({"url": f"{server.url}p/alice/"}, context(tmp_path))
        with closing(source), pytest.raises(ConnectorError, match="/team/ cannot be listed: 404"):
            found.extend(source.read(Held()))
    done = [each.calendar for each in found if isinstance(each, CalendarDone)]
    assert done == ["mine", "t"]


@pytest.mark.parametrize(
    ("answer", "first"),
    [(Answer(503, b"", {"Retry-After": "999"}), "/home/"), (Answer(403), "/p/alice/")],
)
def test_where_an_account_was_is_remembered_through_an_outage_but_not_after_a_refusal(
    tmp_path: Path, answer: Answer, first: str
) -> None:
    with scripted_server(account) as server:

        def read() -> None:
            options = {"url": f"{server.url}p/alice/"}
            with closing(CaldavSource.from_options(options, context(tmp_path))) as source:
                list(source.read(Held()))

        read()
        server.script = lambda _: answer
        with pytest.raises(ConnectorError, match=str(answer.status)):
            read()
        server.script = account
        server.asked.clear()
        read()
        assert server.asked[0].path == first


def test_an_account_that_moved_while_its_old_place_is_down_is_found(tmp_path: Path) -> None:
    def moved(asked: Asked) -> Answer:
        if asked.path.startswith("/home/"):
            return Answer(503, b"", {"Retry-After": "999"})
        answer = account(replace(asked, path=asked.path.replace("/new/", "/home/")))
        return replace(answer, body=answer.body.replace(b"/home/", b"/new/"))

    read: list[Reading] = []
    with scripted_server(account) as server:
        options = {"url": f"{server.url}p/alice/"}
        for script in (account, moved):
            server.script = script
            with closing(CaldavSource.from_options(options, context(tmp_path))) as source:
                read = list(source.read(Held()))
    assert sum(isinstance(each, CalendarDone) for each in read) == 2


@pytest.mark.parametrize(("profile", "noted"), [("nextcloud", ["t"]), ("cyrus", [])])
def test_a_share_that_the_server_rewrites_is_noted(
    tmp_path: Path, profile: str, noted: list[str]
) -> None:
    with scripted_server(account) as server:
        options = {"url": f"{server.url}p/alice/", "profile": profile}
        source = CaldavSource.from_options(options, context(tmp_path))
        with closing(source):
            starts = [each for each in source.read(Held()) if isinstance(each, CalendarStart)]
    assert [each.calendar.id for each in starts] == ["mine", "t"]
    assert [each.calendar.id for each in starts if each.note] == noted
    assert all("bob shares it, and Nextcloud" in each.note for each in starts if each.note)


def available(when: str) -> str:
    return f"<c:calendar-availability>{when}</c:calendar-availability>"


INBOX = "<d:resourcetype><d:collection/><c:schedule-inbox/></d:resourcetype>"
REFUSED = (
    "<d:propstat><d:prop><c:calendar-availability/></d:prop>"
    "<d:status>HTTP/1.1 403 Forbidden</d:status></d:propstat></d:response>"
)


@pytest.mark.parametrize(
    ("home", "inbox", "told"),
    [
        ("", INBOX, []),
        (available("home"), INBOX, ["home"]),
        ("", INBOX + available("inbox"), ["inbox"]),
        (available("home"), INBOX + available("inbox"), ["inbox"]),
        ("", available("no inbox"), []),
    ],
)
def test_when_the_user_is_available_is_read_with_the_home(
    tmp_path: Path, home: str, inbox: str, told: list[str]
) -> None:
    def script(asked: Asked) -> Answer:
        if asked.path == "/home/" and asked.headers.get("depth") == "1":
            return multistatus(response("/home/", home), response("/home/inbox/", inbox))
        return account(asked)

    with scripted_server(script) as server:
        source = CaldavSource.from_options({"url": f"{server.url}p/alice/"}, context(tmp_path))
        with closing(source):
            found = list(source.read(Held()))
    starts = [each.calendar for each in found if isinstance(each, CalendarStart)]
    assert [each.availability for each in starts] == told
    assert {each.id for each in starts} <= {shelf.ACCOUNT}


@pytest.mark.parametrize(("held", "failed"), [(["x"], [shelf.ACCOUNT]), ([], [])])
def test_what_is_refused_of_the_account_is_unread_where_it_is_held(
    tmp_path: Path, held: list[str], failed: list[str]
) -> None:
    def script(asked: Asked) -> Answer:
        if asked.path == "/home/" and asked.headers.get("depth") == "1":
            home = response("/home/", "").replace("</d:response>", REFUSED)
            return multistatus(home, response("/home/mine/", calendar("alice")))
        return account(asked)

    items = [Item(shelf.ACCOUNT, href, None, b"", Provenance.GET) for href in held]
    with scripted_server(script) as server:
        source = CaldavSource.from_options({"url": f"{server.url}p/alice/"}, context(tmp_path))
        with closing(source):
            found = list(source.read(Held(items)))
    assert [each.calendar for each in found if isinstance(each, Failed)] == failed
