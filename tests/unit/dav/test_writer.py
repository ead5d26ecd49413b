"""Many writes: each is done once, refused, or tried to its end, whatever becomes of the others."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from caldav_run.dav.connection import Connection
from caldav_run.dav.effort import Effort
from caldav_run.dav.lanes import Lanes
from caldav_run.dav.putting import Done, Put
from caldav_run.dav.writer import Write, Writer
from caldav_run.errors import AccessError, ItemError, TemporaryError, UnsureError
from caldav_run.testing.scripted import Answer, Asked, ScriptedServer

LOCKED = Answer(500, b"database is locked", {"Content-Type": "text/plain"})


class Store:
    """A server that keeps what is PUT, but for what a test has it answer instead."""

    def __init__(self, instead: Callable[[str, int], Answer | None] = lambda *_: None) -> None:
        self.kept: dict[str, bytes] = {}
        self.times: Counter[str] = Counter()
        self._instead = instead
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Answer:
        with self._lock:
            if asked.method == "GET":
                body = self.kept.get(asked.path)
                return Answer(404) if body is None else Answer(200, body, {"ETag": '"1"'})
            self.times[asked.path] += 1
            answer = self._instead(asked.path, self.times[asked.path])
            if answer is None or answer.broken:
                self.kept[asked.path] = asked.body
            return answer or Answer(201, headers={"ETag": '"1"'})


@pytest.fixture
def effort() -> Effort:
    return Effort()


@pytest.fixture
def writer(connection: Connection, effort: Effort, waits: list[float]) -> Iterator[Writer]:
    del waits
    with Lanes(connection, effort) as lanes:
        yield Writer(lanes, effort)


@pytest.fixture(autouse=True)
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let no test wait; gives the seconds that would have been waited."""
    waited: list[float] = []
    monkeypatch.setattr("caldav_run.dav.writer.pause", waited.append)
    return waited


def put(server: ScriptedServer, number: int) -> Put:
    body = b"%d" % number
    url = f"{server.url}{number}.ics"
    return Put(url=url, body=body, etag=None, alike=lambda there: there == body)


def writes(server: ScriptedServer, count: int) -> Iterator[Write[int]]:
    return (Write(number, partial(put, server, number)) for number in range(count))


def outcomes(writer: Writer, server: ScriptedServer, count: int) -> dict[int, Done | ItemError]:
    found = list(writer.perform(writes(server, count)))
    assert len(found) == count, "each write comes back exactly once"
    return dict(found)


def test_everything_is_written_once(server: ScriptedServer, writer: Writer) -> None:
    server.script = store = Store()
    found = outcomes(writer, server, 100)
    assert all(isinstance(each, Done) and each.etag == '"1"' for each in found.values())
    assert store.kept == {f"/{number}.ics": b"%d" % number for number in range(100)}
    assert set(store.times.values()) == {1}


def test_a_database_that_is_locked_for_most_takes_all_in_the_end(
    server: ScriptedServer, writer: Writer
) -> None:
    server.script = store = Store(lambda _, time: LOCKED if time % 8 else None)
    assert all(isinstance(each, Done) for each in outcomes(writer, server, 30).values())
    assert len(store.kept) == 30


def test_what_is_never_taken_fails_alone_and_by_name(
    server: ScriptedServer, writer: Writer
) -> None:
    broken = Answer(500, b"Bad rule", {"Content-Type": "text/plain"})
    server.script = store = Store(lambda path, _: broken if path == "/7.ics" else None)
    found = outcomes(writer, server, 30)
    assert type(found.pop(7)) is ItemError
    assert all(isinstance(each, Done) for each in found.values())
    assert 3 < store.times["/7.ics"] < 10


def test_what_may_have_been_done_before_the_server_refused_it_is_told_as_such(
    server: ScriptedServer, writer: Writer
) -> None:
    def instead(path: str, time: int) -> Answer | None:
        if path != "/7.ics":
            return None
        return Answer(0) if time == 1 else Answer(500)

    store = Store(instead)

    def script(asked: Asked) -> Answer:
        # What is there cannot be looked at any more.
        silent = asked.method == "GET" and asked.path == "/7.ics"
        return Answer(500) if silent else store(asked)

    server.script = script
    found = outcomes(writer, server, 30)
    assert isinstance(found.pop(7), UnsureError)
    assert all(isinstance(each, Done) for each in found.values())


def test_a_refused_item_is_not_sent_again(server: ScriptedServer, writer: Writer) -> None:
    server.script = store = Store(lambda path, _: Answer(415) if path == "/7.ics" else None)
    assert isinstance(outcomes(writer, server, 30)[7], ItemError)
    assert store.times["/7.ics"] == 1


def test_a_burst_of_failures_passes(server: ScriptedServer, writer: Writer, effort: Effort) -> None:
    server.script = store = Store(lambda _, time: Answer(500) if time < 3 else None)
    assert all(isinstance(each, Done) for each in outcomes(writer, server, 40).values())
    assert len(store.kept) == 40
    assert effort.width >= 1


def test_an_answer_that_breaks_off_is_not_a_second_write(
    server: ScriptedServer, writer: Writer
) -> None:
    lost = Answer(500, b"", broken=True)
    server.script = store = Store(lambda _, time: lost if time == 1 else None)
    assert all(isinstance(each, Done) for each in outcomes(writer, server, 20).values())
    assert set(store.times.values()) == {1}


def test_a_server_that_wants_to_be_left_alone_is_given_less(
    server: ScriptedServer, writer: Writer, effort: Effort
) -> None:
    before = effort.width
    server.script = store = Store(lambda _, time: Answer(503) if time < 5 else None)
    assert all(isinstance(each, Done) for each in outcomes(writer, server, 4).values())
    assert len(store.kept) == 4
    assert effort.width < before


def test_a_server_that_does_nothing_any_more_ends_it(
    server: ScriptedServer, writer: Writer, rests: list[float]
) -> None:
    server.script = Store(lambda *_: Answer(503))
    with pytest.raises(TemporaryError, match="nothing any more"):
        outcomes(writer, server, 1000)
    assert 30 < sum(rests) < 600
    assert len(server.asked) < 1000


def test_items_that_fail_one_and_all_fail_one_by_one(
    server: ScriptedServer, writer: Writer
) -> None:
    server.script = Store(lambda *_: Answer(500))
    found = outcomes(writer, server, 40)
    assert all(isinstance(each, ItemError) for each in found.values())


def test_what_was_under_way_is_told_before_the_end(server: ScriptedServer, writer: Writer) -> None:
    server.script = store = Store(lambda path, _: Answer(507) if path == "/9.ics" else None)
    told = writer.perform(writes(server, 1000))
    seen = {f"/{next(told)[0]}.ics" for _ in range(9)}
    with pytest.raises(TemporaryError, match="no room"):
        seen.update(f"/{number}.ics" for number, _ in told)
    assert seen == set(store.kept)
    assert len(seen) < 100


def test_refused_credentials_end_it(server: ScriptedServer, writer: Writer) -> None:
    server.script = lambda _: Answer(401)
    with pytest.raises(AccessError):
        outcomes(writer, server, 10)
