"""When the user is available is said to the scheduling inbox, else to the home, and read back."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from caldav_run.connectors.sinks.caldav import CaldavSink
from caldav_run.errors import CalendarError
from caldav_run.testing.contracts.bodies import context
from caldav_run.testing.scripted import (
    Answer,
    Asked,
    ScriptedServer,
    multistatus,
    response,
    scripted_server,
)

INBOX = "<d:resourcetype><d:collection/><c:schedule-inbox/></d:resourcetype>"
HOME = "<c:calendar-home-set><d:href>/</d:href></c:calendar-home-set>"
WITHHELD = (
    "<d:propstat><d:prop><c:calendar-availability/></d:prop>"
    "<d:status>HTTP/1.1 403 Forbidden</d:status></d:propstat></d:response>"
)
REFUSED = response("/inbox/", "<c:calendar-availability/>", "HTTP/1.1 403 Forbidden")


@dataclass
class Account:
    """A home that keeps what is said, as far as a test lets it."""

    inbox: bool = True
    says: dict[str, str] = field(default_factory=dict)
    keeps: bool = True
    answer: Answer = field(default_factory=lambda: multistatus(response("/inbox/")))
    withheld: bool = False

    def __call__(self, asked: Asked) -> Answer:
        if asked.method == "PROPPATCH":
            if self.keeps:
                _, _, rest = asked.body.decode().partition("<c:calendar-availability>")
                self.says[asked.path] = rest.partition("<")[0]
            return self.answer
        if asked.path != "/" or asked.method != "PROPFIND":
            return Answer(404)
        if asked.headers["depth"] == "0":
            return multistatus(response("/", HOME))
        inside = [response("/inbox/", INBOX + self._said("/inbox/"))] * self.inbox
        return multistatus(self._home(), *inside)

    def _home(self) -> str:
        told = response("/", HOME + self._said("/"))
        return told.replace("</d:response>", WITHHELD) if self.withheld else told

    def _said(self, path: str) -> str:
        text = self.says.get(path)
        return f"<c:calendar-availability>{text}</c:calendar-availability>" if text else ""


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def server(account: Account) -> Iterator[ScriptedServer]:
    with scripted_server(account) as running:
        yield running


@pytest.fixture
def sink(server: ScriptedServer, tmp_path: Path) -> Iterator[CaldavSink]:
    made = CaldavSink.from_options({"url": server.url}, context(tmp_path))
    yield made
    made.close()


@pytest.mark.parametrize(("inbox", "place"), [(True, "/inbox/"), (False, "/")])
def test_it_is_said_to_the_inbox_else_to_the_home(
    account: Account, sink: CaldavSink, place: str, *, inbox: bool
) -> None:
    account.inbox = inbox
    assert sink.available() == ""
    assert sink.say_available("mine", "") == "mine"
    assert account.says == {place: "mine"}
    assert sink.available() == "mine"


def test_it_can_be_unsaid(account: Account, sink: CaldavSink) -> None:
    account.says["/inbox/"] = "mine"
    assert sink.say_available("", "mine") == ""
    assert sink.available() == ""


def test_what_was_said_meanwhile_is_not_overwritten(
    account: Account, sink: CaldavSink, server: ScriptedServer
) -> None:
    account.says["/inbox/"] = "theirs"
    with pytest.raises(CalendarError, match="changed meanwhile"):
        sink.say_available("mine", "")
    assert "PROPPATCH /inbox/" not in server.methods()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(403, b"Not for you", {"Content-Type": "text/plain"}), "403 Forbidden: Not for you"),
        (multistatus(REFUSED), "403 Forbidden"),
        (Answer(207, b"<", {"Content-Type": "application/xml"}), "XML"),
    ],
)
def test_a_refusal_is_told_in_the_server_s_words(
    account: Account, sink: CaldavSink, answer: Answer, words: str
) -> None:
    account.keeps, account.answer = False, answer
    with pytest.raises(CalendarError, match=words):
        sink.say_available("mine", "")


@pytest.mark.parametrize("answer", [Answer(200), Answer(204), Answer(403), multistatus(REFUSED)])
def test_what_is_read_back_counts_and_not_the_answer(
    account: Account, sink: CaldavSink, answer: Answer
) -> None:
    account.answer = answer
    assert sink.say_available("mine", "") == "mine"


def test_what_the_server_does_not_tell_is_not_taken_for_nothing(
    account: Account, sink: CaldavSink
) -> None:
    account.withheld = True
    with pytest.raises(CalendarError, match="does not tell what it has"):
        sink.available()


def test_one_calendar_alone_has_no_such_thing(server: ScriptedServer, sink: CaldavSink) -> None:
    kind = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
    server.script = lambda asked: multistatus(response(asked.path, kind))
    assert sink.available() is None
