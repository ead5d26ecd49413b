"""One step ahead: the server works on the next batch while the last one is being used."""

import queue
import threading
from collections.abc import Iterator
from typing import Final, Generic, TypeVar

T = TypeVar("T")

# A request that nobody waits for any more may take a minute to fail.
_FAREWELL_S: Final = 1.0


def ahead(steps: Iterator[T]) -> Iterator[T]:
    """Yield what `steps` yields, while a thread of its own already takes the next step.

    Between its start and its end, `steps` runs in that thread alone. An error of it is raised here,
    after what it yielded before.
    """
    walker = _Walker(steps)
    try:
        yield from walker
    finally:
        walker.stop()


class _Walker(Generic[T]):
    """A thread that takes one step whenever it is told to."""

    def __init__(self, steps: Iterator[T]) -> None:
        self._steps = steps
        self._told = threading.Semaphore(0)
        self._taken: queue.SimpleQueue[tuple[T] | BaseException | None] = queue.SimpleQueue()
        self._stopped = False
        # As a daemon it keeps nobody from leaving: Ctrl-C has to end a run at once.
        self._thread = threading.Thread(target=self._walk, name="reading ahead", daemon=True)

    def __iter__(self) -> Iterator[T]:
        self._thread.start()
        self._told.release()
        while (found := self._taken.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            self._told.release()
            yield found[0]

    def stop(self) -> None:
        """Have the thread end after the step that it is taking."""
        self._stopped = True
        self._told.release()
        self._thread.join(_FAREWELL_S)

    def _walk(self) -> None:
        try:
            while self._told.acquire() and not self._stopped:
                self._taken.put((next(self._steps),))
        except StopIteration:
            self._taken.put(None)
        except BaseException as error:  # noqa: BLE001 - raised where the steps are wanted
            self._taken.put(error)
