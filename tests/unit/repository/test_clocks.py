"""A store whose clock is off is told of, a copied one is not."""

import logging
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from caldav_run.testing.vault import Vault, added


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


def back_up(vault: Vault, *uids: str, hours: float = 24) -> None:
    for uid in uids:
        vault.run(added(uid))
        vault.clock.forward(hours=hours)


def stamp(vault: Vault, name: str, when: datetime) -> None:
    os.utime(vault.root / name, (when.timestamp(), when.timestamp()))


def store_is(vault: Vault, ahead: timedelta) -> None:
    """Give each object the time that the store's clock would have given it."""
    for pack in vault.packs():
        stamp(vault, pack, vault.segments()[0].time + ahead)
    for segment in vault.segments():
        stamp(vault, segment.name, segment.time + ahead)


def copied(vault: Vault) -> None:
    """Give each object the time of a copy that is made right now."""
    for each in vault.local.list("a/"):
        stamp(vault, each.name, vault.clock.now)


def warned(vault: Vault, caplog: pytest.LogCaptureFixture) -> str:
    caplog.clear()
    with caplog.at_level(logging.WARNING), vault.opened():
        pass
    return caplog.text


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(minutes=12), "is 12 minutes ahead of this machine's"),
        (timedelta(minutes=-12), "is 12 minutes behind this machine's"),
        (timedelta(hours=-30), "is 1800 minutes behind"),
        (timedelta(minutes=4), ""),
        (timedelta(minutes=-4), ""),
    ],
)
def test_a_clock_that_was_off_twice_is_told(
    vault: Vault, caplog: pytest.LogCaptureFixture, ahead: timedelta, words: str
) -> None:
    vault.fill()
    back_up(vault, "c", "d")
    store_is(vault, ahead)
    told = warned(vault, caplog)
    assert words in told
    assert bool(told) == bool(words)


def test_what_was_stored_in_the_future_is_enough(
    vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    vault.fill()
    store_is(vault, timedelta(hours=1))
    assert "is 60 minutes ahead" in warned(vault, caplog)


def test_one_snapshot_alone_proves_nothing(vault: Vault, caplog: pytest.LogCaptureFixture) -> None:
    vault.fill()
    back_up(vault, "c", hours=2)
    store_is(vault, timedelta(minutes=30))
    vault.clock.forward(hours=2)
    # Two within an hour are no more: both may have been copied at one time.
    assert warned(vault, caplog) == ""


def test_a_copied_repository_is_not_taken_for_a_wrong_clock(
    vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    vault.fill()
    back_up(vault, "c", "d", "e")
    copied(vault)
    assert warned(vault, caplog) == ""


def test_a_clock_that_was_put_right_is_not_told_for_ever(
    vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    vault.fill()
    back_up(vault, "c", "d")
    store_is(vault, timedelta(minutes=-12))
    vault.clock.forward(days=8)
    assert warned(vault, caplog) == ""


def test_a_time_of_our_own_that_lies_ahead_is_no_proof(
    vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    vault.fill()
    store_is(vault, timedelta(0))
    vault.clock.forward(days=-300)
    copied(vault)
    assert warned(vault, caplog) == ""
