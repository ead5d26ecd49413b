"""What each operation asks of the store and puts into it, beside the design's budgets.

Usage: python -m benchmarks.budgets [EVENTS]

For two recipients, with sizes before padding and as they are stored; sizes of small objects vary a
little, since the age library puts a random stanza into each, so that the median of several is told.
"""

import hashlib
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple
from unittest.mock import patch

from benchmarks import corpus

from caldav_run.model import Change, Item, Op, Provenance
from caldav_run.repository import age, create
from caldav_run.repository.local import LocalStore
from caldav_run.repository.store import Store, Stored
from caldav_run.testing.vault import START, Vault, calendar_row

BUDGETS = {
    "create": "1 LIST, 2-4 PUT; < 5 KB",
    "first backup": "<= 4 PUT, 1 LIST; <= 5.5 MB",
    "nothing changed": "1 LIST, 1 PUT; ~0.6 KB",
    "1 change": "1 LIST, 3 PUT; <= 3.1 KB",
    "80 changes": "1 LIST, 3 PUT; <= 28 KB",
    "restore after the first": "1-2 LIST, <= 4 GET; 5.3 MB read",
    "list": "1-2 LIST, <= 33 GET; ~1.8 MB read",
    "diff": "the same",
    "history": "the same",
}
_CHANGES = 40
_REPEATED = 9


class Cost(NamedTuple):
    """What one operation asked of the store.

    Attributes:
        requests: How many of each kind.
        put: How many bytes were stored.
        got: How many bytes were read.
    """

    requests: Counter[str]
    put: int
    got: int


class CountingStore:
    """Counts what another store is asked for."""

    def __init__(self, store: Store) -> None:
        """Take the store."""
        self._store = store
        self.location = store.location
        self._requests: Counter[str] = Counter()
        self._put = self._got = 0

    def settle(self) -> Cost:
        """Return what was asked since the last time."""
        cost = Cost(self._requests, self._put, self._got)
        self._requests, self._put, self._got = Counter(), 0, 0
        return cost

    def list(self, prefix: str = "", after: str = "") -> Iterator[Stored]:
        """Count a listing."""
        self._requests["LIST"] += 1
        return self._store.list(prefix, after)

    def get(self, name: str) -> bytes:
        """Count a reading; that of `format.json` is told apart."""
        self._requests["GET format.json" if name == "format.json" else "GET"] += 1
        data = self._store.get(name)
        self._got += len(data)
        return data

    def put(self, name: str, data: bytes) -> None:
        """Count a writing."""
        self._requests["PUT"] += 1
        self._put += len(data)
        self._store.put(name, data)

    def delete(self, name: str) -> None:
        """Count a deletion."""
        self._requests["DELETE"] += 1
        self._store.delete(name)


def change(event: corpus.Event) -> Change:
    """Return the row of an event, as a server of today gives it."""
    etag = f'"{hashlib.md5(event.body, usedforsecurity=False).hexdigest()}"'
    item = Item(event.calendar, event.href, etag, event.body, Provenance.REPORT)
    return Change(
        op=Op.ADD,
        calendar=event.calendar,
        href=event.href,
        item=item,
        etag=etag,
        uid=event.uid,
    )


def measured(folder: Path, count: int) -> Iterator[tuple[str, Cost]]:
    """Do everything once, or what is small several times, and yield what it cost."""
    counting = CountingStore(LocalStore(folder / "repository"))
    vault = Vault(folder, wrap=lambda _: counting)
    paper, _ = age.new_identity()
    vault.recipients = (*vault.recipients, paper.recipient)
    other = CountingStore(LocalStore(folder / "other"))
    create.create(other, vault.recipients, vault.writer, START)
    yield "create", other.settle()
    vault.run(*map(calendar_row, corpus.CALENDARS), *map(change, corpus.events(count)))
    yield "first backup", counting.settle()
    vault.held()
    yield "restore after the first", counting.settle()
    changed = iter(range(0, count, 3))
    for _ in range(_REPEATED):
        vault.run()
        yield "nothing changed", counting.settle()
    for _ in range(_CHANGES):
        vault.run(change(corpus.event(next(changed), version=1)))
        yield "1 change", counting.settle()
    for _ in range(_REPEATED):
        vault.run(*(change(corpus.event(next(changed), version=1)) for _ in range(80)))
        yield "80 changes", counting.settle()
    for verb, look in _looks(vault):
        look()
        yield verb, counting.settle()


def _looks(vault: Vault) -> Iterator[tuple[str, Callable[[], object]]]:
    yield "list", lambda: vault.reader().snapshots()

    def diff() -> None:
        reader = vault.reader()
        list(reader.diff(reader.resolve("latest~1"), reader.resolve("latest")))

    yield "diff", diff

    def history() -> None:
        reader = vault.reader()
        for chapter in reader.chapters("cloud"):
            for newest in chapter.snapshots[-1:]:
                list(chapter.generation.rows(newest.id))

    yield "history", history


def costs(count: int) -> dict[str, list[Cost]]:
    """Return what each operation cost, by its name."""
    found: dict[str, list[Cost]] = {}
    with tempfile.TemporaryDirectory() as name:
        for what, cost in measured(Path(name) / "vault", count):
            found.setdefault(what, []).append(cost)
    return found


def main(count: int = 20_000) -> None:
    """Measure with and without padding, and print."""
    padded = costs(count)
    with patch("caldav_run.repository.zstd.padded", bytes):
        bare = costs(count)
    print(f"{count:,} events, two recipients; median bytes put (got), before padding | stored")
    for what, budget in BUDGETS.items():
        requests = ", ".join(f"{n} {kind}" for kind, n in sorted(padded[what][-1].requests.items()))
        sizes = " | ".join(f"{_size(each[what]):>9,.0f}" for each in (bare, padded))
        print(f"{what:>24}: {sizes}   {requests}   [{budget}]")


def _size(found: list[Cost]) -> float:
    return median(each.put or each.got for each in found)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
