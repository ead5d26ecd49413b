"""When the user is available is recorded with the account, where a server keeps it."""

from collections.abc import Iterator

import pytest
from tests.integration.servers.backup import Backup
from tests.integration.servers.raw import CALDAV, Raw, resources

from caldav_run import shelf

WHEN = (
    "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//caldav-run//tests//EN\nBEGIN:VAVAILABILITY\n"
    "UID:when\nDTSTAMP:20250101T000000Z\nBEGIN:AVAILABLE\nUID:office\nDTSTAMP:20250101T000000Z\n"
    "DTSTART:20250106T090000Z\nDTEND:20250106T170000Z\nRRULE:FREQ=WEEKLY\nEND:AVAILABLE\n"
    "END:VAVAILABILITY\nEND:VCALENDAR\n"
)
_PATCH = (
    '<d:propertyupdate xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:{0}><d:prop>'
    "<c:calendar-availability>{1}</c:calendar-availability></d:prop></d:{0}></d:propertyupdate>"
)


@pytest.fixture
def available(raw: Raw) -> Iterator[None]:
    """Say when the first account's user is available, as long as one test runs."""
    found = resources(raw.propfind(raw.account.home, 1, "d:resourcetype").body)
    inbox = [each.href for each in found if f"{CALDAV}schedule-inbox" in each.kinds()]
    if not inbox:
        pytest.skip("it has no scheduling inbox")

    def patch(deed: str, text: str) -> str:
        body = _PATCH.format(deed, text).encode()
        raw.send("PROPPATCH", inbox[0], body, {"Content-Type": "application/xml"})
        (kept,) = resources(raw.propfind(inbox[0], 0, "c:calendar-availability").body)
        return kept.text(f"{CALDAV}calendar-availability")

    if "VAVAILABILITY" not in patch("set", WHEN):
        pytest.skip("it does not keep that")
    yield
    # Other tests count what the account has.
    assert patch("remove", "") == ""


@pytest.mark.usefixtures("available")
def test_when_the_user_is_available_is_recorded(backup: Backup) -> None:
    assert backup.run() == 0
    reader = backup.vault.reader()
    calendars = {e.calendar.id: e.calendar for e in reader.calendars(reader.resolve("latest"))}
    text = calendars[shelf.ACCOUNT].availability or ""
    assert text.replace("\r", "").strip() == WHEN.strip()
    before = len(backup.vault.segments())
    assert backup.run() == 0
    assert len(backup.vault.segments()) == before
