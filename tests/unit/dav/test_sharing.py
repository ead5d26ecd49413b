"""Who has a calendar, as three kinds of servers say it."""

import pytest

from caldav_run.dav import collections
from caldav_run.dav.collections import Collection
from caldav_run.dav.connection import Connection
from caldav_run.testing.scripted import ScriptedServer, multistatus, response

CALENDAR = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
ALICE = "<d:current-user-principal><d:href>/p/alice/</d:href></d:current-user-principal>"
NEXTCLOUD = (
    '<o:invite xmlns:o="http://owncloud.org/ns"><o:user><d:href>principal:principals/users/bob'
    "</d:href><o:common-name>bob</o:common-name><o:invite-accepted/><o:access><o:read-write/>"
    "</o:access></o:user></o:invite>"
)
APPLE = (
    '<x:invite xmlns:x="http://calendarserver.org/ns/"><x:user><d:href>mailto:bob@example.org'
    "</d:href><x:access><x:read/></x:access></x:user><x:user><d:href>/p/carol/</d:href></x:user>"
    "<x:user/></x:invite>"
)
STANDARD = (
    "<d:invite><d:sharee><d:href>/p/bob/</d:href><d:share-access><d:read/></d:share-access>"
    "</d:sharee></d:invite>"
)


def owned(by: str) -> str:
    return f"<d:owner><d:href>{by}</d:href></d:owner>"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", None),
        (NEXTCLOUD, "read-write principal:principals/users/bob"),
        (APPLE, "read mailto:bob@example.org, shared /p/carol/"),
        (STANDARD, "read /p/bob/"),
        (ALICE + owned("/p/alice"), None),
        (ALICE + owned("/p/bob/"), "owner /p/bob/"),
        (owned("/p/bob/"), None),
        ("<d:invite/>", None),
    ],
)
def test_what_is_said_of_sharing_is_told_in_one_form(
    server: ScriptedServer, connection: Connection, said: str, told: str | None
) -> None:
    server.script = lambda _: multistatus(response("/home/work/", CALENDAR + said))
    (found,) = collections.listed(connection, f"{server.url}home/", f"{server.url}home/")
    assert isinstance(found, Collection)
    assert found.calendar.sharing == told
