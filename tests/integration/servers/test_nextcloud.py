"""A Nextcloud in a container, read and restored through the command line alone."""

import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.integration.servers import known
from tests.integration.servers.calendars import Made
from tests.integration.servers.corpus import tail
from tests.integration.servers.pool import Pool
from tests.integration.servers.raw import CALDAV, Raw, resources
from tests.integration.servers.workplace import Workplace, caldav

from caldav_run.ical.canonical import Level, equal
from caldav_run.testing.servers import Server

pytestmark = [
    pytest.mark.container,
    pytest.mark.timeout(known.START_LIMIT_S),
    pytest.mark.skipif("nextcloud" not in known.wanted(), reason="it was not asked for"),
]


def event(uid: str, *lines: str, end: str = "\r\n") -> bytes:
    """One event in a calendar object, with the given lines besides what is required."""
    return end.join(
        (
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//caldav-run//tests//EN",
            "BEGIN:VEVENT",
            f"UID:{uid}",
            "DTSTAMP:20250101T000000Z",
            *lines,
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        )
    ).encode()


WORK: Mapping[str, bytes] = {
    "lunch.ics": event("lunch", "DTSTART:20250110T120000Z", "SUMMARY:Lunch"),
    "line-feeds.ics": event("line-feeds", "DTSTART:20250111T120000Z", "SUMMARY:LF", end="\n"),
    "täglich + 50%.ics": event(
        "daily/1",
        "DTSTART;TZID=Europe/Berlin:20250301T090000",
        "DURATION:P1W",
        "RRULE:FREQ=DAILY;COUNT=5",
        "EXDATE;TZID=Europe/Berlin:20250302T090000",
        "SUMMARY:Täglich 🍰  ",
        "X-NOTE;X-SHAPE=round:kept\\, as it is",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "UID:daily/1",
        "DTSTAMP:20250101T000000Z",
        "RECURRENCE-ID;TZID=Europe/Berlin:20250303T090000",
        "DTSTART;TZID=Europe/Berlin:20250303T113000",
        "SUMMARY:Moved",
    ),
    "folded.ics": event(
        "folded",
        "DTSTART;VALUE=DATE:20250401",
        "DESCRIPTION:a line that is folded",
        "  in odd",
        "\tplaces",
        "LOCATION:" + "and one that is not " * 12,
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT15M",
        "DESCRIPTION:soon",
        "END:VALARM",
    ),
    "task.ics": event("task").replace(b"VEVENT", b"VTODO"),
}
MEETINGS: Mapping[str, bytes] = {
    "board.ics": event(
        "board",
        "DTSTART:20250115T100000Z",
        "SUMMARY:Board",
        "ORGANIZER:mailto:alice@example.org",
        "ATTENDEE;PARTSTAT=ACCEPTED:mailto:carol@example.org",
    )
}


def calendar(user: Server, name: str, title: str = "Work") -> Made:
    """Make a calendar of an account."""
    made = Made(Raw(user), name)
    made.make(title)
    return made


def report(user: Server, calendar: str) -> dict[str, bytes]:
    """Return the calendar data of every member, by the last part of its href as spelt."""
    with Raw(user) as raw:
        inner = (
            "<d:prop><c:calendar-data/></d:prop>"
            '<c:filter><c:comp-filter name="VCALENDAR"/></c:filter>'
        )
        answer = raw.report(f"{user.home}{calendar}/", "c:calendar-query", inner)
    return {
        tail(each.href): each.text(f"{CALDAV}calendar-data").encode()
        for each in resources(answer.body)
    }


@pytest.fixture
def new_account(pool: Pool) -> Callable[[str], Server]:
    """Make an account of the running Nextcloud."""
    found = pool.get("nextcloud").new_account
    assert found is not None
    return lambda name: found(f"{name}-{secrets.token_hex(4)}")


@pytest.fixture
def alice(new_account: Callable[[str], Server]) -> Server:
    """The account that is backed up."""
    user = new_account("alice")
    for name, title, items in (
        ("work", "Work & more", WORK),
        ("meetings", "Meetings", MEETINGS),
    ):
        made = calendar(user, name, title)
        with made.raw:
            for href, body in items.items():
                made.put(quote(href), body)
    return user


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def back_up(workplace: Workplace, user: Server) -> Path:
    """Make a repository with a first snapshot of the account."""
    pipeline = workplace.pipeline(
        "backup",
        {
            "sources": {"cloud": caldav(user)},
            "sinks": {"vault": {"type": "snapshot", "repository": "vault"}},
        },
    )
    workplace.run("create", pipeline, "--yes")
    workplace.run("run", pipeline, password=user.password)
    return pipeline


def exported(workplace: Workplace, pipeline: Path, folder: str) -> dict[str, dict[str, bytes]]:
    """Export the newest snapshot; return calendar → href → bytes."""
    workplace.run("export", pipeline, "--to", folder)
    found: dict[str, dict[str, bytes]] = {}
    for path in (workplace.folder / folder).rglob(".calendar.json"):
        index = json.loads(path.read_text(encoding="utf-8"))
        found[index["id"]] = {
            item["href"]: path.with_name(item["name"]).read_bytes() for item in index["items"]
        }
    return found


def by_uid(items: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the bodies by UID: a restore gives hrefs that some servers refuse a plainer name."""
    return {body.split(b"UID:")[1].splitlines()[0].decode(): body for body in items.values()}


def restore(workplace: Workplace, user: Server, calendars: list[str]) -> str:
    """Restore calendars of the newest snapshot into another account."""
    pipeline = workplace.pipeline(
        "restore",
        {
            "sources": {
                "vault": {
                    "type": "snapshot",
                    "repository": "vault",
                    "account": "cloud",
                    "calendars": calendars,
                }
            },
            "sinks": {"other": caldav(user)},
        },
    )
    return workplace.run("run", pipeline, password=user.password)


def test_a_backup_holds_the_very_bytes_that_the_server_gave(
    workplace: Workplace, alice: Server
) -> None:
    pipeline = back_up(workplace, alice)
    found = exported(workplace, pipeline, "out")
    assert found["work"] == report(alice, "work")
    assert found["meetings"] == report(alice, "meetings")


def test_an_incremental_backup_follows_what_changed(
    workplace: Workplace, new_account: Callable[[str], Server]
) -> None:
    dora = new_account("dora")
    work = calendar(dora, "work")
    for name in ("stays.ics", "changes.ics", "goes.ics"):
        work.put(name, event(name, "DTSTART:20250110T120000Z", "SUMMARY:Before"))
    pipeline = back_up(workplace, dora)
    work.put("changes.ics", event("changes.ics", "DTSTART:20250110T120000Z", "SUMMARY:After"))
    work.put("comes.ics", event("comes", "DTSTART:20250111T120000Z"))
    work.remove("goes.ics")
    work.raw.close()
    workplace.run("run", pipeline, password=dora.password)
    assert exported(workplace, pipeline, "out")["work"] == report(dora, "work")


def test_a_restore_into_another_account_is_equal_as_trees(
    workplace: Workplace, alice: Server, new_account: Callable[[str], Server]
) -> None:
    bob = new_account("bob")
    back_up(workplace, alice)
    restore(workplace, bob, ["work"])
    before, after = by_uid(report(alice, "work")), by_uid(report(bob, "work"))
    assert before.keys() == after.keys()
    for uid, body in before.items():
        assert equal(body, after[uid], Level.L2), uid


def test_a_restore_brings_meetings_back_as_they_were(
    workplace: Workplace, alice: Server, new_account: Callable[[str], Server]
) -> None:
    carol = new_account("carol")
    back_up(workplace, alice)
    restore(workplace, carol, ["meetings"])
    before, after = by_uid(report(alice, "meetings")), by_uid(report(carol, "meetings"))
    assert before.keys() == after.keys()
    for uid, body in before.items():
        assert equal(body, after[uid], Level.L2), uid
