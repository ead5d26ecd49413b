"""How long it takes to look into a large repository and a long one, as whole processes.

Usage: python -m benchmarks.looking [EVENTS [SNAPSHOTS [ROUNDS]]]
"""

import logging
import os
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

from benchmarks.program import Figures, measure

from caldav_run.ical.describe import outline
from caldav_run.model import Change, Item, Op, Provenance
from caldav_run.testing.vault import Vault, calendar_row

CALENDARS = ("family", "work", "school", "club")
TARGETS = {"snapshots": 1.0, "diff": 2.0, "history": 2.0}
_FIRST_DAY = datetime(2020, 1, 1)  # noqa: DTZ001 -- a wall clock
_CHANGES = 20
_WORDS = [
    "review",
    "lunch",
    "plan",
    "call",
    "team",
    "dentist",
    "school",
    "trip",
    "notes",
    "agenda",
    "room",
    "budget",
]


def event(number: int, version: int) -> Change:
    """Return the row of one made-up event of about 900 bytes."""
    chance = random.Random(number)
    start = _FIRST_DAY + timedelta(hours=number % 50_000)
    text = " ".join(chance.choices(_WORDS, k=80))
    folded = "\r\n ".join(text[at : at + 70] for at in range(0, len(text), 70))
    uid = f"{number:08}-{chance.getrandbits(48):012x}"
    body = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//made//up//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20260501T080000Z\r\nSEQUENCE:{version}\r\n"
        f"DTSTART;TZID=Europe/Berlin:{start:%Y%m%dT%H%M%S}\r\nDURATION:PT{1 + version}H\r\n"
        f"SUMMARY:{text[:40]} {number}\r\nDESCRIPTION:{folded}\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()
    calendar = CALENDARS[number % len(CALENDARS)]
    item = Item(calendar, f"{uid}.ics", f'"{version}"', body, Provenance.REPORT)
    return Change(op=Op.ADD, calendar=calendar, href=item.href, item=item, etag=item.etag, uid=uid)


def fill(folder: Path, events: int, snapshots: int) -> None:
    """Make keys and a repository: all events at first, then a few changes a run."""
    folder.mkdir()
    # The clock of a made-up year is wrong at every run, and would be told so.
    logging.disable(logging.WARNING)
    vault = Vault(folder)
    vault.run(*map(calendar_row, CALENDARS), *(event(number, 1) for number in range(events)))
    for version in range(2, snapshots + 1):
        changed = random.Random(version).sample(range(events), min(3, events))
        vault.run(*(event(number, version) for number in changed))


def looks(events: int) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Yield what is measured: a name, the repository, and the arguments."""
    last = event(events - 1, 1)
    uid = str(last.uid)
    title = str(last.item and outline(last.item.body).summary)
    yield "snapshots", "long", ["snapshots"]
    yield "diff", "large", ["diff"]
    yield "diff far", "large", ["diff", "latest~15"]
    yield "history", "large", ["history", uid]
    yield "history text", "large", ["history", title]
    yield "find", "large", ["find", title]
    yield "show", "large", ["show"]
    yield "cat", "large", ["cat", uid]


def look(folder: Path, arguments: Sequence[str]) -> Figures:
    """Run one verb."""
    verb, *rest = arguments
    place = ["--repository", str(folder / "repository")]
    command = [sys.executable, "-m", "caldav_run", verb, *rest, *place]
    return measure(command, {**os.environ, "CALDAV_RUN_CONFIG_DIR": str(folder / "keys")})


def main(events: int = 100_000, snapshots: int = 1000, rounds: int = 5) -> None:
    """Make the repositories, measure each verb, and print medians."""
    with tempfile.TemporaryDirectory() as name:
        # In a process of its own: what a child has of its parent counts as its memory.
        with ProcessPoolExecutor(1) as maker:
            maker.submit(fill, Path(name) / "large", events, _CHANGES).result()
            maker.submit(fill, Path(name) / "long", 200, snapshots).result()
        print(f"{events:,} events; {snapshots:,} snapshots; {rounds} rounds")
        for what, which, arguments in looks(events):
            figures = [look(Path(name) / which, arguments) for _ in range(rounds)]
            target = f", target {TARGETS[what]:.0f} s" if what in TARGETS else ""
            print(
                f"{what:>12}: {median(each.seconds for each in figures):5.2f} s"
                f" (CPU {median(each.cpu for each in figures):5.2f} s,"
                f" peak {max(each.peak for each in figures):3.0f} MB){target}"
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
