"""When the user is available is recorded with the account and restored, where a server keeps it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.integration.servers.backup import Backup
from tests.integration.servers.calendars import Made
from tests.integration.servers.description import Running
from tests.integration.servers.raw import CALDAV, Raw, resources
from tests.integration.servers.test_undoing import RESTORE, Desk

from caldav_run import shelf

WHEN = (
    "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//caldav-run//tests//EN\nBEGIN:VAVAILABILITY\n"
    "UID:when\nDTSTAMP:20250101T000000Z\nBEGIN:AVAILABLE\nUID:office\nDTSTAMP:20250101T000000Z\n"
    "DTSTART:20250106T090000Z\nDTEND:20250106T170000Z\nRRULE:FREQ=WEEKLY\nEND:AVAILABLE\n"
    "END:VAVAILABILITY\nEND:VCALENDAR\n"
)
OTHER = WHEN.replace("T17", "T13")
_PATCH = (
    '<d:propertyupdate xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:{0}><d:prop>'
    "<c:calendar-availability>{1}</c:calendar-availability></d:prop></d:{0}></d:propertyupdate>"
)


@dataclass(frozen=True, slots=True)
class Said:
    """What the server says of when the user is available.

    Attributes:
        raw: The connection.
        place: The path that says it.
    """

    raw: Raw
    place: str

    def patch(self, deed: str, text: str = "") -> str:
        """Set or remove it."""
        body = _PATCH.format(deed, text).encode()
        self.raw.send("PROPPATCH", self.place, body, {"Content-Type": "application/xml"})
        return self.now()

    def now(self) -> str:
        """Return it, in one spelling."""
        (kept,) = resources(self.raw.propfind(self.place, 0, "c:calendar-availability").body)
        return kept.text(f"{CALDAV}calendar-availability").replace("\r", "").strip()


@pytest.fixture
def said(raw: Raw) -> Iterator[Said]:
    """The place that says when the first account's user is available; it says so in one test."""
    found = resources(raw.propfind(raw.account.home, 1, "d:resourcetype").body)
    inbox = [each.href for each in found if f"{CALDAV}schedule-inbox" in each.kinds()]
    there = Said(raw, inbox[0] if inbox else raw.account.home)
    if there.patch("set", WHEN) != WHEN.strip():
        pytest.skip("it does not keep that")
    yield there
    # Other tests count what the account has.
    assert there.patch("remove") == ""


@pytest.mark.usefixtures("said")
def test_when_the_user_is_available_is_recorded(backup: Backup) -> None:
    assert backup.run() == 0
    reader = backup.vault.reader()
    calendars = {e.calendar.id: e.calendar for e in reader.calendars(reader.resolve("latest"))}
    text = calendars[shelf.ACCOUNT].availability or ""
    assert text.replace("\r", "").strip() == WHEN.strip()
    before = len(backup.vault.segments())
    assert backup.run() == 0
    assert len(backup.vault.segments()) == before


@pytest.mark.timeout(900)
def test_when_the_user_is_available_is_restored(
    running: Running, calendar: Made, said: Said, tmp_path: Path
) -> None:
    desk = Desk(tmp_path, running, calendar)
    desk.set_up()
    desk.call("run", "nightly.json.yaml")
    # A calendar is not the account, and a plan writes nothing.
    assert said.patch("remove") == ""
    desk.call(*RESTORE, "--calendar", calendar.name)
    assert "+ Account: when the user is available" in desk.call(*RESTORE, "--plan")
    assert said.now() == ""
    desk.call(*RESTORE)
    assert said.now() == WHEN.strip()
    assert "nothing written" in desk.call(*RESTORE)
    desk.call("undo", "latest")
    assert said.now() == ""
    # What somebody says meanwhile stays unless the user says so, and comes back.
    assert said.patch("set", OTHER) == OTHER.strip()
    assert "has another one" in desk.call(*RESTORE[:-2])
    assert said.now() == OTHER.strip()
    assert "~ Account: when the user is available" in desk.call(*RESTORE, "--plan")
    desk.call(*RESTORE)
    assert said.now() == WHEN.strip()
    desk.call("undo", "latest")
    assert said.now() == OTHER.strip()
