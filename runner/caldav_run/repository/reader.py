"""The reading side of a repository."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cached_property

from caldav_run.errors import CaldavRunError, DamageError, SetupError, UsageError
from caldav_run.model import Failed, Item
from caldav_run.repository import difference, holdings, names, references, runs, segment, tombstone
from caldav_run.repository.bodies import Bodies
from caldav_run.repository.chapter import Chapter, chapters
from caldav_run.repository.contents import Contents
from caldav_run.repository.create import repository_id
from caldav_run.repository.difference import Difference
from caldav_run.repository.generation import Generation
from caldav_run.repository.holdings import Holding
from caldav_run.repository.keys import Keyring
from caldav_run.repository.lineage import snapshot_infos, superseded
from caldav_run.repository.missed import missed
from caldav_run.repository.names import RunName, SegmentName
from caldav_run.repository.narrow import narrowed
from caldav_run.repository.runs import RunRecord
from caldav_run.repository.segment import Segment
from caldav_run.repository.snapshots import CalendarInfo, ItemInfo, SnapshotInfo
from caldav_run.repository.state import State
from caldav_run.repository.store import Store
from caldav_run.repository.survey import survey
from caldav_run.repository.tombstone import Tombstone


class Reader:
    """Lists snapshots and gives back what they hold; believes only what trusted signers say.

    Attributes:
        keyring: What opens it, and whom it believes.
        problems: What was found damaged or could not be believed so far.
    """

    def __init__(self, store: Store, keyring: Keyring) -> None:
        """Take where the repository is and what opens it, without touching it."""
        self._store = store
        self.keyring = keyring
        self._bodies = Bodies(store, keyring.identities)
        self._contents: dict[str, Contents] = {}
        self._runs: dict[RunName, RunRecord | None] = {}
        self.problems: list[CaldavRunError] = []

    @cached_property
    def repository(self) -> str:
        """The repository's id.

        Raises:
            SetupError: There is no repository of this version.
        """
        return repository_id(self._store)

    def snapshots(self, account: str | None = None) -> list[SnapshotInfo]:
        """Return the snapshots of one account or of all, oldest first.

        Raises:
            ConnectorError: The store cannot be read.
            SetupError: There is no repository, nothing in it can be opened, or no signer in it
                is trusted.
            DamageError: Nothing in it is whole.
            UsageError: There is no such account.
        """
        found = list(self._snapshots.values())
        if not found and self.problems:
            raise self.problems[0]
        if account is None:
            return found
        mine = [each for each in found if each.account == account]
        if not mine:
            known = ", ".join(sorted({each.account for each in found})) or "none"
            raise UsageError(f"there is no account {account!r}; known accounts: {known}")
        return mine

    def resolve(
        self, ref: str, account: str | None = None, now: datetime | None = None
    ) -> SnapshotInfo:
        """Find the snapshot that a person means; see `references.resolve`.

        Args:
            ref: What the person wrote.
            account: The account that is meant; None for any.
            now: The time, in the zone where days end; None for UTC.
        """
        return references.resolve(self.snapshots(account), ref, now or datetime.now(UTC))

    def calendars(self, snapshot: SnapshotInfo) -> list[CalendarInfo]:
        """Return a snapshot's calendars by id; excluded and unread ones too.

        Raises:
            DamageError: A segment that it needs is missing or damaged.
        """
        return self._read(snapshot).calendars()

    def items(self, snapshot: SnapshotInfo, calendar: str | None = None) -> Iterator[ItemInfo]:
        """Yield a snapshot's items by calendar and href, without their bytes.

        Raises:
            DamageError: A segment that it needs is missing or damaged.
        """
        return self._read(snapshot).items(calendar)

    def item(self, snapshot: SnapshotInfo, calendar: str, href: str) -> ItemInfo | None:
        """Return one item without its bytes, or None when the snapshot does not hold it.

        Raises:
            DamageError: A segment that it needs is missing or damaged.
        """
        return self._read(snapshot).item(calendar, href)

    def filtered(self, snapshot: SnapshotInfo, calendar: str, held: int) -> bool:
        """Return whether a filter left out items of a calendar, of which nothing is held.

        Args:
            snapshot: The snapshot.
            calendar: The calendar's id.
            held: How many items of it `items` gives.

        Raises:
            DamageError: A segment that it needs is missing or damaged.
        """
        return self._read(snapshot).filtered(calendar, held)

    def let_go(self) -> None:
        """Forget what was read of snapshots and packs; it is read again if asked for."""
        self._contents.clear()
        self._bodies = Bodies(self._store, self.keyring.identities)
        for each in self._generations:
            each.let_go()

    def bodies(self, wanted: Iterable[ItemInfo]) -> Iterator[Item | Failed]:
        """Yield items with their bytes, pack by pack; see `Bodies.read`."""
        return self._bodies.read(wanted)

    def signer(self, snapshot: SnapshotInfo) -> str | None:
        """Return the fingerprint of who signed a snapshot; None when it cannot be read."""
        return self._homes[snapshot.id].signer

    def diff(self, old: SnapshotInfo, new: SnapshotInfo) -> Iterator[Difference]:
        """Yield what differs between two snapshots.

        Raises:
            DamageError: A segment that they need is missing or damaged.
        """
        home = self._homes[old.id]
        narrow = narrowed(home, old, new) if home is self._homes[new.id] else None
        if narrow is not None:
            before, after = narrow
            old_side, new_side = self._contents_of(before, old), self._contents_of(after, new)
            return difference.differences(old_side, new_side)
        return difference.differences(self._read(old), self._read(new))

    def holdings(self) -> list[Holding]:
        """Return who signed each generation, and for whom it was sealed; oldest first."""
        return [holdings.describe(each) for each in self._generations]

    def report(self, problem: CaldavRunError) -> None:
        """Keep what was found damaged, once."""
        if str(problem) not in map(str, self.problems):
            self.problems.append(problem)

    def chapters(self, account: str) -> Iterator[Chapter]:
        """Yield an account's generations that can be read, oldest first; see `chapters`."""
        mine = [each for each in self.snapshots(account) if not each.incomplete]
        return chapters(self._generations, mine, self._before)

    def runs(self) -> Iterator[RunRecord]:
        """Yield the run records, newest first; each is fetched when it is asked for.

        What cannot be used is passed over and kept in `problems`.
        """
        return filter(None, map(self._run, self._run_names))

    def last_read(self, account: str) -> datetime | None:
        """Return when an account was last read with success, changed or not."""
        for record in self.runs():
            if any(each.account == account and each.read for each in record.accounts):
                return record.time
        return None

    @cached_property
    def _run_names(self) -> list[RunName]:
        """The names of the run records, newest first."""
        listed = (names.parse_run(each.name) for each in self._store.list(names.RUNS))
        known = [each for each in listed if each is not None]
        return sorted(known, key=lambda each: (each.time, each.name), reverse=True)

    def _run(self, name: RunName) -> RunRecord | None:
        if name not in self._runs:
            try:
                self._runs[name] = self._open_run(name)
            except (DamageError, SetupError) as error:
                self.problems.append(error)
                self._runs[name] = None
        return self._runs[name]

    def _open_run(self, name: RunName) -> RunRecord | None:
        """Return a run record; None for one of a removed signer that does not count."""
        removed = self.keyring.until(name.writer) is not None
        heads = holdings.heads_of(self._generations, name.writer) if removed else {}
        if removed and (not heads or name.time > max(heads.values())):
            return None
        stored = self._store.get(name.name)
        known, identities = self.keyring.known, self.keyring.identities
        opened = runs.open_run(name, stored, identities, known, self.repository)
        return None if removed and not opened.heads <= heads.keys() else opened

    @cached_property
    def _generations(self) -> list[Generation]:
        def open_one(name: SegmentName) -> Segment:
            known, identities = self.keyring.known, self.keyring.identities
            stored = self._store.get(name.name)
            return segment.open_segment(name, stored, identities, known, self.repository)

        # First: a run that ends in between must not look as if its snapshot were lost.
        _ = self.repository, self._run_names
        listed = survey(self._store.list(names.ACCOUNTS))
        until = self.keyring.until
        return [Generation(e, open_one, until(e.name.writer)) for e in listed if e.segments]

    @cached_property
    def _homes(self) -> dict[str, Generation]:
        """Which generation a snapshot belongs to, by its id."""
        return {
            identity: generation
            for generation in self._generations
            for identity in (*generation.snapshots, *generation.problems)
        }

    @cached_property
    def _graves(self) -> dict[str, Tombstone]:
        """The tombstones that count, by their generations' names."""
        found: dict[str, Tombstone] = {}
        for each in self._generations:
            grave, problems = tombstone.grave_of(
                self._store, each.listed, self.keyring.trusted, self.repository
            )
            self.problems += problems
            if grave is not None:
                found[each.listed.name.name] = grave.tombstone
        return found

    @cached_property
    def _snapshots(self) -> dict[str, SnapshotInfo]:
        streams = {each.listed.name.stream: each.account for each in self._generations}
        streams |= {
            each.listed.name.stream: each.account for each in self._generations if each.account
        }
        found: list[SnapshotInfo] = []
        hidden = superseded(self._generations, self._graves)
        for generation in self._generations:
            account = streams[generation.listed.name.stream]
            problems = generation.problems.items()
            self.problems += [each for identity, each in problems if identity not in hidden]
            if account is not None:
                grave = self._graves.get(generation.listed.name.name)
                infos = snapshot_infos(generation, account, grave)
                found += (each for each in infos if each.id not in hidden)
        for each in found:
            # What is to be deleted may lack something by now.
            if each.problem and not each.expired:
                self.report(each.problem)
        self.problems += missed(self._generations, self._run_names, self._run)
        found.sort(key=lambda each: (each.time, each.generation, each.number, each.id))
        return {each.id: each for each in found}

    def _read(self, snapshot: SnapshotInfo) -> Contents:
        if snapshot.id not in self._contents:
            state = self._homes[snapshot.id].state(snapshot.id)
            self._contents[snapshot.id] = self._contents_of(state, snapshot)
        return self._contents[snapshot.id]

    def _contents_of(self, state: State, snapshot: SnapshotInfo) -> Contents:
        name = self._homes[snapshot.id].listed.name
        return Contents(state, name, snapshot.time, lambda: self._before(snapshot))

    def _before(self, snapshot: SnapshotInfo) -> Contents | None:
        """Read the account's last whole snapshot before a snapshot's generation."""
        begun = self._homes[snapshot.id].listed.name.begun
        older = [
            each
            for each in self._snapshots.values()
            if each.account == snapshot.account
            and each.generation != snapshot.generation
            and each.time < begun
            and not each.incomplete
        ]
        return self._read(older[-1]) if older else None
