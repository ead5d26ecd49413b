"""A repository in a folder, with keys and a clock that a test sets."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from caldav_run.model import Calendar, Change, Entry, Failed, Item, Op, Provenance
from caldav_run.repository import create, keys, names
from caldav_run.repository.account import AccountWriter, Outcome
from caldav_run.repository.archive import RepositoryWriter, Settings
from caldav_run.repository.local import LocalStore
from caldav_run.repository.names import SegmentName
from caldav_run.repository.reader import Reader
from caldav_run.repository.store import Store
from caldav_run.repository.survey import Listed, survey

START = datetime(2026, 5, 1, 8, tzinfo=UTC)


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: datetime = START

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def forward(self, **by: float) -> None:
        """Move by as much as `timedelta` is told."""
        self.now += timedelta(**by)


@dataclass
class Vault:
    """A new repository and all that a run and a reader need, in one folder.

    Attributes:
        folder: Empty; holds `keys`, `repository` and `state` then.
        clock: The time of runs.
        wrap: Put around the store of every run and reader.
    """

    folder: Path
    clock: Clock = field(default_factory=Clock)
    wrap: Callable[[Store], Store] = lambda store: store

    def __post_init__(self) -> None:
        """Make keys and repository."""
        self.keys = self.folder / "keys"
        self.root = self.folder / "repository"
        self.state = self.folder / "state"
        keys.create_keys(self.keys)
        self.writer = keys.load_writer(self.keys / keys.WRITER)
        self.recipients = keys.load_recipients(self.keys / keys.RECIPIENTS)
        self.settings = Settings(pipeline="nightly", state_dir=self.state, clock=self.clock)
        self.local = LocalStore(self.root)
        create.create(self.local, self.recipients, self.writer, START)

    def archive(self) -> RepositoryWriter:
        """Return the writing side for one run."""
        store = self.wrap(self.local)
        return RepositoryWriter(store, self.writer, self.recipients, self.settings)

    @contextmanager
    def opened(self, account: str = "cloud", origin: str = "home") -> Iterator[AccountWriter]:
        """Open an account for appending; what is not committed is forgotten."""
        opened = self.archive().open_account(account, origin)
        try:
            yield opened
        finally:
            opened.abandon()

    def entries(self, calendar: str = "family") -> Mapping[str, Entry]:
        """Return what the ledger holds of a calendar."""
        with self.opened() as account:
            return account.ledger.entries(calendar)

    def run(
        self,
        *changes: Change,
        account: str = "cloud",
        origin: str = "home",
        fingerprint: str = "f",
        guarded: bool = False,
    ) -> Outcome:
        """Do what one run does, a minute after the last one."""
        self.clock.forward(minutes=1)
        archive = self.archive()
        results = {}
        try:
            opened = archive.open_account(account, origin)
            for change in changes:
                opened.append(change)
            outcome = opened.commit(fingerprint, guarded=guarded)
            results[account] = "ok"
        finally:
            archive.close(results)
        return outcome

    def fill(self) -> Outcome:
        """Back up one calendar with two items."""
        return self.run(calendar_row("family"), added("a"), added("b"))

    def reader(self, *trust: str) -> Reader:
        """Return the reading side."""
        keyring = keys.load_keyring([self.keys / keys.IDENTITY], trust)
        return Reader(self.wrap(self.local), keyring)

    def bodies(self, ref: str = "latest", account: str = "cloud") -> list[Item | Failed]:
        """Return everything that a snapshot gives back."""
        reader = self.reader()
        return list(reader.bodies(reader.items(reader.resolve(ref, account))))

    def held(self, ref: str = "latest", account: str = "cloud") -> dict[tuple[str, str], bytes]:
        """Return the bytes that a snapshot gives back; all of them have to be readable."""
        found = self.bodies(ref, account)
        assert not [each for each in found if isinstance(each, Failed)], found
        return {(e.calendar, e.href): e.body for e in found if isinstance(e, Item)}

    def forget(self) -> None:
        """Lose the local state, as a machine without a disk does."""
        shutil.rmtree(self.state, ignore_errors=True)

    def generations(self) -> list[Listed]:
        """Return what the store holds, by generation."""
        return survey(self.local.list(names.ACCOUNTS))

    def segments(self) -> list[SegmentName]:
        """Return all segments, oldest first."""
        found = [each for listed in self.generations() for each in listed.segments.values()]
        return sorted(found, key=lambda each: (each.time, each.number))

    def packs(self) -> list[str]:
        """Return the names of all packs."""
        return [each.name for each in self.local.list(names.ACCOUNTS) if "/pack-" in each.name]

    def configure(self, **changes: Any) -> None:
        """Change the settings of later runs."""
        self.settings = replace(self.settings, **changes)


def calendar_row(identity: str, **properties: Any) -> Change:
    """Return the row of a calendar that was read."""
    made = Calendar(id=identity, **properties)
    return Change(op=Op.CALENDAR, calendar=identity, properties=made)


def body_of(uid: str, version: int = 1) -> bytes:
    """Return some version of an item's bytes."""
    return f"BEGIN:VEVENT\r\nUID:{uid}\r\nSEQUENCE:{version}\r\nEND:VEVENT\r\n".encode()


def added(
    uid: str,
    version: int = 1,
    calendar: str = "family",
    *,
    etag: str | None = None,
    valid_until: float | None = None,
) -> Change:
    """Return the row of a new or changed item."""
    etag = etag or f'"{version}"'
    item = Item(calendar, f"{uid}.ics", etag, body_of(uid, version), Provenance.REPORT)
    return Change(
        op=Op.ADD,
        calendar=calendar,
        href=item.href,
        item=item,
        etag=etag,
        uid=uid,
        valid_until=valid_until,
    )


def about(op: Op, uid: str | None, calendar: str = "family", **more: Any) -> Change:
    """Return a row without bytes, about an item or, without a UID, a calendar."""
    href = None if uid is None else f"{uid}.ics"
    return Change(op=op, calendar=calendar, href=href, **more)
