"""What becomes of managed attachments on their way onto a server."""

import base64
from collections.abc import Iterator, Mapping

import pytest

from caldav_run.connectors.caldav_files import Files
from caldav_run.connectors.mirroring import Order
from caldav_run.dav.collections import Collection
from caldav_run.dav.connection import Connection
from caldav_run.dav.discovery import Account
from caldav_run.dav.putting import Done, Put
from caldav_run.dav.settings import Settings
from caldav_run.ical.attachments import managed
from caldav_run.ical.lines import logical_lines
from caldav_run.ical.version import version
from caldav_run.model import Calendar
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.scripted import Answer, Asked, ScriptedServer, scripted_server

KEEPS = "1, calendar-access, calendar-managed-attachments"
BODY = event("a").replace(
    b"END:VEVENT",
    b"ATTACH;MANAGED-ID=m1;FILENAME=plan.png;FMTTYPE=image/png:/files/m1\r\n"
    b"ATTACH;MANAGED-ID=m2:/files/m2\r\nEND:VEVENT",
)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server(lambda _: Answer(201, b"", {"DAV": KEEPS})) as running:
        yield running


@pytest.fixture
def connection(server: ScriptedServer) -> Iterator[Connection]:
    opened = Connection(Settings(url=server.url, timeout_s=5.0))
    yield opened
    opened.close()


@pytest.fixture
def files(server: ScriptedServer, connection: Connection) -> Files:
    return Files(Account(connection, server.url, (server.url,)))


def order(body: bytes, files: Mapping[str, bytes]) -> Order:
    return Order(version(body, "a.ics", None), None, lambda: body, files.get)


def place(server: ScriptedServer, largest: int | None = None) -> Collection:
    return Collection(Calendar(id="work"), f"{server.url}work/", largest=largest)


def put(server: ScriptedServer, body: bytes) -> Put:
    return Put(url=f"{server.url}work/a.ics", body=body, etag=None, alike=lambda _: True)


def test_an_item_without_files_is_sent_as_it_is_and_nobody_is_asked(
    server: ScriptedServer, files: Files
) -> None:
    sent = files.packed(order(event("a"), {}), place(server))
    assert (sent.body, sent.files, sent.notes) == (event("a"), (), ())
    job = put(server, sent.body)
    assert sent.around(job, {}) is job
    assert server.asked == []


def test_what_is_not_known_stays_as_it_is(server: ScriptedServer, files: Files) -> None:
    assert files.packed(order(BODY, {}), place(server)).body == BODY


def test_files_are_attached_after_the_item(
    server: ScriptedServer, connection: Connection, files: Files
) -> None:
    sent = files.packed(order(BODY, {"m1": b"one", "m2": b"two"}), place(server))
    assert sent.body == event("a")
    server.asked.clear()
    job = sent.around(put(server, sent.body), {"Scheduling-Enabled": "F"})
    done = job.attempt(connection, doubtful=False)
    assert (done.url, done.etag, len(done.notes)) == (f"{server.url}work/a.ics", None, 2)
    attach = "POST /work/a.ics?action=attachment-add"
    assert server.methods() == ["PUT /work/a.ics", attach, attach]
    assert [each.body for each in server.asked] == [event("a"), b"one", b"two"]
    headers = server.asked[1].headers
    assert headers["content-type"] == "image/png"
    assert headers["content-disposition"] == 'attachment; filename="plan.png"'
    assert headers["scheduling-enabled"] == "F"
    assert 'filename="m2"' in server.asked[2].headers["content-disposition"]


def test_a_name_beyond_ascii_is_spelled_twice(
    server: ScriptedServer, connection: Connection, files: Files
) -> None:
    body = BODY.replace(b"plan.png", "pl\u00e4n.png".encode())
    sent = files.packed(order(body, {"m1": b"one"}), place(server))
    sent.around(put(server, sent.body), {}).attempt(connection, doubtful=False)
    told = server.asked[-1].headers["content-disposition"]
    assert told == "attachment; filename=\"pl_n.png\"; filename*=UTF-8''pl%C3%A4n.png"


def test_a_file_that_the_server_refuses_is_told(
    server: ScriptedServer, connection: Connection, files: Files
) -> None:
    usual = server.script
    sent = files.packed(order(BODY, {"m1": b"one"}), place(server))
    server.script = lambda asked: Answer(413) if asked.method == "POST" else usual(asked)
    (note,) = sent.around(put(server, sent.body), {}).attempt(connection, doubtful=False).notes
    assert note.startswith("the attachment plan.png was not given back: the server says 413")


def test_a_second_attempt_attaches_no_file_twice(
    server: ScriptedServer, connection: Connection, files: Files
) -> None:
    sent = files.packed(order(BODY, {"m1": b"one", "m2": b"two"}), place(server))
    there = b"ATTACH;MANAGED-ID=x;FILENAME=plan.png:/x\r\nEND:VEVENT"
    got = Answer(200, event("a").replace(b"END:VEVENT", there), {"ETag": '"1"'})

    def script(asked: Asked) -> Answer:
        return got if asked.method == "GET" else Answer(201)

    server.script = script
    done = sent.around(put(server, sent.body), {}).attempt(connection, doubtful=True)
    assert isinstance(done, Done)
    assert [each.body for each in server.asked if each.method == "POST"] == [b"two"]


@pytest.mark.parametrize("offer", ["1, calendar-access", ""])
def test_where_no_files_are_kept_they_lie_in_the_item(
    server: ScriptedServer, connection: Connection, files: Files, offer: str
) -> None:
    server.script = lambda _: Answer(201, b"", {"DAV": offer})
    sent = files.packed(order(BODY, {"m1": b"one"}), place(server))
    (line,) = (each for each in logical_lines(sent.body) if b"plan.png" in each)
    assert base64.b64decode(line.rpartition(b":")[2]) == b"one"
    assert [each.managed_id for each in managed(sent.body)] == ["m2"]
    done = sent.around(put(server, sent.body), {}).attempt(connection, doubtful=False)
    assert done.notes == ("the attachment plan.png lies in the item itself now",)


def test_a_file_that_is_too_large_for_the_item_is_left_out_and_told(
    server: ScriptedServer, files: Files
) -> None:
    server.script = lambda _: Answer(201)
    sent = files.packed(order(BODY, {"m1": bytes(2000), "m2": b"two"}), place(server, 1000))
    assert b"plan.png" not in sent.body
    assert b"dHdv" in sent.body
    assert "of 2,000 bytes is left out" in sent.notes[0]


def test_attaching_to_an_item_with_people_might_tell_them(
    server: ScriptedServer, files: Files
) -> None:
    body = BODY.replace(b"END:VEVENT", b"ATTENDEE:mailto:bob@example.org\r\nEND:VEVENT")
    sent = files.packed(order(body, {"m1": b"one"}), place(server))
    assert sent.files == ()
    assert len(sent.notes) == 1
