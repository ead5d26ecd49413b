"""The fuzzers' targets hold for what they begin with and for what Hypothesis thinks of.

`make fuzz` runs them with atheris, for as long as one likes.
"""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

LOADED = runpy.run_path(str(Path(__file__).with_name("targets.py")))
TARGETS: Mapping[str, Callable[[bytes], None]] = LOADED["TARGETS"]


@pytest.fixture(scope="module")
def seeds() -> Mapping[str, list[bytes]]:
    found: Mapping[str, list[bytes]] = LOADED["seeds"]()
    return found


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds_for_its_seeds(name: str, seeds: Mapping[str, list[bytes]]) -> None:
    assert seeds[name]
    for each in seeds[name]:
        TARGETS[name](each)
        TARGETS[name](each[: len(each) // 2])


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.binary())
def test_a_target_holds_for_any_bytes(name: str, data: bytes) -> None:
    TARGETS[name](data)


def test_a_name_of_an_early_year_is_written_as_it_was_read() -> None:
    folder = f"a/{'0' * 20}/20260101T070000Z-ed3a88c0-603952"
    TARGETS["object_name"](f"{folder}/zz-expire-02260101T100000Z-{'0' * 64}".encode())
