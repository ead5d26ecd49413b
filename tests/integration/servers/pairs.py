"""What is restored into a server: what each of the others gave, every item once.

Items that are equal at L2 mean the same to every server, so that one of them stands for all.
"""

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from tests.integration.servers import reads
from tests.integration.servers.calendars import Made
from tests.integration.servers.description import Running
from tests.integration.servers.matrix import Comparison, compare, paired, there
from tests.integration.servers.raw import Raw
from tests.integration.servers.restoring import Snapshot, Told

from caldav_run.ical.canonical import digest
from caldav_run.ical.deviations import Deviation, deviations
from caldav_run.testing import hostile

MADE: Final = "as made"
_FEW: Final = 10
_SMALL: Final = 100_000
_HUSHED: Final = re.compile(r"added SCHEDULE-AGENT(?: \+ )?| \+ added SCHEDULE-AGENT")
_Key = tuple[str, bytes]
"""An item's name and the digest of its bytes at L2."""


@dataclass(slots=True)
class Restored:
    """What became of all items in one server.

    Attributes:
        parts: Where the items came from, and what became of them.
        again: What a second run of the first part said.
        seen: The part in which an item was restored.
        drift: The items that the server gives otherwise than it was recorded to.
    """

    parts: dict[str, Comparison] = field(default_factory=dict)
    again: Told | None = None
    seen: dict[_Key, str] = field(default_factory=dict)
    drift: list[str] = field(default_factory=list)


def stem(name: str) -> str:
    """Return an item's name as reasons give it."""
    return unquote(name).removesuffix(".ics")


def whole() -> Mapping[str, Mapping[str, bytes]]:
    """Return all that there is: the corpora as they were made, and what each server gave."""
    return {MADE: reads.made(), **{each: reads.given(each) for each in reads.recorded()}}


def parts(server: str) -> Iterator[tuple[str, Mapping[str, bytes]]]:
    """Yield what is restored into a server, part by part: no UID is twice in one.

    `CALDAV_RUN_MATRIX=pairs` leaves nothing out: all that each server gave goes into each.
    """
    chosen = os.environ.get("CALDAV_RUN_MATRIX", "few")
    known: set[_Key] = set()
    for source, items in whole().items():
        new = {name: body for name, body in items.items() if (name, digest(body)) not in known}
        known |= {(name, digest(body)) for name, body in new.items()}
        if chosen == "pairs":
            yield source, items
        elif chosen == "union":
            yield source, new
        else:
            yield source, {name: new[name] for name in _few(server, new)}


def _few(server: str, items: Mapping[str, bytes]) -> list[str]:
    """Return the names of some items, others for each server, so that a test ends soon."""
    small = (name for name, body in items.items() if len(body) < _SMALL)
    return sorted(small, key=lambda name: hashlib.sha256(f"{server} {name}".encode()).digest())[
        :_FEW
    ]


def restore(server: Running, folder: Path) -> Restored:
    """Restore everything into a server, each part into a new calendar, and compare."""
    made = Restored()
    for number, (source, items) in enumerate(parts(server.description.name)):
        place = folder / f"{number}"
        place.mkdir()
        with _restored(server, place, items) as (snapshot, comparison, found):
            made.parts[source] = comparison
            if source == MADE:
                made.drift = list(_drift(server.description.name, items, found))
                made.again = snapshot.restore(server.account)
        for name, body in items.items():
            made.seen.setdefault((name, digest(body)), source)
    return made


@contextlib.contextmanager
def _restored(
    server: Running, folder: Path, items: Mapping[str, bytes]
) -> Iterator[tuple[Snapshot, Comparison, Mapping[str, bytes]]]:
    """Restore items into a calendar that is there until the context ends."""
    identity = f"caldav-run-{secrets.token_hex(4)}"
    calendar = replace(hostile.CALENDAR, id=identity, display_name=identity)
    snapshot = Snapshot(folder, calendar, items)
    with Raw(server.account) as raw:
        try:
            told = snapshot.restore(server.account)
            found = there(raw, Made(raw, identity).path)
            yield snapshot, compare(items, found, told), found
        finally:
            Made(raw, identity).drop()


def _drift(server: str, items: Mapping[str, bytes], found: Mapping[str, bytes]) -> Iterator[str]:
    """Yield the items that a server changes in another way than it was recorded to."""
    then = reads.given(server) if server in reads.recorded() else {}
    for name, href in paired(items, found):
        if name in then and _kinds(items[name], then[name]) != _kinds(items[name], found[href]):
            yield name


def _kinds(sent: bytes, came: bytes) -> set[tuple[str, str]]:
    """Return in which ways an item has changed, but for what is added so that nobody is mailed."""
    found = deviations(sent, came)
    kinds = {(_HUSHED.sub("", each.rule or "lost"), _property(each)) for each in found}
    return {kind for kind in kinds if kind[0]}


def _property(found: Deviation) -> str:
    return re.split("[:;]", found.before or found.after or "", maxsplit=1)[0]
