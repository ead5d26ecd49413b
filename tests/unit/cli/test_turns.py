import sys

from caldav_run.cli import turns


def test_a_thread_that_reads_waits_no_more_than_half_a_millisecond() -> None:
    before = sys.getswitchinterval()
    try:
        turns.shorten()
        assert sys.getswitchinterval() <= 0.0005
    finally:
        sys.setswitchinterval(before)
