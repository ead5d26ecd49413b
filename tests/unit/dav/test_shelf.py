"""An item is moved aside before it is changed or deleted, and never lost on the way."""

from urllib.parse import urlsplit

import pytest

from caldav_run.dav.connection import Connection
from caldav_run.dav.deleting import Delete
from caldav_run.dav.failures import InterruptedAnswerError
from caldav_run.dav.putting import Done, Put
from caldav_run.dav.refusals import NotYetError
from caldav_run.dav.shelf import SetAside, Shelf
from caldav_run.errors import ItemError, MovedError
from caldav_run.testing.scripted import Answer, Asked, ScriptedServer, multistatus, response

OLD, NEW = b"old", b"new"
CALENDAR = (
    "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
    "<d:displayname>Set aside by caldav-run</d:displayname><c:supported-calendar-component-set>"
    '<c:comp name="VEVENT"/></c:supported-calendar-component-set>'
)


class Home:
    """A server with calendars and items in them; a test may have it answer otherwise."""

    def __init__(self) -> None:
        self.items = {"/home/w/a.ics": OLD}
        self.calendars = {"/home/w/"}
        self.instead: dict[str, Answer] = {}
        self.then: dict[str, Answer] = {}

    def __call__(self, asked: Asked) -> Answer:
        if asked.method in self.instead:
            return self.instead[asked.method]
        done: Answer = getattr(self, asked.method.lower())(asked)
        return self.then.pop(asked.method, done)

    def mkcalendar(self, asked: Asked) -> Answer:
        self.calendars.add(asked.path)
        return Answer(201)

    def propfind(self, asked: Asked) -> Answer:
        return multistatus(response(asked.path, CALENDAR))

    def get(self, asked: Asked) -> Answer:
        found = self.items.get(asked.path)
        return Answer(404) if found is None else Answer(200, found, {"ETag": f'"{found.decode()}"'})

    def put(self, asked: Asked) -> Answer:
        if asked.path in self.items:
            return Answer(412)
        self.items[asked.path] = asked.body
        return Answer(201)

    def move(self, asked: Asked) -> Answer:
        self.items[urlsplit(asked.headers["destination"]).path] = self.items.pop(asked.path)
        return Answer(201)

    def delete(self, asked: Asked) -> Answer:
        self.calendars.discard(asked.path)
        self.items = {path: body for path, body in self.items.items() if asked.path not in path}
        return Answer(204)


@pytest.fixture
def home(server: ScriptedServer) -> Home:
    made = Home()
    server.script = made
    return made


@pytest.fixture
def shelf(server: ScriptedServer) -> Shelf:
    return Shelf(f"{server.url}home/", ("VEVENT",))


@pytest.fixture
def writing(server: ScriptedServer, shelf: Shelf) -> SetAside:
    url = f"{server.url}home/w/a.ics"
    put = Put(url=url, body=NEW, etag='"old"', alike=lambda there: there == NEW)
    return SetAside(job=put, shelf=shelf)


@pytest.fixture
def deleting(server: ScriptedServer, shelf: Shelf) -> SetAside:
    return SetAside(job=Delete(url=f"{server.url}home/w/a.ics", etag='"old"'), shelf=shelf)


@pytest.mark.usefixtures("home")
def test_a_new_item_takes_the_place_of_one_that_was_moved_to_a_calendar_of_its_own(
    server: ScriptedServer, connection: Connection, writing: SetAside
) -> None:
    assert writing.attempt(connection, doubtful=False) == Done(writing.job.url)
    assert [each.method for each in server.asked][-2:] == ["MOVE", "PUT"]
    move, put = server.asked[-2:]
    assert urlsplit(move.headers["destination"]).path.startswith("/home/caldav-run-")
    assert move.headers["schedule-reply"] == "F"
    assert put.headers["if-none-match"] == "*"


def test_nothing_is_left_when_all_is_done(
    connection: Connection, home: Home, writing: SetAside, shelf: Shelf
) -> None:
    writing.attempt(connection, doubtful=False)
    shelf.clear(connection)
    assert (home.items, home.calendars) == ({"/home/w/a.ics": NEW}, {"/home/w/"})


def test_a_deleted_item_goes_with_the_calendar(
    server: ScriptedServer, connection: Connection, home: Home, deleting: SetAside, shelf: Shelf
) -> None:
    assert deleting.attempt(connection, doubtful=False) == Done()
    assert "DELETE" not in [each.method for each in server.asked]
    shelf.clear(connection)
    assert (home.items, home.calendars) == ({}, {"/home/w/"})


def test_all_items_go_to_one_calendar(
    server: ScriptedServer, connection: Connection, home: Home, shelf: Shelf
) -> None:
    for name in "bc":
        home.items[f"/home/w/{name}.ics"] = OLD
        job = Delete(url=f"{server.url}home/w/{name}.ics", etag=None)
        SetAside(job=job, shelf=shelf).attempt(connection, doubtful=False)
    assert len(home.calendars) == 2


def test_no_calendar_is_made_where_nothing_is_moved(
    server: ScriptedServer, connection: Connection, shelf: Shelf
) -> None:
    shelf.clear(connection)
    assert server.asked == []


def test_what_changed_meanwhile_stays(
    server: ScriptedServer, connection: Connection, home: Home, writing: SetAside
) -> None:
    home.items["/home/w/a.ics"] = b"other"
    with pytest.raises(MovedError, match="changed meanwhile"):
        writing.attempt(connection, doubtful=False)
    assert [each.method for each in server.asked] == ["GET"]


def test_what_is_gone_is_not_written_over(
    connection: Connection, home: Home, writing: SetAside
) -> None:
    home.items.clear()
    with pytest.raises(MovedError, match="gone"):
        writing.attempt(connection, doubtful=False)


def test_what_is_gone_is_deleted(connection: Connection, home: Home, deleting: SetAside) -> None:
    home.items.clear()
    assert deleting.attempt(connection, doubtful=False) == Done()


def test_the_old_item_comes_back_when_the_new_one_is_refused(
    connection: Connection, home: Home, writing: SetAside, shelf: Shelf
) -> None:
    home.instead["PUT"] = Answer(403)
    with pytest.raises(ItemError, match="403"):
        writing.attempt(connection, doubtful=False)
    assert home.items == {"/home/w/a.ics": OLD}
    shelf.clear(connection)
    assert home.calendars == {"/home/w/"}


def test_an_item_that_cannot_be_moved_stays(
    connection: Connection, home: Home, writing: SetAside
) -> None:
    home.instead["MOVE"] = Answer(403)
    with pytest.raises(ItemError, match="not moved aside"):
        writing.attempt(connection, doubtful=False)
    assert home.items == {"/home/w/a.ics": OLD}


def test_an_item_stays_where_there_is_no_calendar_to_move_it_to(
    connection: Connection, home: Home, writing: SetAside
) -> None:
    home.instead["MKCALENDAR"] = home.instead["MKCOL"] = Answer(403)
    with pytest.raises(ItemError, match="nowhere to set it aside"):
        writing.attempt(connection, doubtful=False)
    assert home.items == {"/home/w/a.ics": OLD}


@pytest.mark.parametrize("method", ["MOVE", "PUT"])
def test_a_write_goes_on_where_no_answer_came(
    connection: Connection, home: Home, writing: SetAside, shelf: Shelf, method: str
) -> None:
    home.then[method] = Answer(400, b"a", broken=True)
    with pytest.raises(InterruptedAnswerError):
        writing.attempt(connection, doubtful=False)
    assert writing.attempt(connection, doubtful=True).url == writing.job.url
    shelf.clear(connection)
    assert (home.items, home.calendars) == ({"/home/w/a.ics": NEW}, {"/home/w/"})


def test_a_write_that_was_put_off_goes_on_where_the_old_item_is_moved_already(
    connection: Connection, home: Home, writing: SetAside
) -> None:
    home.then["MOVE"] = Answer(400, b"a", broken=True)
    with pytest.raises(InterruptedAnswerError):
        writing.attempt(connection, doubtful=False)
    assert writing.attempt(connection, doubtful=False).url == writing.job.url
    assert home.items["/home/w/a.ics"] == NEW


@pytest.mark.usefixtures("waits")
def test_an_item_comes_back_at_the_end_when_nothing_has_taken_its_place(
    connection: Connection, home: Home, writing: SetAside, shelf: Shelf
) -> None:
    home.instead["PUT"] = Answer(503)
    with pytest.raises(NotYetError):
        writing.attempt(connection, doubtful=False)
    shelf.clear(connection)
    assert (home.items, home.calendars) == ({"/home/w/a.ics": OLD}, {"/home/w/"})


@pytest.mark.usefixtures("waits")
def test_an_item_that_is_not_moved_yet_keeps_no_calendar(
    connection: Connection, home: Home, writing: SetAside, shelf: Shelf
) -> None:
    home.instead["MOVE"] = Answer(503)
    with pytest.raises(NotYetError):
        writing.attempt(connection, doubtful=False)
    shelf.clear(connection)
    assert home.calendars == {"/home/w/"}


def test_the_only_version_of_an_item_is_kept(
    connection: Connection,
    home: Home,
    writing: SetAside,
    shelf: Shelf,
    caplog: pytest.LogCaptureFixture,
) -> None:
    home.then["MOVE"] = Answer(400, b"a", broken=True)
    with pytest.raises(InterruptedAnswerError):
        writing.attempt(connection, doubtful=False)
    home.instead["MOVE"] = Answer(403)
    shelf.clear(connection)
    assert list(home.items.values()) == [OLD]
    assert "holds 1 item" in caplog.text


def test_a_calendar_that_cannot_be_deleted_is_named(
    connection: Connection,
    home: Home,
    deleting: SetAside,
    shelf: Shelf,
    caplog: pytest.LogCaptureFixture,
) -> None:
    deleting.attempt(connection, doubtful=False)
    home.instead["DELETE"] = Answer(403)
    shelf.clear(connection)
    assert "home/caldav-run-" in caplog.text
    assert "is left over" in caplog.text
