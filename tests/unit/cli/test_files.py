"""Files that belong to items: restored with the chosen ones, proven by a drill, in no calendar."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caldav_run import shelf
from caldav_run.cli.main import run
from caldav_run.connectors.picked import Picked, PickedSource, belonging
from caldav_run.connectors.selection import Selection
from caldav_run.connectors.sources.snapshot import SnapshotSource
from caldav_run.model import Change, Changed, Item, Op, Provenance, Reading
from caldav_run.repository import keys
from caldav_run.shelf import Place
from caldav_run.testing.contracts import context
from caldav_run.testing.contracts.bodies import event
from caldav_run.testing.contracts.sources import Held
from caldav_run.testing.drill.proof import drill
from caldav_run.testing.vault import Vault, calendar_row

if TYPE_CHECKING:
    from caldav_run.engine.events import Event

LINE = b"ATTACH;MANAGED-ID=%b;FILENAME=%b.txt;FMTTYPE=text/plain:/files/%b\r\nEND:VEVENT"


def stored(calendar: str, href: str, body: bytes) -> Change:
    item = Item(calendar, href, '"1"', body, Provenance.GET)
    return Change(op=Op.ADD, calendar=calendar, href=href, item=item, etag=item.etag)


def attached(calendar: str, name: str) -> tuple[Change, Change]:
    """An item with a file, and the file."""
    body = event(name).replace(b"END:VEVENT", LINE % ((name.encode(),) * 3))
    file = Place(calendar, f"{name}.ics", name).name
    return stored(calendar, f"{name}.ics", body), stored(shelf.ID, file, f"file {name}".encode())


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """A repository with two items in two calendars, each with a file."""
    made = Vault(tmp_path)
    made.run(
        *map(calendar_row, ("family", "work")),
        Change(op=Op.CALENDAR, calendar=shelf.ID, properties=shelf.CALENDAR),
        *attached("family", "a"),
        *attached("work", "b"),
    )
    return made


def given(readings: list[Reading]) -> set[tuple[str, str]]:
    return {(e.item.calendar, e.item.href) for e in readings if isinstance(e, Changed)}


def test_a_choice_of_calendars_takes_the_files_of_these(vault: Vault) -> None:
    options = {
        "repository": str(vault.root),
        "calendars": ["family"],
        "identity": {"file": str(vault.keys / keys.IDENTITY)},
    }
    found = given(list(SnapshotSource.from_options(options, context(vault.folder)).read(Held())))
    assert found == {("family", "a.ics"), (shelf.ID, Place("family", "a.ics", "a").name)}


def test_chosen_items_bring_their_files(vault: Vault) -> None:
    reader = vault.reader()
    chosen = reader.resolve("latest", "cloud")
    items = list(reader.items(chosen, "work"))
    files = list(belonging(reader, [chosen, chosen], items))
    picked = Picked(
        account="cloud",
        time=chosen.time,
        calendars={each.calendar.id: each.calendar for each in reader.calendars(chosen)},
        items={"work": items, shelf.ID: files},
    )
    assert picked.count == 1
    found = given(list(PickedSource(reader, picked).read(Held())))
    assert found == {("work", "b.ics"), (shelf.ID, Place("work", "b.ics", "b").name)}


def test_a_drill_proves_items_with_the_files_in_them(vault: Vault, tmp_path: Path) -> None:
    reader = vault.reader()
    events: list[Event] = []
    (tmp_path / "drill").mkdir()
    chosen = reader.resolve("latest", "cloud")
    proof = drill(reader, chosen, Selection(), tmp_path / "drill", events.append)
    assert proof.items == 2
    assert (proof.refused, proof.unread, proof.differences) == ({}, {}, ())
    assert proof.deviations == {"managed attachment": 2}, json.dumps(dict(proof.deviations))


def test_files_are_shown_as_such(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    opening = ["--repository", str(vault.root), "-i", str(vault.keys / keys.IDENTITY)]
    assert run(["show", *opening, "--items"]) == 0
    shown = capsys.readouterr().out
    assert "Attachments: 2 files" in shown
    assert "6 bytes" in shown
