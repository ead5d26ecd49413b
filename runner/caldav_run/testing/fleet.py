"""Machines that back up the same servers into one repository, each with a clock and a disk."""

import random
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from caldav_run.errors import CaldavRunError
from caldav_run.repository import keys, names
from caldav_run.repository.account import AccountWriter
from caldav_run.repository.archive import RepositoryWriter, Settings
from caldav_run.repository.check.data import check_data
from caldav_run.repository.expire import look_for_expired
from caldav_run.repository.keys import Writer
from caldav_run.repository.reader import Reader
from caldav_run.repository.retention import Keep
from caldav_run.repository.snapshots import SnapshotInfo
from caldav_run.repository.store import Store, Stored
from caldav_run.testing.clocked import ClockedStore
from caldav_run.testing.vault import Clock, Vault, body_of
from caldav_run.testing.world import Memory, Server, Shelf, Shot, picture

ACCOUNTS = ("cloud", "phone")
VERSIONS = 6


@dataclass
class Run:
    """A run between its reading and its commit."""

    archive: RepositoryWriter
    account: str
    history: AccountWriter
    shelves: Mapping[str, Shelf]
    guarded: bool


@dataclass
class Machine:
    """A backup host.

    Attributes:
        writer: Its key; a clone has the same.
        state: Its folder of caches.
        clock: Its clock.
        run: What it is doing.
    """

    writer: Writer
    state: Path
    clock: Clock
    run: Run | None = None


@dataclass(frozen=True)
class Copy:
    """A repository and what was remembered of it, at one time."""

    folder: Path
    shots: Mapping[str, Shot]
    stored: Mapping[str, datetime]
    harmed: frozenset[str]
    altered: frozenset[str]


@dataclass
class Fleet:
    """A repository, who writes into it, and a plain memory of all that should be in it.

    Attributes:
        folder: Empty; holds everything then.
        servers: What is backed up, by account.
        machines: Who backs up.
        memory: What every snapshot should give back.
        harmed: Names of generations an object of which was damaged or lost.
        altered: Objects that were altered.
    """

    folder: Path
    servers: dict[str, Server] = field(default_factory=dict)
    machines: list[Machine] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)
    harmed: set[str] = field(default_factory=set)
    altered: set[str] = field(default_factory=set)
    _stored: dict[str, datetime] = field(default_factory=dict)
    _made: int = 0

    def __post_init__(self) -> None:
        """Make the repository and the first machine."""
        self.vault = Vault(self.folder)
        self.clock = Clock()
        self.store = ClockedStore(self.vault.local, self.clock)
        for each in self.vault.local.list():
            self.store.stored[each.name] = self.clock()
        self.servers = {account: Server() for account in ACCOUNTS}
        self._add(self.vault.writer)

    def second_writer(self) -> None:
        """Add a machine with a key of its own, which readers trust."""
        made = keys.create_keys(self._new_folder())
        identity = self.vault.keys / keys.IDENTITY
        comment = f"# trusted-signer: {made.fingerprint}\n"
        identity.write_text(identity.read_text() + comment)
        self._add(keys.load_writer(made.folder / keys.WRITER))

    def clone(self, machine: Machine) -> None:
        """Add a copy of a machine, with its key and its caches."""
        made = self._add(machine.writer)
        shutil.copytree(machine.state, made.state)
        made.clock.now = machine.clock.now

    def start(self, machine: Machine, account: str, store: Store, *, guarded: bool) -> None:
        """Read an account's server into a machine's open history.

        Raises:
            CaldavRunError: The machine or the store refuses.
        """
        settings = Settings(pipeline="nightly", state_dir=machine.state, clock=machine.clock)
        archive = RepositoryWriter(store, machine.writer, self.vault.recipients, settings)
        try:
            history = archive.open_account(account, f"home of {account}")
            goes_on = history.ledger.fingerprint is not None and history.head is not None
            held: Mapping[str, Shelf] = {}
            if goes_on and history.head:
                forked = {each.name.name for each in self.vault.generations() if each.forked}
                assert history.head.generation not in forked
                held = self.memory.shots[history.head.id].shelves
            shelves = self.servers[account].read_into(history, held)
        except BaseException:
            archive.close({})
            raise
        machine.run = Run(archive, account, history, shelves, guarded)

    def finish(self, machine: Machine) -> None:
        """Commit what a machine has read, and record the run.

        Raises:
            CaldavRunError: The machine or the store refuses.
        """
        run, machine.run = machine.run, None
        assert run is not None
        results = {run.account: "failed"}
        try:
            outcome = run.history.commit("f", guarded=run.guarded)
            results[run.account] = "ok"
            head = run.history.head
            assert head is not None
            if outcome.snapshot is not None:
                self._remember(run, outcome.snapshot, head.time, head.generation)
        except CaldavRunError:
            self._adopt(run)
            raise
        except BaseException:
            self._adopt(run)
            results = {}
            raise
        finally:
            run.archive.close(results)

    def drop_runs(self) -> None:
        """Have every run that is under way end without a commit."""
        for machine in self.machines:
            if machine.run is not None:
                machine.run.archive.close({})
                machine.run = None

    def expire(self, machine: Machine, keep: Keep, deeds: int) -> None:
        """Let a machine do some of what has expired, and then stop."""
        found = look_for_expired(self.store, machine.writer, keep, machine.clock).confirmed()
        for _, deed in zip(range(deeds), found.carry_out(), strict=False):
            assert deed.problem is None
        self._forget_what_expired(self.clock() - (keep.within or timedelta(0)))

    def harm(self, name: str, chance: random.Random) -> None:
        """Lose an object, or flip one of its bits."""
        path = self.vault.root / name
        self.harmed.add(name.split("/")[2])
        if chance.random() < 0.5:
            path.unlink()
            return
        data = bytearray(path.read_bytes())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        self.altered.add(name)

    def copy(self) -> Copy:
        """Copy the repository, as a backup of it does."""
        folder = self._new_folder()
        shutil.copytree(self.vault.root, folder)
        return Copy(
            folder,
            dict(self.memory.shots),
            dict(self.store.stored),
            frozenset(self.harmed),
            frozenset(self.altered),
        )

    def put_back(self, copy: Copy) -> None:
        """Have the repository go back in time."""
        self.drop_runs()
        shutil.rmtree(self.vault.root)
        shutil.copytree(copy.folder, self.vault.root)
        self.memory.shots = dict(copy.shots)
        self.store.stored = dict(copy.stored)
        self.harmed, self.altered = set(copy.harmed), set(copy.altered)

    def check(self) -> None:
        """Hold everything that can be read against the memory."""
        reader = self._reader()
        infos = self._listed(reader)
        assert len({each.id for each in infos}) == len(infos)
        assert {each.id for each in infos} <= self.memory.shots.keys()
        for info in infos:
            self._check_one(reader, info)
        missing = self.memory.shots.keys() - {each.id for each in infos}
        assert all(self.memory.shots[each].generation in self.harmed for each in missing), missing
        self._check_latest(infos)
        there = [each for each in self.store.list() if each.name in self.altered]
        assert {each.name for each in check_data(self.store, there)} == {e.name for e in there}

    def _check_one(self, reader: Reader, info: SnapshotInfo) -> None:
        shot = self.memory.shots[info.id]
        assert info.account == shot.account
        leans = any(
            shelf.before or any(each.before for each in shelf.items.values())
            for shelf in shot.shelves.values()
        )
        if shot.generation in self.harmed or (leans and self.harmed):
            self._check_harmed(reader, info)
            return
        assert not info.incomplete, info.problem
        assert picture(reader, info) == self.memory.picture(info.id)

    def _check_harmed(self, reader: Reader, info: SnapshotInfo) -> None:
        """Check that nothing is given back that never was."""
        try:
            found = picture(reader, info)
        except CaldavRunError:
            return
        for items in found.values():
            for href, (body, _) in items.items():
                uid = href.removesuffix(".ics")
                assert body in {None, *(body_of(uid, version) for version in range(VERSIONS))}
                assert uid.startswith(info.account)

    def _check_latest(self, infos: Collection[SnapshotInfo]) -> None:
        for account in ACCOUNTS:
            mine = [each for each in infos if each.account == account]
            if mine:
                newest = max(
                    mine, key=lambda each: (each.time, each.generation, each.number, each.id)
                )
                assert self._reader().resolve("latest", account).id == newest.id

    def _listed(self, reader: Reader) -> list[SnapshotInfo]:
        try:
            return reader.snapshots()
        except CaldavRunError:
            # Nothing can be read at all.
            assert self.harmed or not self.memory.shots
            return []

    def _adopt(self, run: Run) -> None:
        """Remember a snapshot that was committed by a run that could not say so."""
        infos = self._listed(self._reader())
        new = [each for each in infos if each.id not in self.memory.shots]
        assert len(new) <= 1
        for info in new:
            assert info.account == run.account
            self._remember(run, info.id, info.time, info.generation)

    def _remember(self, run: Run, identity: str, time: datetime, generation: str) -> None:
        self.memory.shots[identity] = Shot.of(run.account, time, generation, run.shelves)
        self._stored[identity] = self.clock()

    def _forget_what_expired(self, horizon: datetime) -> None:
        there = "".join(each.name for each in self.objects())
        for identity, shot in list(self.memory.shots.items()):
            if identity not in there and shot.generation not in self.harmed:
                assert self._stored[identity] <= horizon
                del self.memory.shots[identity]

    def objects(self) -> list[Stored]:
        """Return the objects of all generations."""
        return list(self.store.list(names.ACCOUNTS))

    def _reader(self) -> Reader:
        return Reader(self.store, keys.load_keyring([self.vault.keys / keys.IDENTITY]))

    def _add(self, writer: Writer) -> Machine:
        made = Machine(writer, self._new_folder(), Clock(self.clock.now))
        self.machines.append(made)
        return made

    def _new_folder(self) -> Path:
        self._made += 1
        return self.folder / f"made-{self._made}"
