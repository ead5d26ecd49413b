"""Files that a server keeps beside its items are backed up, and given back, to any server."""

import base64
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest
from tests.integration.servers.backup import ACCOUNT, Backup
from tests.integration.servers.calendars import Made
from tests.integration.servers.capabilities import event
from tests.integration.servers.raw import Answer, Raw

from caldav_run import shelf
from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sinks.caldav import CaldavSink
from caldav_run.connectors.sources.snapshot import SnapshotSource
from caldav_run.engine.events import Event, Noted
from caldav_run.engine.guard import Expectation
from caldav_run.engine.job import Job, NamedSink, NamedSource
from caldav_run.engine.run import run
from caldav_run.ical.attachments import Managed, managed
from caldav_run.ical.lines import logical_lines
from caldav_run.repository import keys
from caldav_run.testing.servers import Server, embedded_radicale

PICTURE = bytes(range(256)) * 40
WORDS = b"the minutes\r\n"


@pytest.fixture
def attached(calendar: Made) -> Made:
    """A calendar with an event that has a picture and a text, and one that has neither."""
    with_dav = calendar.raw.send("OPTIONS", calendar.path).headers.get("dav", "")
    calendar.put("plan.ics", event(f"{calendar.name}-plan"))
    answers = [
        attach(calendar, "plan.png", "image/png", PICTURE),
        attach(calendar, "minutes.txt", "text/plain", WORDS),
    ]
    if not all(each.good for each in answers):
        assert "calendar-managed-attachments" not in with_dav
        pytest.skip("it keeps no files beside items")
    calendar.put("plain.ics", event(f"{calendar.name}-plain"))
    return calendar


def attach(calendar: Made, name: str, kind: str, content: bytes) -> Answer:
    headers = {
        "Content-Type": kind,
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    path = f"{calendar.path}plan.ics?action=attachment-add"
    return calendar.raw.send("POST", path, content, headers)


def files(raw: Raw, path: str) -> dict[str, bytes]:
    """Return what the server gives for each managed attachment of an item, by its name."""
    found = managed(raw.get(path).body)
    return {each.name: raw.get(local(each)).body for each in found}


def local(attachment: Managed) -> str:
    return "/" + attachment.url.split("/", 3)[3]


def held(backup: Backup) -> dict[str, bytes]:
    """Return the files that the newest snapshot holds of the event."""
    found: dict[str, dict[str, bytes]] = {}
    for (calendar, name), body in backup.vault.held(account=ACCOUNT).items():
        if calendar == shelf.ID:
            place = shelf.place(name)
            assert place is not None
            found[place.href] = {**found.get(place.href, {}), place.managed_id: body}
    names = {each.managed_id: each.name for each in managed(backup.held()["plan.ics"].body)}
    return {names[key]: body for key, body in found.get("plan.ics", {}).items()}


def restore(backup: Backup, to: Server, folder: Path) -> tuple[int, list[str]]:
    """Restore the newest snapshot; returns the exit status, and what was told."""
    context = Context(
        name="vault",
        pipeline="restore",
        timezone=UTC,
        now=backup.vault.clock.now,
        state_dir=folder / "state",
        identities=(backup.vault.keys / keys.IDENTITY,),
    )
    options = {"repository": str(backup.vault.root), "account": ACCOUNT}
    source = SnapshotSource.from_options(options, context)
    sink = CaldavSink.from_options({**to.options, "scheduling": "quiet"}, context)
    job = Job(
        name="restore",
        sources=(NamedSource("vault", source),),
        filters=(),
        sinks=(NamedSink("there", sink),),
        expect=Expectation(),
        timezone=UTC,
        now=backup.vault.clock.now,
        state_dir=folder / "state",
    )
    events: list[Event] = []
    status = run(job, events.append)
    return status, [each.text for each in events if isinstance(each, Noted)]


@pytest.fixture
def radicale(tmp_path: Path) -> Iterator[Server]:
    with embedded_radicale(tmp_path / "radicale", {"carol": "word-1"}) as server:
        yield server


def test_files_are_backed_up_and_followed(attached: Made, backup: Backup) -> None:
    assert backup.run() == 0
    assert held(backup) == {"plan.png": PICTURE, "minutes.txt": WORDS}
    before = len(backup.vault.segments())
    assert backup.run() == 0
    assert len(backup.vault.segments()) == before
    attach(attached, "more.txt", "text/plain", b"more")
    assert backup.run() == 0
    assert held(backup) == {"plan.png": PICTURE, "minutes.txt": WORDS, "more.txt": b"more"}
    attached.put("plan.ics", event(f"{attached.name}-plan", "Without"))
    assert backup.run() == 0
    assert held(backup) == {}
    assert backup.holding() == backup.full()


def test_files_of_a_deleted_event_come_back_beside_it(
    attached: Made, backup: Backup, raw: Raw, tmp_path: Path
) -> None:
    assert backup.run() == 0
    attached.remove("plan.ics")
    status, told = restore(backup, raw.account, tmp_path)
    assert status == 0, told
    assert files(raw, f"{attached.path}plan.ics") == {"plan.png": PICTURE, "minutes.txt": WORDS}
    status, told = restore(backup, raw.account, tmp_path)
    assert status == 0, told
    assert len(managed(raw.get(f"{attached.path}plan.ics").body)) == 2


def test_files_come_back_inside_the_event_on_a_server_that_keeps_none(
    attached: Made, backup: Backup, radicale: Server, tmp_path: Path
) -> None:
    assert backup.run() == 0
    status, told = restore(backup, radicale, tmp_path)
    assert status == 0, told
    assert any("plan.png lies in the item itself now" in each for each in told)
    with Raw(radicale) as there:
        body = there.get(f"{radicale.home}{attached.name}/plan.ics").body
    lines = [each for each in logical_lines(body) if each.startswith(b"ATTACH")]
    found = {base64.b64decode(each.rpartition(b":")[2]) for each in lines}
    assert found == {PICTURE, WORDS}
    status, told = restore(backup, radicale, tmp_path)
    assert status == 0, told
