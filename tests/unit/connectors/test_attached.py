"""Files that a server keeps beside items: read with them, kept with them, gone with them."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from caldav_run import shelf
from caldav_run.connectors.attached import Attached
from caldav_run.connectors.baseline import Nothing
from caldav_run.connectors.filters.components import ComponentsFilter
from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.dav import fetching
from caldav_run.dav.connection import Connection
from caldav_run.dav.settings import Settings
from caldav_run.engine.events import Event, Noted
from caldav_run.engine.guard import Expectation
from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.judge import Link
from caldav_run.engine.run import run
from caldav_run.ical.attachments import Managed
from caldav_run.model import Failed
from caldav_run.shelf import Place
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.holding import sink
from caldav_run.testing.liar import Liar
from caldav_run.testing.scripted import (
    Answer,
    Asked,
    Script,
    ScriptedServer,
    multistatus,
    response,
    scripted_server,
)
from caldav_run.testing.vault import Vault

PLAN = Place("work", "a.ics", "m1").name


def attached(uid: str, *files: str) -> bytes:
    """An item that refers to files of the server by their ids."""
    lines = "".join(
        f"ATTACH;MANAGED-ID={each};FILENAME={each}.txt:/files/{each}\r\n" for each in files
    )
    return event(uid).replace(b"END:VEVENT", lines.encode() + b"END:VEVENT")


@dataclass
class Play:
    """Backs a lying server with files up again and again."""

    liar: Liar
    server: ScriptedServer
    vault: Vault
    files: dict[str, Answer] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    keep: Sequence[str] = ("VEVENT",)

    def __call__(self, asked: Asked) -> Answer:
        if asked.path.startswith("/files/"):
            return self.files.get(asked.path.removeprefix("/files/"), Answer(404))
        return self.liar(asked)

    def run(self) -> int:
        self.vault.clock.forward(minutes=1)
        self.server.asked.clear()
        self.events.clear()
        now = self.vault.clock.now
        context = Context(
            name="cloud", pipeline="t", timezone=UTC, now=now, state_dir=self.vault.state
        )
        source = CaldavSource.from_options({"url": self.server.url}, context)
        chosen = ComponentsFilter.from_options({"keep": list(self.keep)}, context)
        job = Job(
            name="t",
            sources=(NamedSource("cloud", source),),
            filters=(Link("components", chosen),),
            sinks=(NamedSink("vault", sink(self.vault)),),
            expect=Expectation(),
            timezone=UTC,
            now=now,
        )
        with closing(source):
            return run(job, self.events.append)

    def held(self) -> dict[str, bytes]:
        """Return the files that the newest snapshot holds."""
        found = self.vault.bodies()
        return {
            each.href: each.body
            for each in found
            if not isinstance(each, Failed) and each.calendar == shelf.ID
        }

    def asked_for(self) -> list[str]:
        return [each.path for each in self.server.asked if each.path.startswith("/files/")]

    def calendars(self) -> set[str]:
        reader = self.vault.reader()
        return {each.calendar.id for each in reader.calendars(reader.resolve("latest", "cloud"))}


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    liar = Liar()
    liar.put("work", "a.ics", attached("a", "m1"))
    liar.put("work", "b.ics", event("b"))
    liar.put("home", "c.ics", event("c"))
    with scripted_server(liar) as server:
        server.script = made = Play(liar, server, Vault(tmp_path))
        made.files["m1"] = Answer(200, b"one", {"Content-Type": "text/plain"})
        yield made


def test_a_file_is_held_with_its_item(play: Play) -> None:
    assert play.run() == 0
    assert play.held() == {PLAN: b"one"}


def test_a_file_of_an_unchanged_item_is_not_asked_for_again(play: Play) -> None:
    play.run()
    segments = len(play.vault.segments())
    assert play.run() == 0
    assert play.asked_for() == []
    play.liar.put("work", "b.ics", event("b", "Dinner"))
    assert play.run() == 0
    assert play.asked_for() == []
    assert play.held() == {PLAN: b"one"}
    assert len(play.vault.segments()) == segments + 1


def test_a_changed_item_brings_its_files_and_lets_others_go(play: Play) -> None:
    play.run()
    play.files["m2"] = Answer(200, b"two")
    play.liar.put("work", "a.ics", attached("a", "m2"))
    assert play.run() == 0
    assert play.held() == {Place("work", "a.ics", "m2").name: b"two"}


@pytest.mark.parametrize("whole", [True, False])
def test_a_file_goes_with_its_item(play: Play, whole: bool) -> None:  # noqa: FBT001 - a case
    play.run()
    play.liar.delete("work", "a.ics")
    if whole:
        play.vault.clock.now += timedelta(days=8)
    assert play.run() == 0
    assert play.held() == {}
    assert shelf.ID not in play.calendars()


def test_a_file_goes_with_its_calendar(play: Play) -> None:
    play.run()
    del play.liar.calendars["work"]
    assert play.run() == 0
    assert play.held() == {}


def test_files_are_kept_at_an_audit(play: Play) -> None:
    play.run()
    play.vault.clock.now += timedelta(days=8)
    assert play.run() == 0
    assert play.asked_for() == []
    assert play.held() == {PLAN: b"one"}


@pytest.mark.parametrize(
    "answer",
    [Answer(404), Answer(403), Answer(200, b"<html>", {"Content-Type": "text/html"})],
)
def test_a_file_that_cannot_be_had_is_named_and_asked_for_again(play: Play, answer: Answer) -> None:
    good = play.files["m1"]
    play.files["m1"] = answer
    assert play.run() == 3
    assert play.held() == {}
    told = [each.text for each in play.events if isinstance(each, Noted)]
    assert any("the attachment m1.txt of a.ics" in each for each in told), told
    play.files["m1"] = good
    assert play.run() == 0
    assert play.held() == {PLAN: b"one"}


def test_a_file_whose_item_cannot_be_asked_stays_unread(play: Play) -> None:
    play.files["m1"] = Answer(404)
    play.run()
    liar = play.liar
    play.server.script = lambda asked: (
        Answer(500) if asked.method == "GET" and asked.path.endswith("a.ics") else play(asked)
    )
    assert play.run() == 3
    assert liar.calendars


def test_a_file_elsewhere_is_not_asked_for_and_told(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    body = attached("a", "m1").replace(b":/files/", b":http://127.0.0.1:9/files/")
    play.liar.put("work", "a.ics", body)
    assert play.run() == 0
    assert "add: trust_hosts: [127.0.0.1:9]" in caplog.text
    assert play.held() == {}


@pytest.mark.parametrize("url", [b"cid:part1@example.org", b"https://[x/"])
def test_what_is_no_address_is_passed_over(play: Play, url: bytes) -> None:
    play.liar.put("work", "a.ics", attached("a", "m1").replace(b"/files/m1", url))
    assert play.run() == 0
    assert play.held() == {}


def test_a_file_is_carried_forward_with_its_calendar(play: Play) -> None:
    play.run()
    play.liar.put("work", "b.ics", event("b", "Dinner"))
    play.server.script = lambda asked: (
        Answer(403) if asked.path.startswith("/dav/alice/work") else play(asked)
    )
    assert play.run() == 3
    assert play.held() == {PLAN: b"one"}


def with_a_team(play: Play, home: Answer) -> Script:
    """An account with a second home, whose calendar holds an item with a file."""
    homes = "<d:href>/dav/alice/</d:href><d:href>/team/</d:href>"
    item = attached("t", "m1")
    etag = '<d:getetag>"1"</d:getetag>'
    whole = f"{etag}<c:calendar-data>{item.decode()}</c:calendar-data>"

    def script(asked: Asked) -> Answer:
        if asked.path == "/" or (asked.path == "/dav/alice/" and asked.headers["depth"] == "0"):
            found = f"<c:calendar-home-set>{homes}</c:calendar-home-set>"
            return multistatus(response(asked.path, found))
        if asked.path == "/team/":
            return home
        if asked.path == "/team/plans/":
            told = whole if asked.method == "REPORT" else etag
            itself = [response(asked.path, FOLDER)] if asked.method == "PROPFIND" else []
            return multistatus(*itself, response(f"{asked.path}t.ics", told))
        return play(asked)

    return script


FOLDER = "<d:resourcetype><d:collection/></d:resourcetype>"
CALENDAR = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"


def test_a_file_is_carried_forward_where_the_home_of_its_item_is_not_listed(play: Play) -> None:
    team = multistatus(response("/team/", FOLDER), response("/team/plans/", CALENDAR))
    play.server.script = with_a_team(play, team)
    assert play.run() == 0
    held = play.held()
    assert len(held) == 2
    play.server.script = with_a_team(play, Answer(404))
    assert play.run() == 1
    assert play.held() == held


@pytest.mark.parametrize("refused", ["/dav/alice/work/", "/dav/alice/work/a.ics"])
def test_a_file_whose_item_is_unread_is_carried_forward_under_another_filter(
    play: Play, refused: str
) -> None:
    play.run()
    play.keep = ["VEVENT", "VTODO"]
    play.liar.put("home", "d.ics", attached("d", "m1"))

    def script(asked: Asked) -> Answer:
        if asked.path == refused or (asked.method == "REPORT" and "work" in asked.path):
            return Answer(403)
        return play(asked)

    play.server.script = script
    assert play.run() == 3
    assert set(play.held()) == {PLAN, Place("home", "d.ics", "m1").name}
    play.server.script = play
    assert play.run() == 0
    assert PLAN in play.held()


@pytest.mark.parametrize("refused", ["/dav/alice/home/", "/files/m1"])
def test_a_file_is_had_later_where_the_reading_broke_off_before_it(
    play: Play, refused: str
) -> None:
    play.server.script = lambda asked: (
        Answer(401) if asked.path.startswith(refused) else play(asked)
    )
    assert play.run() == 1
    assert play.held() == {}
    play.server.script = play
    assert play.run() == 0
    assert play.held() == {PLAN: b"one"}


def test_the_rest_is_left_where_several_files_were_waited_for_in_vain(play: Play) -> None:
    names = [f"n{at}" for at in range(9)]
    play.liar.put("work", "a.ics", attached("a", *names))
    play.files |= dict.fromkeys(names, Answer(503, b"", {"Retry-After": "3600"}))
    assert play.run() == 3
    assert len(play.asked_for()) == fetching.PATIENCE
    play.files |= dict.fromkeys(names, Answer(200, b"here"))
    assert play.run() == 0
    assert set(play.held().values()) == {b"here"}
    assert len(play.held()) == len(names)


def test_what_a_filter_leaves_out_takes_its_files_along(play: Play) -> None:
    play.keep = ["VTODO"]
    assert play.run() == 0
    assert play.held() == {}


def test_what_was_left_out_before_gets_no_file_that_comes_later(play: Play) -> None:
    play.keep = ["VTODO"]
    good = play.files["m1"]
    play.files["m1"] = Answer(404)
    play.run()
    play.files["m1"] = good
    assert play.run() == 0
    assert play.held() == {}


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("http://dav.example.org/f/1", "https://dav.example.org:8443/f/1"),
        ("/f/1", "https://dav.example.org:8443/f/1"),
        ("https://dav.example.org/f/1", "https://dav.example.org/f/1"),
        ("http://files.example.org/f/1", "http://files.example.org/f/1"),
    ],
)
def test_a_server_behind_tls_may_call_itself_unencrypted(said: str, asked: str) -> None:
    with closing(Connection(Settings(url="https://dav.example.org:8443/dav/"))) as connection:
        made = Attached(connection, Nothing(), {"work": "https://dav.example.org:8443/dav/work/"})
        assert made._address(("work", "a.ics"), Managed("m1", said, "", "text/plain")) == asked
