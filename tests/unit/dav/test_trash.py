"""What lies in Nextcloud's bin is brought back and written over, so that nothing is lost."""

import pytest

from caldav_run.dav import trash
from caldav_run.dav.connection import Connection
from caldav_run.dav.putting import Done, Put
from caldav_run.dav.refusals import NotYetError
from caldav_run.dav.trash import NOTE, PutOverTrashed, Trashed
from caldav_run.errors import ItemError, MovedError
from caldav_run.testing.scripted import Answer, Asked, ScriptedServer, multistatus, response

OLD = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:lunch\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
NEW = OLD.replace(b"UID:lunch", b"UID:lunch\r\nSUMMARY:New")
DATA = f"<c:calendar-data>{OLD.decode()}</c:calendar-data>"
NEXTCLOUD = 'xmlns:nc="http://nextcloud.com/ns"'
LYING = f"<nc:calendar-uri {NEXTCLOUD}>work</nc:calendar-uri>{DATA}"


class Bin:
    """A server with an item in its bin, which comes back as `old.ics`."""

    def __init__(self, put: Answer | None = None) -> None:
        self.back: bytes | None = None
        self.gone = False
        self.moved = Answer(201)
        self._put = put or Answer(204, headers={"ETag": '"new"'})

    def __call__(self, asked: Asked) -> Answer:
        if asked.method == "MOVE":
            self.back = OLD if self.moved.status == 201 and not self.gone else self.back
            return self.moved
        if asked.method == "REPORT":
            return multistatus(*[response("/home/work/old.ics", DATA)] * (self.back is not None))
        if asked.method == "GET":
            there = self.back if asked.path.endswith("old.ics") else None
            return Answer(404) if there is None else Answer(200, there, {"ETag": '"old"'})
        if asked.method == "DELETE":
            self.back = None
            return Answer(204)
        return self._put


def job(server: ScriptedServer, body: bytes = NEW) -> PutOverTrashed:
    put = Put(
        url=f"{server.url}home/work/lunch.ics", body=body, etag=None, alike=lambda each: each == NEW
    )
    trashed = Trashed(f"{server.url}home/trashbin/objects/1.ics", "VEVENT")
    home = f"{server.url}home/"
    return PutOverTrashed(put=put, trashed=trashed, uid="lunch", home=home, headers={"X-Q": "1"})


def test_the_bin_is_known_by_calendar_and_uid(
    server: ScriptedServer, connection: Connection
) -> None:
    other = LYING.replace(">work<", ">family<").replace("lunch", "fold\r\n ed")
    server.script = lambda _: multistatus(
        response("/home/trashbin/objects/1.ics", LYING),
        response("/home/trashbin/objects/2.ics", other.replace("\r\n ed", "&#13;\n ed")),
        response("/home/trashbin/objects/3.ics", LYING.replace("UID", "X-UID")),
    )
    found = trash.lying(connection, f"{server.url}home/")
    assert found == {
        ("/work", "lunch"): Trashed(f"{server.url}home/trashbin/objects/1.ics", "VEVENT"),
        ("/family", "folded"): Trashed(f"{server.url}home/trashbin/objects/2.ics", "VEVENT"),
    }
    assert trash.key(f"{server.url}home/work/") == "/work"
    assert server.methods() == ["REPORT /home/trashbin/objects/"]


def test_a_server_without_a_bin_has_nothing_in_it(
    server: ScriptedServer, connection: Connection
) -> None:
    assert trash.lying(connection, f"{server.url}home/") == {}


@pytest.mark.parametrize("deleted", [False, True])
def test_a_deleted_calendar_is_told_from_one_that_is_there(
    server: ScriptedServer, connection: Connection, *, deleted: bool
) -> None:
    kind = f"<nc:deleted-calendar {NEXTCLOUD}/>" if deleted else "<c:calendar/>"
    properties = f"<d:resourcetype><d:collection/>{kind}</d:resourcetype>"
    server.script = lambda _: multistatus(response("/home/work/", properties))
    assert trash.is_deleted(connection, f"{server.url}home/work/") is deleted


def test_the_bin_is_looked_at_once_until_something_goes_there(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = lambda _: multistatus(response("/home/trashbin/objects/1.ics", LYING))
    found = trash.Bin(connection, f"{server.url}home/")
    put = job(server).put
    assert found.over(put, "dinner") is put
    over = found.over(put, "lunch")
    assert isinstance(over, PutOverTrashed)
    assert (over.put, over.trashed.url) == (put, f"{server.url}home/trashbin/objects/1.ics")
    assert len(server.asked) == 1
    found.forget()
    found.over(put, "lunch")
    assert len(server.asked) == 2


def test_the_old_item_is_brought_back_and_written_over(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = Bin()
    done = job(server).attempt(connection, doubtful=False)
    assert done == Done(f"{server.url}home/work/old.ics", '"new"', (NOTE,))
    moved, put = server.asked[0], server.asked[-1]
    assert (moved.method, moved.path) == ("MOVE", "/home/trashbin/objects/1.ics")
    assert moved.headers["destination"] == f"{server.url}home/trashbin/restore/file"
    assert (put.method, put.headers["if-match"], put.body) == ("PUT", '"old"', NEW)


def test_an_old_item_that_is_the_wanted_one_is_not_written(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = Bin()
    done = job(server, OLD).attempt(connection, doubtful=False)
    assert done == Done(f"{server.url}home/work/old.ics", '"old"', (NOTE,))
    assert "PUT" not in str(server.methods())


def test_what_was_written_unanswered_is_not_written_again(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = found = Bin()
    found.back, found.gone, found.moved = NEW, True, Answer(404)
    assert job(server).attempt(connection, doubtful=True).notes == (NOTE,)
    assert "PUT" not in str(server.methods())


def test_a_refused_item_has_the_old_one_back_in_the_bin(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = found = Bin(Answer(415, b"Bad", {"Content-Type": "text/plain"}))
    with pytest.raises(ItemError, match=r"415 .*: Bad"):
        job(server).attempt(connection, doubtful=False)
    assert found.back is None
    deletion = server.asked[-1]
    assert (deletion.method, deletion.path) == ("DELETE", "/home/work/old.ics")
    assert (deletion.headers["if-match"], deletion.headers["x-q"]) == ('"old"', "1")


def test_what_nobody_finds_any_more_is_written_as_new(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = found = Bin(Answer(201, headers={"ETag": '"1"'}))
    found.gone, found.moved = True, Answer(404)
    done = job(server).attempt(connection, doubtful=False)
    assert done == Done(f"{server.url}home/work/lunch.ics", '"1"')
    assert server.asked[-1].headers["if-none-match"] == "*"


def test_a_bin_that_gives_nothing_back_refuses_the_item(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = found = Bin()
    found.moved = Answer(403, b"No", {"Content-Type": "text/plain"})
    with pytest.raises(ItemError, match="trash bin: the server says 403"):
        job(server).attempt(connection, doubtful=False)
    found.moved = Answer(500)
    with pytest.raises(NotYetError):
        job(server).attempt(connection, doubtful=False)


def test_a_name_that_was_taken_meanwhile_is_somebody_elses(
    server: ScriptedServer, connection: Connection
) -> None:
    server.script = found = Bin(Answer(412))
    found.gone, found.moved = True, Answer(404)

    def taken(asked: Asked) -> Answer:
        return Answer(200, b"theirs") if asked.method == "GET" else found(asked)

    server.script = taken
    with pytest.raises(MovedError):
        job(server).attempt(connection, doubtful=False)
