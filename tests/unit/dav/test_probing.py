"""What one report with an invalid token shows of a server."""

import pytest

from caldav_run.dav.collections import Collection
from caldav_run.dav.connection import Connection
from caldav_run.dav.probing import probed
from caldav_run.dav.profiles import Sync
from caldav_run.model import Calendar
from caldav_run.testing.scripted import Answer, ScriptedServer, multistatus

XML = {"Content-Type": "application/xml"}


def refusal(condition: str) -> bytes:
    return (
        f'<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><d:{condition}/>'
        "<s:message>in words</s:message></d:error>"
    ).encode()


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (multistatus(), Sync.STALE_TOKENS),
        (Answer(403, refusal("valid-sync-token"), XML), Sync.TRUSTED),
        (Answer(412), Sync.TRUSTED),
        (Answer(500, b"<html>"), Sync.TRUSTED),
        (Answer(403, refusal("supported-report"), XML), Sync.NONE),
        (Answer(501), Sync.NONE),
        (Answer(429, b"", {"Retry-After": "999"}), None),
        (Answer(502), None),
        (Answer(504), None),
        (Answer(403, b"", broken=True), None),
    ],
)
@pytest.mark.usefixtures("waits")
def test_the_answer_to_an_invalid_token_tells_how_far_sync_goes(
    server: ScriptedServer, connection: Connection, answer: Answer, found: Sync | None
) -> None:
    server.script = lambda _: answer
    collection = Collection(Calendar(id="a"), f"{server.url}a/", sync_token="t1")
    assert probed(connection, collection) is found


def test_a_calendar_without_a_token_is_not_asked(
    server: ScriptedServer, connection: Connection
) -> None:
    assert probed(connection, Collection(Calendar(id="a"), f"{server.url}a/")) is None
    assert server.asked == []
