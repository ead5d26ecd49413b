import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from caldav_run.engine.spool import Spool
from caldav_run.errors import TemporaryError


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


def test_bodies_come_back_as_they_were_put() -> None:
    with Spool() as spool:
        slots = [spool.put(body) for body in (b"one", b"", b"three")]
        assert [spool.get(slot) for slot in slots] == [b"one", b"", b"three"]


def test_a_full_disk_is_told_and_what_was_put_before_stays() -> None:
    with Spool() as spool:
        first = spool.put(b"one")
        with largest_file(6), pytest.raises(TemporaryError, match="cannot keep items in"):
            spool.put(b"too long")
        second = spool.put(b"two")
        assert (spool.get(first), spool.get(second)) == (b"one", b"two")
