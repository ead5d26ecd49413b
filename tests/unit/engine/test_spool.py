import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.engine.plan import order
from caldav_run.engine.spool import Spool
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


def held(spool: Spool, calendar: str = "work") -> list[tuple[Version, bytes]]:
    return [(version, spool.get(slot)) for version, slot in spool.wanted(calendar)]


def test_items_come_back_as_they_were_put() -> None:
    with Spool() as spool:
        items = [(some("1"), b"one"), (some("2", label="\udcff"), b""), (some("3"), b"three")]
        for version, body in items:
            spool.put("work", version, body)
        spool.put("family", some("4"), b"four")
        assert held(spool) == items
        assert held(spool, "family") == [(some("4"), b"four")]


@given(keys=st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), max_size=6, unique=True))
def test_items_come_in_the_order_of_a_plan(keys: list[tuple[str, str]]) -> None:
    with Spool() as spool:
        versions = [some(uid, href) for uid, href in keys]
        for version in versions:
            spool.put("work", version, b"")
        assert [version for version, _ in spool.wanted("work")] == sorted(versions, key=order)


def test_a_full_disk_is_told_and_what_was_put_before_stays() -> None:
    with Spool() as spool:
        spool.put("work", some("1"), b"one")
        with largest_file(6), pytest.raises(TemporaryError, match="cannot keep items in"):
            spool.put("work", some("2"), b"too long")
        spool.put("work", some("3"), b"two")
        assert held(spool) == [(some("1"), b"one"), (some("3"), b"two")]


def test_a_full_disk_is_told_of_what_is_known_of_items_too() -> None:
    def fill(spool: Spool) -> None:
        for number in range(20_000):
            spool.put("work", some(str(number), label="long " * 100), b"")

    with Spool() as spool, largest_file(1 << 20):
        with pytest.raises(TemporaryError, match="cannot keep items in"):
            fill(spool)
