import threading
from collections.abc import Iterator

import pytest

from caldav_run.dav.ahead import ahead


class Steps:
    """Counts how many steps were begun, and in which threads."""

    def __init__(self, number: int, error: Exception | None = None) -> None:
        self.begun = 0
        self.threads: set[str] = set()
        self.changed = threading.Condition()
        self._number = number
        self._error = error

    def __iter__(self) -> Iterator[int]:
        for step in range(self._number):
            with self.changed:
                self.begun += 1
                self.threads.add(threading.current_thread().name)
                self.changed.notify_all()
            yield step
        if self._error is not None:
            raise self._error

    def wait(self, number: int) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self.begun >= number, timeout=5)


def test_the_steps_come_in_order() -> None:
    assert list(ahead(iter(Steps(50)))) == list(range(50))


def test_the_next_step_is_taken_while_one_is_used_and_no_more() -> None:
    steps = Steps(5)
    walk = ahead(iter(steps))
    assert next(walk) == 0
    assert steps.wait(2)
    assert next(walk) == 1
    assert steps.wait(3)
    assert steps.begun == 3
    assert steps.threads == {"reading ahead"}
    assert list(walk) == [2, 3, 4]


def test_an_error_is_raised_after_what_came_before_it() -> None:
    walk = ahead(iter(Steps(2, ValueError("broken"))))
    assert [next(walk), next(walk)] == [0, 1]
    with pytest.raises(ValueError, match="broken"):
        next(walk)


def test_the_thread_ends_when_nobody_wants_more() -> None:
    walk = ahead(iter(Steps(100)))
    next(walk)
    walk.close()  # type: ignore[attr-defined]
    assert "reading ahead" not in {each.name for each in threading.enumerate()}


def test_an_iterator_that_was_never_asked_starts_no_thread() -> None:
    steps = Steps(1)
    ahead(iter(steps))
    assert steps.begun == 0
