import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.engine.plan import order
from caldav_run.engine.wanted import Wanted
from caldav_run.errors import TemporaryError
from caldav_run.model import Stamp, Version


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let files grow to so many bytes, as a disk does that is full then."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def some(uid: str, href: str = "a.ics", label: str = "Lunch") -> Version:
    return Version(
        uid=uid,
        href=href,
        etag=None,
        digest=b"\0\xff",
        stamp=Stamp(3, "20260501T080000Z"),
        scheduled=True,
        label=label,
    )


def held(wanted: Wanted, calendar: str = "work") -> list[tuple[Version, bytes]]:
    return [(version, wanted.body(slot)) for version, slot in wanted.versions(calendar)]


def test_items_come_back_as_they_were_put() -> None:
    with Wanted() as wanted:
        items = [(some("1"), b"one"), (some("2", label="\udcff"), b""), (some("3"), b"three")]
        for version, body in items:
            wanted.put("work", version, body)
        wanted.put("family", some("4"), b"four")
        assert held(wanted) == items
        assert held(wanted, "family") == [(some("4"), b"four")]


@given(keys=st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), max_size=6, unique=True))
def test_items_come_in_the_order_of_a_plan(keys: list[tuple[str, str]]) -> None:
    with Wanted() as wanted:
        versions = [some(uid, href) for uid, href in keys]
        for version in versions:
            wanted.put("work", version, b"")
        assert [version for version, _ in wanted.versions("work")] == sorted(versions, key=order)


def test_a_full_disk_is_told_of_what_is_known_of_items_too() -> None:
    def fill(wanted: Wanted) -> None:
        for number in range(20_000):
            wanted.put("work", some(str(number), label="long " * 100), b"")

    with (
        Wanted() as wanted,
        largest_file(1 << 20),
        pytest.raises(TemporaryError, match="cannot keep what is known"),
    ):
        fill(wanted)
