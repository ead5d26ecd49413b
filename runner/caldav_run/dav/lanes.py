"""Several requests under way at a time, each on a connection of its own."""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar, cast

from caldav_run.dav.connection import Connection
from caldav_run.dav.pace import Pace

T = TypeVar("T")

# A request that nobody waits for any more may take a minute to fail.
_FAREWELL_S: Final = 1.0


class Task(Generic[T]):
    """Some requests to be made on one of the connections.

    Attributes:
        done: Whether they were made, or failed.
        width: How many tasks were under way when this one began.
        seconds: How long it took.
    """

    def __init__(self, work: Callable[[Connection], T]) -> None:
        """Take what to do with a connection."""
        self.done = False
        self.width = 0
        self.seconds = 0.0
        self._work = work
        self._value: T | None = None
        self._error: BaseException | None = None

    @property
    def good(self) -> bool:
        """Whether it is done and has a result."""
        return self.done and self._error is None

    def result(self) -> T:
        """Return what came of it once it is done, or raise what it raised."""
        if self._error is not None:
            raise self._error
        return cast("T", self._value)

    def run(self, connection: Connection) -> None:
        """Do it."""
        begun = time.monotonic()
        try:
            self._value = self._work(connection)
        except BaseException as error:  # noqa: BLE001 - raised where the result is wanted
            self._error = error
        self.seconds = time.monotonic() - begun


class Lanes:
    """Threads that take tasks in order; each has a connection of its own.

    Args:
        connection: The account's connection, signed in; nobody else may use it until `close`.
        pace: Says how many tasks may be under way.
    """

    def __init__(self, connection: Connection, pace: Pace) -> None:
        """Start no thread yet."""
        self.pace = pace
        self._connections = [connection]
        self._changed = threading.Condition()
        self._waiting: deque[Task[Any]] = deque()
        self._threads: list[threading.Thread] = []
        self._active = 0
        self._finished = 0
        self._stopped = False

    def submit(self, work: Callable[[Connection], T]) -> Task[T]:
        """Have something done soon."""
        task = Task(work)
        with self._changed:
            self._waiting.append(task)
            lacking = len(self._waiting) + self._active > len(self._threads)
            if lacking and len(self._threads) < self.pace.width:
                self._start()
            self._changed.notify_all()
        return task

    def wait(self, task: Task[T], meanwhile: Callable[[], None]) -> T:
        """Return the result of a task.

        Args:
            task: The task.
            meanwhile: Called now, and again whenever any task is done.
        """
        while True:
            seen = self._finished
            meanwhile()
            if task.done:
                return task.result()
            with self._changed:
                self._changed.wait_for(lambda seen=seen: self._finished != seen)  # type: ignore[misc]

    def first(self, tasks: Collection[Task[T]]) -> Task[T]:
        """Return one of some tasks that is done, as soon as there is one."""
        with self._changed:
            self._changed.wait_for(lambda: any(task.done for task in tasks))
        return next(task for task in tasks if task.done)

    def close(self) -> None:
        """Drop what has not begun; afterwards the first connection is the caller's again."""
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            self._changed.notify_all()
        until = time.monotonic() + _FAREWELL_S
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        for connection in self._connections[1:]:
            connection.close()

    def _start(self) -> None:
        if self._threads:
            self._connections.append(self._connections[0].sibling())
        connection = self._connections[-1]
        # As a daemon it keeps nobody from leaving: Ctrl-C has to end a run at once.
        thread = threading.Thread(
            target=self._work, args=(connection,), name="reading", daemon=True
        )
        # An interruption may come between: only what was started can be waited for.
        thread.start()
        self._threads.append(thread)

    def _work(self, connection: Connection) -> None:
        while (task := self._next()) is not None:
            task.run(connection)
            with self._changed:
                self._active -= 1
                self._finished += 1
                task.done = True
                self._changed.notify_all()

    def _next(self) -> Task[Any] | None:
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopped or (self._waiting and self._active < self.pace.width)
            )
            if self._stopped:
                return None
            self._active += 1
            task = self._waiting.popleft()
            task.width = self._active
            return task

    def __enter__(self) -> Self:
        """Return the lanes."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close them."""
        self.close()
