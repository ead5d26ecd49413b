"""An item is written once, under conditions, and never over what was not seen before."""

from collections.abc import Callable

import pytest

from caldav_run.dav.connection import Connection
from caldav_run.dav.failures import InterruptedAnswerError
from caldav_run.dav.putting import ANY, Done, Put
from caldav_run.dav.refusals import NotYetError
from caldav_run.errors import CalendarError, ItemError, MovedError, TemporaryError
from caldav_run.testing.scripted import Answer, Asked, Script, ScriptedServer

BODY = b"body\n"
WORDS = {"Content-Type": "text/plain"}


def put(server: ScriptedServer, etag: str | None = None, *, looks: bool = False) -> Put:
    url = f"{server.url}w/a%20b.ics"
    return Put(url=url, body=BODY, etag=etag, alike=lambda there: there == BODY, looks=looks)


def holding(body: bytes | None, etag: str = '"1"', write: Answer | None = None) -> Script:
    """A server that has these bytes, and answers so to a write."""

    def script(asked: Asked) -> Answer:
        if asked.method == "PUT":
            return write or Answer(201, headers={"ETag": '"2"'})
        return Answer(404) if body is None else Answer(200, body, {"ETag": etag})

    return script


def test_a_new_item_is_written_only_where_nothing_is(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = holding(None)
    done = put(server).attempt(connection, doubtful=False)
    assert done == Done(f"{server.url}w/a%20b.ics", '"2"')
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.body) == ("PUT", "/w/a%20b.ics", BODY)
    assert asked.headers["if-none-match"] == "*"
    assert "if-match" not in asked.headers
    assert asked.headers["content-type"] == "text/calendar; charset=utf-8"


def test_an_item_is_replaced_only_in_the_version_that_was_seen(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = holding(b"old")
    put(server, '"7"').attempt(connection, doubtful=False)
    assert server.asked[0].headers["if-match"] == '"7"'
    assert "if-none-match" not in server.asked[0].headers


def test_a_name_that_the_server_chose_is_told(
    server: ScriptedServer, connection: Connection
) -> None:
    there = Answer(201, headers={"Location": "/w/chosen.ics"})
    server.script = holding(None, write=there)
    done = put(server).attempt(connection, doubtful=False)
    assert done.url == f"{server.url}w/chosen.ics"


@pytest.mark.parametrize("place", ["https://elsewhere/x/y.ics", "/", "/w/", "/w/a/b.ics"])
def test_a_location_that_cannot_be_the_items_is_passed_over(
    server: ScriptedServer, connection: Connection, place: str
) -> None:
    server.script = holding(None, write=Answer(201, headers={"Location": place}))
    assert put(server).attempt(connection, doubtful=False).url == f"{server.url}w/a%20b.ics"


def test_a_failed_condition_means_that_it_changed(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = holding(b"other", write=Answer(412))
    with pytest.raises(MovedError, match="has appeared"):
        put(server).attempt(connection, doubtful=False)
    with pytest.raises(MovedError, match="has changed"):
        put(server, '"7"').attempt(connection, doubtful=False)


def test_a_doubled_uid_is_refused_though_the_status_is_that_of_a_condition(
    server: ScriptedServer, connection: Connection
) -> None:
    words = (
        b'<?xml version="1.0"?><d:error xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">'
        b"<c:no-uid-conflict><d:href>/w/x.ics</d:href></c:no-uid-conflict></d:error>"
    )
    server.script = holding(None, write=Answer(412, words, {"Content-Type": "application/xml"}))
    with pytest.raises(ItemError, match=r"no-uid-conflict, /w/x\.ics") as caught:
        put(server).attempt(connection, doubtful=False)
    assert not isinstance(caught.value, MovedError)


def test_what_is_there_as_it_was_seen_was_not_refused_for_its_condition(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = holding(b"old", '"7"', Answer(412, b"Bad rule", WORDS))
    with pytest.raises(ItemError, match="Bad rule") as caught:
        put(server, '"7"').attempt(connection, doubtful=False)
    assert not isinstance(caught.value, MovedError)


def test_an_item_that_is_gone_cannot_be_replaced(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = holding(None, write=Answer(404))
    with pytest.raises(MovedError):
        put(server, '"7"').attempt(connection, doubtful=False)


def test_a_404_for_what_is_there_is_a_refusal(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = holding(b"old", '"7"', Answer(404))
    with pytest.raises(ItemError, match="404") as caught:
        put(server, '"7"').attempt(connection, doubtful=False)
    assert not isinstance(caught.value, MovedError)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 413, 415, 501])
def test_a_refusal_concerns_the_item(
    server: ScriptedServer, connection: Connection, status: int
) -> None:
    server.script = holding(None, write=Answer(status, b"Because", WORDS))
    with pytest.raises(ItemError, match=f"{status} .*: Because"):
        put(server).attempt(connection, doubtful=False)


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (507, b"", TemporaryError),
        (403, b"Over quota", TemporaryError),
        (403, b"quota-not-exceeded", TemporaryError),
    ],
)
def test_a_full_account_concerns_every_item(
    server: ScriptedServer,
    connection: Connection,
    status: int,
    words: bytes,
    kind: type[Exception],
) -> None:
    server.script = holding(None, write=Answer(status, words, WORDS))
    with pytest.raises(kind, match="no room"):
        put(server).attempt(connection, doubtful=False)


def test_a_missing_right_concerns_the_calendar(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = holding(None, write=Answer(403, b"need-privileges", WORDS))
    with pytest.raises(CalendarError, match="need-privileges"):
        put(server).attempt(connection, doubtful=False)


@pytest.mark.parametrize(
    ("status", "words", "crowded", "busy"),
    [
        (500, b"SQLSTATE[HY000]: General error: 5 database is locked", True, False),
        (500, b"Deadlock found when trying to get lock", True, False),
        (500, b"Something else", False, False),
        (502, b"", False, True),
        (423, b"", False, True),
    ],
)
def test_what_may_pass_is_told_from_what_stays(
    server: ScriptedServer,
    connection: Connection,
    status: int,
    words: bytes,
    *,
    crowded: bool,
    busy: bool,
) -> None:
    server.script = holding(None, write=Answer(status, words, WORDS))
    with pytest.raises(NotYetError) as caught:
        put(server).attempt(connection, doubtful=False)
    assert (caught.value.crowded, caught.value.busy) == (crowded, busy)


def test_a_server_that_asks_for_an_hour_ends_it(
    server: ScriptedServer, connection: Connection, waits: list[float]
) -> None:
    busy = Answer(503, headers={"Retry-After": "3600"})
    server.script = holding(None, write=busy)
    with pytest.raises(TemporaryError) as caught:
        put(server).attempt(connection, doubtful=False)
    assert caught.value.mend == "try again in 3600 seconds, as the server asks for"
    assert waits == []


# ------------------------------------------------------------ no answer came


def test_a_broken_connection_leaves_it_open_whether_it_was_written(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = holding(None, write=Answer(400, b"a", broken=True))
    with pytest.raises(InterruptedAnswerError):
        put(server).attempt(connection, doubtful=False)


def test_a_truncated_answer_that_says_yes_is_a_yes(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = holding(None, write=Answer(201, b"a", {"ETag": '"2"'}, broken=True))
    assert put(server).attempt(connection, doubtful=False).etag == '"2"'


@pytest.mark.parametrize("etag", [None, '"1"', ANY])
def test_what_was_written_unanswered_is_not_written_again(
    server: ScriptedServer, connection: Connection, etag: str | None
) -> None:
    server.script = holding(BODY, '"2"')
    done = put(server, etag).attempt(connection, doubtful=True)
    assert done == Done(f"{server.url}w/a%20b.ics", '"2"')
    assert server.methods() == ["GET /w/a%20b.ics"]


@pytest.mark.parametrize(("etag", "there"), [(None, None), ('"1"', b"old"), (ANY, b"old")])
def test_what_was_not_written_is_written_now(
    server: ScriptedServer, connection: Connection, etag: str | None, there: bytes | None
) -> None:
    server.script = holding(there)
    put(server, etag).attempt(connection, doubtful=True)
    assert server.methods() == ["GET /w/a%20b.ics", "PUT /w/a%20b.ics"]


@pytest.mark.parametrize(
    ("etag", "there"), [(None, b"theirs"), ('"7"', b"theirs"), ('"7"', None), (ANY, None)]
)
def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(
    server: ScriptedServer, connection: Connection, etag: str | None, there: bytes | None
) -> None:
    server.script = holding(there)
    with pytest.raises(MovedError):
        put(server, etag).attempt(connection, doubtful=True)
    assert server.methods() == ["GET /w/a%20b.ics"]


def late(answers: list[Answer]) -> Callable[[Asked], Answer]:
    """A server that gets on with the first attempt only while it is asked a second time."""

    def script(asked: Asked) -> Answer:
        return Answer(412) if asked.method == "PUT" else answers.pop(0)

    return script


def test_an_attempt_that_is_done_late_is_seen(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = late([Answer(404), Answer(200, BODY, {"ETag": '"2"'})])
    assert put(server).attempt(connection, doubtful=True).etag == '"2"'


def test_somebody_who_came_between_two_attempts_is_seen(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = late([Answer(404), Answer(200, b"theirs", {"ETag": '"2"'})])
    with pytest.raises(MovedError):
        put(server).attempt(connection, doubtful=True)


# ------------------------------------------------------------ servers that heed no conditions


def test_where_conditions_are_not_heeded_one_looks_before(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = holding(b"theirs", '"1"')
    with pytest.raises(MovedError, match="has appeared"):
        put(server, looks=True).attempt(connection, doubtful=False)
    with pytest.raises(MovedError, match="has changed"):
        put(server, '"0"', looks=True).attempt(connection, doubtful=False)
    assert "PUT" not in str(server.methods())
    put(server, '"1"', looks=True).attempt(connection, doubtful=False)
    assert server.methods()[-1] == "PUT /w/a%20b.ics"


def test_a_weak_etag_is_compared_by_looking(server: ScriptedServer, connection: Connection) -> None:
    server.script = holding(b"old", 'W/"1"')
    put(server, 'W/"1"').attempt(connection, doubtful=False)
    assert server.methods() == ["GET /w/a%20b.ics", "PUT /w/a%20b.ics"]
    assert server.asked[-1].headers["if-match"] == "*"
    with pytest.raises(MovedError):
        put(server, 'W/"0"').attempt(connection, doubtful=False)
