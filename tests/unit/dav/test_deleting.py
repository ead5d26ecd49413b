"""An item is deleted only in the version that was seen; what is gone is deleted."""

import pytest

from caldav_run.dav import deleting
from caldav_run.dav.connection import Connection
from caldav_run.dav.deleting import Delete
from caldav_run.dav.failures import StatusError
from caldav_run.dav.putting import Done
from caldav_run.errors import ItemError, MovedError
from caldav_run.testing.scripted import Answer, Asked, Script, ScriptedServer


def delete(server: ScriptedServer, etag: str | None = '"1"', *, looks: bool = False) -> Delete:
    return Delete(url=f"{server.url}w/a.ics", etag=etag, headers={"X-Quiet": "1"}, looks=looks)


def holding(answer: Answer, there: Answer = Answer(404)) -> Script:  # noqa: B008 - frozen
    def script(asked: Asked) -> Answer:
        return answer if asked.method == "DELETE" else there

    return script


@pytest.mark.parametrize("status", [200, 202, 204, 404, 410])
def test_what_is_gone_is_deleted(
    server: ScriptedServer, connection: Connection, status: int
) -> None:
    server.script = holding(Answer(status))
    assert delete(server).attempt(connection, doubtful=False) == Done()
    (asked,) = server.asked
    assert (asked.headers["if-match"], asked.headers["x-quiet"]) == ('"1"', "1")


def test_an_item_without_an_etag_is_deleted_as_it_is(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = holding(Answer(204))
    delete(server, None).attempt(connection, doubtful=False)
    assert "if-match" not in server.asked[0].headers


def test_what_changed_meanwhile_is_not_deleted(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = holding(Answer(412), Answer(200, b"new", {"ETag": '"2"'}))
    with pytest.raises(MovedError, match="changed meanwhile"):
        delete(server).attempt(connection, doubtful=False)


def test_a_condition_on_what_is_gone_is_no_change(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = holding(Answer(412))
    assert delete(server).attempt(connection, doubtful=False) == Done()


def test_a_refusal_is_told_in_the_servers_words(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = holding(Answer(403, b"Never", {"Content-Type": "text/plain"}))
    with pytest.raises(ItemError, match=r"not deleted: .* 403 Forbidden: Never"):
        delete(server).attempt(connection, doubtful=False)


def test_a_deletion_that_was_not_answered_is_looked_for(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = holding(Answer(204))
    assert delete(server).attempt(connection, doubtful=True) == Done()
    assert server.methods() == ["GET /w/a.ics"]


@pytest.mark.parametrize("etag", ['"1"', 'W/"1"'])
def test_where_conditions_are_not_heeded_one_looks_before(
    server: ScriptedServer, connection: Connection, etag: str
) -> None:
    server.script = holding(Answer(204), Answer(200, b"new", {"ETag": '"2"'}))
    with pytest.raises(MovedError):
        delete(server, etag, looks=True).attempt(connection, doubtful=False)
    server.script = holding(Answer(204), Answer(200, b"old", {"ETag": etag}))
    delete(server, etag, looks=True).attempt(connection, doubtful=False)
    assert server.methods()[-1] == "DELETE /w/a.ics"


def test_a_whole_calendar_is_deleted_or_the_server_says_why_not(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = holding(Answer(204))
    deleting.delete_collection(connection, f"{server.url}w/", {"X-Quiet": "1"})
    assert server.methods() == ["DELETE /w/"]
    server.script = holding(Answer(403, b"Yours no more", {"Content-Type": "text/plain"}))
    with pytest.raises(StatusError, match="Yours no more"):
        deleting.delete_collection(connection, f"{server.url}w/", {})
