"""Restore and undo as a person types them, against real servers."""

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from tests.integration.cli.conftest import TODAY, Desk

from caldav_run.connectors.baseline import Nothing
from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.ical.version import version
from caldav_run.model import Changed
from caldav_run.testing.sample import sample_account, upload

if TYPE_CHECKING:
    from pathlib import Path

    from caldav_run.testing.servers import Server

QUICK = ("restore", "quickstart.yaml", "--to", "personal")


@pytest.fixture(params=["radicale", "xandikos"])
def backed_up(request: pytest.FixtureRequest, tmp_path: "Path") -> Desk:
    """A desk whose account was backed up, with a dentist and a lunch; on each server."""
    server: Server = request.getfixturevalue(request.param)
    if not server.password:
        # It lets everybody in; a pipeline has a password all the same.
        server = replace(server, password="wörd")
    small = [replace(each, items=each.items[:3]) for each in sample_account(TODAY)]
    upload(server, small)
    desk = Desk(tmp_path, server)
    desk.create()
    desk.put("family/dentist.ics", "Dentist")
    desk.put("family/lunch.ics", "Lunch")
    desk.back_up()
    return desk


def held(desk: Desk, context: Context) -> dict[str, bytes]:
    """Return the canonical digest of everything in the account, by UID."""
    source = CaldavSource.from_options(desk.server.options, context)
    try:
        items = [each.item for each in source.read(Nothing()) if isinstance(each, Changed)]
    finally:
        source.close()
    seen = [version(each.body, each.href, each.etag) for each in items]
    assert len({each.uid for each in seen}) == len(seen)
    return {each.uid: each.digest for each in seen}


def undo(desk: Desk) -> None:
    done = desk.run("undo", "latest")
    assert done.status == 0, done


def test_a_deleted_event_comes_back_and_goes_again(backed_up: Desk, context: Context) -> None:
    desk = backed_up
    before = held(desk, context)
    desk.delete("family/lunch.ics")
    without = held(desk, context)
    desk.back_up()
    words = (*QUICK, "--deleted-since", "today")
    done = desk.run(*words, "--plan", "--detailed-exitcode")
    assert done.status == 10, done
    assert "+ Familie 🏡: Lunch (Fri 8 May 2026, 10:00 UTC)\n" in done.out
    assert desk.server.send("GET", "family/lunch.ics") == HTTPStatus.NOT_FOUND
    assert desk.run(*words).status == 0
    assert held(desk, context) == before
    again = desk.run(*words)
    assert (again.status, "nothing written" in again.out) == (0, True)
    undo(desk)
    assert held(desk, context) == without


def test_an_event_gets_its_old_time_back_and_undo_the_new_one(
    backed_up: Desk, context: Context
) -> None:
    desk = backed_up
    before = held(desk, context)
    desk.put("family/dentist.ics", "Dentist", hour=14, sequence=1)
    desk.delete("family/lunch.ics")
    moved = held(desk, context)
    desk.back_up()
    kept = desk.run(*QUICK, "--as-of", "latest~1", "--calendar", "family")
    assert kept.status == 0
    assert "the destination's version is newer" in kept.err
    undo(desk)
    assert held(desk, context) == moved
    done = desk.run(*QUICK, "--as-of", "latest~1", "--on-conflict", "keep_source")
    assert done.status == 0, done
    assert held(desk, context) == before
    undo(desk)
    assert held(desk, context) == moved


def test_a_calendar_comes_back_beside_the_one_that_is_there(
    backed_up: Desk, context: Context
) -> None:
    desk = backed_up
    before = held(desk, context)
    done = desk.run(*QUICK, "--calendar", "family=Family (restored)")
    assert done.status == 0, done
    found = desk.run("discover", "quickstart.yaml", "personal").out
    assert "Family (restored)" in found
    undo(desk)
    assert held(desk, context) == before
    assert "Family (restored)" not in desk.run("discover", "quickstart.yaml", "personal").out


def test_what_a_person_changed_after_a_restore_is_not_undone(
    backed_up: Desk, context: Context
) -> None:
    desk = backed_up
    desk.delete("family/lunch.ics")
    desk.put("family/dentist.ics", "Dentist", hour=14, sequence=1)
    assert desk.run(*QUICK, "--on-conflict", "keep_source").status == 0
    desk.put("family/dentist.ics", "Dentist", hour=16, sequence=2)
    theirs = held(desk, context)
    done = desk.run("undo", "latest")
    assert done.status == 3
    assert "left as it is: it was changed after the run" in done.err
    now = held(desk, context)
    assert now.pop("family-lunch.ics", None) is None
    del theirs["family-lunch.ics"]
    assert now == theirs


def test_two_restores_at_once_do_no_damage(backed_up: Desk, context: Context) -> None:
    desk = backed_up
    before = held(desk, context)
    for each in ("dentist", "lunch"):
        desk.put(f"family/{each}.ics", "Other", hour=14, sequence=1)
    desk.delete("family/lunch.ics")
    words = (*QUICK, "--on-conflict", "keep_source")
    ended = [desk.ended(each) for each in (desk.start(*words), desk.start(*words))]
    # One may find the other's writes in its way, or the place where both save what is there.
    assert {each.status for each in ended} <= {0, 3, 75}, ended
    assert desk.run(*words).status == 0
    assert "nothing written" in desk.run(*words).out
    assert held(desk, context) == before
