"""A stage on which a backup meets with accidents, and what must hold after each."""

import logging
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from unittest.mock import patch

from caldav_run.errors import CaldavRunError
from caldav_run.repository.account import AccountWriter
from caldav_run.repository.archive import RepositoryWriter
from caldav_run.repository.reader import Reader
from caldav_run.repository.snapshots import SnapshotInfo
from caldav_run.testing.clocked import ClockedStore
from caldav_run.testing.tripwire import Harm, MachineStopped, Tripwire
from caldav_run.testing.vault import Vault
from caldav_run.testing.world import Memory, Server, Shelf, Shot, picture


class Warnings(logging.Handler):
    """Keeps what the repository's writer warns of while it is entered."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one warning."""
        self.texts.append(record.getMessage())

    def __enter__(self) -> Self:
        """Begin to listen."""
        logging.getLogger("caldav_run.repository").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no longer."""
        logging.getLogger("caldav_run.repository").removeHandler(self)


@dataclass
class Stage:
    """A repository, the servers that are backed up into it, and a memory of every snapshot.

    Attributes:
        vault: The repository and the machine's folder.
        servers: What is backed up, by account.
        memory: What every snapshot should give back.
        given_up: Snapshots that a scene itself has damaged.
    """

    vault: Vault
    servers: dict[str, Server] = field(default_factory=lambda: {"cloud": Server()})
    memory: Memory = field(default_factory=Memory)
    given_up: set[str] = field(default_factory=set)
    # What a run was about to commit: it may have, without living to say so.
    _pending: dict[str, Mapping[str, Shelf]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Have the store tell the time that the machine tells."""
        self.store = ClockedStore(self.vault.local, self.vault.clock)
        for each in self.vault.local.list():
            self.store.stored[each.name] = self.vault.clock()
        self.vault.wrap = lambda _: self.store

    @property
    def server(self) -> Server:
        """The first account's server."""
        return self.servers["cloud"]

    def back_up(self) -> None:
        """Do one run, a minute after the last one."""
        self.vault.clock.forward(minutes=1)
        archive = self.vault.archive()
        results: dict[str, str] = {}
        try:
            for account in self.servers:
                results[account] = "failed"
                self._account(archive, account)
                results[account] = "ok"
        except MachineStopped:
            results.clear()
            raise
        finally:
            archive.close(results)

    def _account(self, archive: RepositoryWriter, account: str) -> None:
        history = archive.open_account(account, "home")
        shelves = self.servers[account].read_into(history, self._held(history))
        self._pending[account] = shelves
        outcome = history.commit("f", guarded=False)
        del self._pending[account]
        if history.head is not None and outcome.snapshot is not None:
            shot = Shot.of(account, history.head.time, history.head.generation, shelves)
            self.memory.shots[outcome.snapshot] = shot

    def _held(self, history: AccountWriter) -> Mapping[str, Shelf]:
        goes_on = history.ledger.fingerprint is not None and history.head is not None
        return self.memory.shots[history.head.id].shelves if goes_on and history.head else {}

    def give_up(self) -> None:
        """Expect nothing more of the snapshots so far."""
        self.given_up |= self.memory.shots.keys()

    def adopt(self) -> None:
        """Remember what a run committed that could not say so any more."""
        for info in self._listed(self.vault.reader()):
            if info.id not in self.memory.shots:
                shelves = self._pending.pop(info.account)
                shot = Shot.of(info.account, info.time, info.generation, shelves)
                self.memory.shots[info.id] = shot
        self._pending.clear()

    def check(self) -> None:
        """Read every snapshot, and compare it with what is remembered of it."""
        self.adopt()
        reader = self.vault.reader()
        listed = self._listed(reader)
        assert len({each.id for each in listed}) == len(listed)
        assert {each.id for each in listed} == self.memory.shots.keys() - self.given_up
        for info in listed:
            assert not info.incomplete, info.problem
            assert picture(reader, info) == self.memory.picture(info.id)

    def _listed(self, reader: Reader) -> list[SnapshotInfo]:
        return [each for each in reader.snapshots() if each.id not in self.given_up]

    def check_newest(self) -> None:
        """Compare each account's newest snapshot with its server."""
        reader = self.vault.reader()
        for account, server in self.servers.items():
            found = picture(reader, reader.resolve("latest", account))
            assert found.keys() == server.names.keys() - server.unselected
            fresh = {
                (c, h): b for c, items in found.items() for h, (b, old) in items.items() if not old
            }
            assert fresh == server.readable()


@dataclass(frozen=True)
class Scene:
    """What has happened before the run that meets with an accident.

    Attributes:
        prepare: Does it.
        alarming: Whether a warning is in order.
    """

    prepare: Callable[[Stage], None]
    alarming: bool = False


class Play:
    """A scene that can be played again and again, with harm at another step each time.

    Attributes:
        stage: Where it is played.
        steps: How many calls of the store and statements of the cache its run has.
    """

    def __init__(self, folder: Path, scene: Scene) -> None:
        """Set the stage in an empty folder."""
        self._scene = scene
        self._folder, self._set = folder / "stage", folder / "set"
        self._folder.mkdir()
        self.stage = Stage(Vault(self._folder))
        scene.prepare(self.stage)
        self.stage.check()
        shutil.copytree(self._folder, self._set)
        self._shots = dict(self.stage.memory.shots)
        self._now = self.stage.vault.clock.now
        wire = Tripwire(self.stage.vault.state)
        with self._tripped(wire):
            self.stage.back_up()
        self.steps = wire.steps
        self._figures = self._count()

    def through(self, harm: Harm) -> int:
        """Play the scene with one harm at each of its steps.

        Returns:
            How many runs were harmed.
        """
        harmed = 0
        while self.with_harm(harm, harmed + 1):
            harmed += 1
        return harmed

    def with_harm(self, harm: Harm, at: int) -> bool:
        """Play the scene with one harm, and check all that must hold after it.

        Returns:
            Whether there is such a step.
        """
        self._reset()
        wire = Tripwire(self.stage.vault.state, at, harm)
        with self._tripped(wire), suppress(MachineStopped, CaldavRunError):
            self.stage.back_up()
        wire.restart()
        self.stage.check()
        with Warnings() as warnings:
            self.stage.back_up()
        self.stage.check()
        self.stage.check_newest()
        assert self._count() == self._figures
        assert self._scene.alarming or not warnings.texts
        return wire.reached

    def _reset(self) -> None:
        shutil.rmtree(self._folder)
        shutil.copytree(self._set, self._folder)
        self.stage.memory.shots = dict(self._shots)
        self.stage.vault.clock.now = self._now

    def _count(self) -> tuple[int, int]:
        """Count generations and snapshots: an accident adds none of either."""
        begun = [each for each in self.stage.vault.generations() if each.begun]
        return len(begun), len(self.stage.vault.segments())

    @contextmanager
    def _tripped(self, wire: Tripwire) -> Iterator[None]:
        stage, connect = self.stage, sqlite3.connect
        stage.vault.wrap = lambda _: wire.store(stage.store)
        factory = wire.connection()
        with patch(
            "sqlite3.connect", lambda *args, **more: connect(*args, factory=factory, **more)
        ):
            yield
        stage.vault.wrap = lambda _: stage.store
