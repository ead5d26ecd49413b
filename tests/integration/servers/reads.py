"""What each server gave of the corpora, recorded: what a snapshot of it holds.

`CALDAV_RUN_RECORD=1 make test-servers` records anew. A server that gives something else by now
fails a test. An empty file stands for the bytes that were sent, but for line ends and folding.
"""

import io
import tarfile
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from benchmarks.corpus import events
from tests.integration.servers.corpus import corpus

from caldav_run.ical.canonical import Level, equal
from caldav_run.ical.scan import scan
from caldav_run.ical.values import unescape
from caldav_run.testing.sample import sample_account

FOLDER: Final = Path(__file__).with_name("reads")
_EVENTS: Final = 1000
_TODAY: Final = date(2026, 5, 6)


@cache
def made() -> Mapping[str, bytes]:
    """Return both corpora as they are made, by name: hard ones, and those that people have."""
    return dict([*corpus(), *real_life()])


def real_life() -> Iterator[tuple[str, bytes]]:
    """Yield what calendars of people are full of: hrefs, percent-encoded, and bytes."""
    for each in events(_EVENTS):
        yield each.href, each.body
    for calendar in sample_account(_TODAY):
        yield from calendar.items


def given(server: str) -> dict[str, bytes]:
    """Return what a server gave, by the name under which an item was sent to it."""
    sent = made()
    with tarfile.open(_path(server)) as archive:
        found = {member.name: archive.extractfile(member) for member in archive}
        return {name: (file.read() if file else b"") or sent[name] for name, file in found.items()}


def record(server: str, items: Mapping[str, bytes]) -> None:
    """Record what a server gave, so that the same items make the same file.

    Left out is what has the place of another item: one server puts two under one name.
    """
    FOLDER.mkdir(exist_ok=True)
    sent = made()
    items = {name: body for name, body in items.items() if uid(sent[name]) in {"", uid(body)}}
    with tarfile.open(_path(server), "w:xz") as archive:
        for name, body in sorted(items.items()):
            kept = b"" if equal(sent[name], body, Level.L1) else body
            member = tarfile.TarInfo(name)
            member.size = len(kept)
            archive.addfile(member, io.BytesIO(kept))


def uid(body: bytes) -> str:
    """Return an item's UID, however it is escaped; empty where there is none."""
    return unescape(scan(body).uid or "")


def recorded() -> list[str]:
    """Return the names of the servers that were recorded."""
    return sorted(path.name.removesuffix(".tar.xz") for path in FOLDER.glob("*.tar.xz"))


def _path(server: str) -> Path:
    return FOLDER / f"{server}.tar.xz"
