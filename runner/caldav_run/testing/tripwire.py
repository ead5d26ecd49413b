"""A machine that stops, or a disk or store that refuses, at a step that a test chooses."""

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from caldav_run.errors import TemporaryError
from caldav_run.repository.store import Store, Stored

_Result = TypeVar("_Result")


class MachineStopped(BaseException):
    """The machine has stopped: nothing that runs in it can catch this."""


class Harm(Enum):
    """What happens at the chosen step."""

    DIES_BEFORE = "dies before"
    DIES_AFTER = "dies after"
    REFUSES = "refuses"
    """The step fails, and the program goes on."""
    LIES = "lies"
    """The step takes effect and fails all the same: its answer was lost."""

    @property
    def deadly(self) -> bool:
        """Whether the machine stops."""
        return self in {Harm.DIES_BEFORE, Harm.DIES_AFTER}


@dataclass
class Tripwire:
    """Counts the steps of a run, and does harm at one of them.

    Attributes:
        state: The machine's folder. What lies in it at the moment of a crash is what the next
            run finds there: open transactions with their journals.
        at: The step that is harmed, counted from 1; 0 for none.
        harm: What happens at it.
        steps: How many steps there were.
        dead: Whether the machine has stopped.
    """

    state: Path
    at: int = 0
    harm: Harm = Harm.DIES_BEFORE
    steps: int = 0
    dead: bool = False

    @property
    def reached(self) -> bool:
        """Whether the chosen step was reached."""
        return 0 < self.at <= self.steps

    def step(self, act: Callable[[], _Result], refusal: Exception) -> _Result:
        """Do one step, unless it is the one.

        Raises:
            MachineStopped: The machine stops, or has stopped before.
        """
        if self.dead:
            raise MachineStopped
        self.steps += 1
        if self.steps != self.at:
            return act()
        if self.harm in {Harm.DIES_AFTER, Harm.LIES}:
            act()
        if self.harm.deadly:
            self.dead = True
            shutil.copytree(self.state, self._kept, dirs_exist_ok=True)
            raise MachineStopped
        raise refusal

    def restart(self) -> None:
        """Have the machine find what lay on its disk when it stopped."""
        if self.dead:
            shutil.rmtree(self.state)
            self._kept.rename(self.state)

    def store(self, store: Store) -> "TrippedStore":
        """Return the store with every call as a step."""
        return TrippedStore(store, self)

    def connection(self) -> type[sqlite3.Connection]:
        """Return a kind of SQLite connection that makes every statement a step."""
        wire = self

        class TrippedConnection(sqlite3.Connection):
            def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
                execute = super().execute
                return wire.step(lambda: execute(sql, parameters), _failed())

            def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
                executemany = super().executemany
                return wire.step(lambda: executemany(sql, parameters), _failed())

            def executescript(self, script: str, /) -> sqlite3.Cursor:
                executescript = super().executescript
                return wire.step(lambda: executescript(script), _failed())

        return TrippedConnection

    @property
    def _kept(self) -> Path:
        return self.state.with_name(f"{self.state.name}.crashed")


class TrippedStore:
    """A store every call of which is a step."""

    def __init__(self, store: Store, wire: Tripwire) -> None:
        """Take the real store, and what counts."""
        self.location = store.location
        self._store = store
        self._wire = wire

    def list(self, prefix: str = "", after: str = "") -> Iterator[Stored]:
        """See `Store.list`."""
        return iter(self._wire.step(lambda: [*self._store.list(prefix, after)], _refused()))

    def get(self, name: str) -> bytes:
        """See `Store.get`."""
        return self._wire.step(lambda: self._store.get(name), _refused())

    def put(self, name: str, data: bytes) -> None:
        """See `Store.put`."""
        self._wire.step(lambda: self._store.put(name, data), _refused())

    def delete(self, name: str) -> None:
        """See `Store.delete`."""
        self._wire.step(lambda: self._store.delete(name), _refused())


def _refused() -> Exception:
    return TemporaryError("the store answers 503")


def _failed() -> Exception:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    error.sqlite_errorname = "SQLITE_IOERR"
    return error
