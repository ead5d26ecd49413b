"""Nobody is mailed by a restore, whatever it does to whose meetings, unless the pipeline allows it.

Each case is a run of the program by its command line, from a folder of files into a server with a
mail server beside it that listens.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import pytest
from tests.integration.servers import known
from tests.integration.servers.calendars import Made
from tests.integration.servers.corpus import tail
from tests.integration.servers.description import GUESTS, ORGANIZER, Running
from tests.integration.servers.meetings import (
    AFTER,
    BEFORE,
    CAROL,
    DAVE,
    ERIN,
    LOCAL,
    Meeting,
    Post,
    bodies,
)
from tests.integration.servers.raw import Raw, resources
from tests.integration.servers.workplace import Workplace, caldav

from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sinks.caldav import CaldavSink
from caldav_run.dav import discovery, scheduler
from caldav_run.dav.settings import Settings
from caldav_run.secret import Secret

LUNCH = Meeting(organizer="")
POLICIES = ("quiet", "rewrite", "strip")


@dataclass(frozen=True, slots=True)
class Office:
    """An account's calendar, and a folder that is mirrored into it.

    Attributes:
        server: The server.
        calendar: The calendar.
        post: What the server mails.
        workplace: Where the program runs.
    """

    server: Running
    calendar: Made
    post: Post
    workplace: Workplace

    def mirror(self, meetings: Mapping[str, Meeting], policy: str) -> str:
        """Have the calendar hold these meetings, and no others; return what is told of that."""
        folder = self.workplace.folder / "plain" / self.calendar.name
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            path.unlink()
        for name, body in bodies({**meetings, "lunch": LUNCH}, self.calendar.name).items():
            (folder / name).write_bytes(body)
        pipeline = self.workplace.pipeline(
            "mirror",
            {
                "sources": {"plain": {"type": "ics", "path": "plain"}},
                "sinks": {
                    "cloud": {
                        **caldav(self.server.account),
                        "mode": "exact",
                        "on_conflict": "keep_source",
                        "scheduling": policy,
                        "delete": {"max": 100, "max_ratio": "100%"},
                        "safety_snapshot": "off",
                    }
                },
            },
        )
        # What a server does to a meeting of which it tells people is not what was written.
        statuses = {0, 3} if policy == "allow" else {0}
        return self.workplace.run(
            "run", pipeline, password=self.server.account.password, statuses=statuses
        )

    def put(self, meetings: Mapping[str, Meeting]) -> None:
        """Write these as a calendar app does, which mails people on servers that do."""
        for name, body in bodies(meetings, self.calendar.name).items():
            self.calendar.put(name, body)
        self.post.told()

    def summaries(self) -> Mapping[str, str]:
        """Return what is there: names of meetings and what they are called."""
        return {name: _value(body, "SUMMARY") for name, body in self.texts().items()}

    def texts(self) -> Mapping[str, str]:
        """Return what is there as the server gives it, unfolded, by names of meetings."""
        members = self.calendar.raw.members(self.calendar.path)
        found = {}
        for each in members:
            text = self.calendar.raw.get(each.href).body.decode().replace("\r\n", "\n")
            unfolded = text.replace("\n ", "")
            found[_value(unfolded, "UID").removeprefix(f"{self.calendar.name}-")] = unfolded
        return found


def _value(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"{name}:"))[len(name) + 1 :]


def _summaries(meetings: Mapping[str, Meeting]) -> Mapping[str, str]:
    return {**{name: each.summary for name, each in meetings.items()}, "lunch": LUNCH.summary}


@pytest.fixture
def office(running: Running, raw: Raw, calendar: Made, tmp_path: Path) -> Office:
    if running.description is known.OWN:
        pytest.skip("nobody reads the mails of a server that is not of the suite's own")
    return Office(running, calendar, Post(running, raw), Workplace(tmp_path))


@pytest.mark.parametrize("policy", POLICIES)
def test_nobody_is_mailed_when_meetings_come_change_and_go(office: Office, policy: str) -> None:
    office.mirror(BEFORE, policy)
    assert office.post.told() == set()
    assert office.summaries() == _summaries(BEFORE)
    office.mirror(AFTER, policy)
    assert office.post.told() == set()
    assert office.summaries() == _summaries(AFTER)
    office.mirror({}, policy)
    assert office.post.told() == set()
    assert office.summaries() == _summaries({})


@pytest.mark.parametrize("policy", POLICIES)
def test_nobody_is_mailed_when_meetings_that_people_know_of_change_and_go(
    office: Office, policy: str
) -> None:
    office.put({**BEFORE, "lunch": LUNCH})
    office.mirror(AFTER, policy)
    assert office.post.told() == set()
    assert office.summaries() == _summaries(AFTER)


def test_nobody_is_mailed_when_meetings_that_people_know_of_go(office: Office) -> None:
    office.put({**BEFORE, "lunch": LUNCH})
    office.mirror({}, "quiet")
    assert office.post.told() == set()
    assert office.summaries() == _summaries({})


def test_nobody_is_mailed_when_meetings_that_went_come_back(office: Office) -> None:
    office.put({**BEFORE, "lunch": LUNCH})
    office.mirror({}, "quiet")
    office.mirror(BEFORE, "quiet")
    assert office.post.told() == set()
    assert office.summaries() == _summaries(BEFORE)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_second_run_changes_nothing_however_meetings_were_written(
    office: Office, policy: str
) -> None:
    office.mirror(BEFORE, policy)
    assert "nothing to change" in office.mirror(BEFORE, policy)


def test_nobody_is_mailed_when_a_calendar_with_meetings_goes(office: Office) -> None:
    office.put(BEFORE)
    now = datetime(2026, 11, 1, tzinfo=UTC)
    context = Context(
        name="cloud", pipeline="test", timezone=UTC, now=now, state_dir=office.workplace.folder
    )
    sink = CaldavSink.from_options({**office.server.account.options, "mode": "exact"}, context)
    try:
        (found,) = (each for each in sink.calendars() if each.id == office.calendar.name)
        sink.remove(found)
    finally:
        sink.close()
    assert office.post.told() == set()


def test_nothing_is_left_of_what_was_moved_aside(office: Office) -> None:
    office.put({**BEFORE, "lunch": LUNCH})
    before = _calendars(office)
    office.mirror({}, "quiet")
    assert _calendars(office) == before


def _calendars(office: Office) -> set[str]:
    found = office.calendar.raw.propfind(office.server.account.home, 1, "d:resourcetype")
    return {unquote(tail(each.href.rstrip("/"))) for each in resources(found.body)}


def test_rewritten_meetings_keep_their_people_and_leave_them_to_the_client(office: Office) -> None:
    office.mirror(BEFORE, "rewrite")
    for name, text in office.texts().items():
        people = [line for line in text.splitlines() if line.startswith(("ORGANIZER", "ATTENDEE"))]
        assert bool(people) == (name not in {"lunch", "alone"}), name
        assert all("SCHEDULE-AGENT=CLIENT" in line for line in people), name


def test_stripped_meetings_have_no_people(office: Office) -> None:
    office.mirror(BEFORE, "strip")
    for text in office.texts().values():
        assert "ORGANIZER" not in text
        assert "ATTENDEE" not in text


def test_a_server_that_mails_says_that_it_does_scheduling(office: Office) -> None:
    account = office.server.account
    password = Secret.of(account.password) if account.password else None
    username = account.username if password else None
    found = discovery.find(Settings(url=account.url, username=username, password=password))
    with contextlib.closing(found.connection):
        offered = scheduler.ask(found).offered
    assert offered is (office.server.description.name not in {"radicale", "sabre"})
    assert offered or not office.server.description.mails


def test_people_are_mailed_where_it_is_allowed_and_the_server_does_it(office: Office) -> None:
    office.mirror(BEFORE, "allow")
    office.mirror({}, "allow")
    mailed, mails = office.post.told(), office.server.description.mails
    assert (CAROL in mailed) is (GUESTS in mails)
    assert (DAVE in mailed) is (ORGANIZER in mails)
    assert mailed <= {CAROL, DAVE, ERIN, LOCAL}
