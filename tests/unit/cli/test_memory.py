import ctypes

import pytest

from caldav_run.cli import memory


class Library:
    """A C library that remembers what it was told."""

    def __init__(self, name: str | None) -> None:
        assert name is None
        self.told: list[tuple[int, int]] = []
        LIBRARIES.append(self)

    def mallopt(self, setting: int, value: int) -> None:
        self.told.append((setting, value))


LIBRARIES: list[Library] = []


def test_the_c_library_returns_large_blocks_and_has_one_place_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", Library)
    memory.give_back()
    assert LIBRARIES.pop().told == [(-3, 1 << 20), (-8, 1)]


def test_a_c_library_without_that_setting_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    memory.give_back()
