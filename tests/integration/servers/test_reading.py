"""Each server's calendars are read as they are, whatever lies in them."""

from urllib.parse import unquote

import pytest
from tests.integration.servers import known
from tests.integration.servers.calendars import Made
from tests.integration.servers.corpus import Filled, reported, tail
from tests.integration.servers.description import EVERY_OTHER, Running
from tests.integration.servers.raw import CALDAV, Raw, resources

from caldav_run.dav import discovery
from caldav_run.dav.collections import Collection
from caldav_run.dav.settings import Settings
from caldav_run.model import Provenance
from caldav_run.secret import Secret


def test_every_item_that_the_server_hands_out_is_read(filled: Filled) -> None:
    missing = {
        each.name
        for each in filled.outcomes
        if (each.got or each.reported) and filled.item(each) is None
    }
    assert missing == set()


def test_nothing_that_is_listed_is_silently_missing(filled: Filled) -> None:
    listed = {unquote(tail(each.href)) for each in filled.listed}
    assert listed == {unquote(href) for href in [*filled.held, *filled.unread]}


def test_an_item_is_unread_only_where_the_server_does_not_hand_it_out(filled: Filled) -> None:
    kept_back = {
        each.name for each in filled.outcomes if each.stored and not (each.got or each.reported)
    }
    assert {unquote(href).removesuffix(".ics")[:32] for href in filled.unread} == kept_back
    assert filled.status == (3 if kept_back else 0)


def test_the_bytes_held_are_those_that_the_server_gave(filled: Filled) -> None:
    wrong = []
    for each in filled.outcomes:
        if item := filled.item(each):
            given = each.got if item.provenance is Provenance.GET else each.reported
            wrong += [each.name] if item.body != given else []
    assert wrong == []


def test_the_etag_held_is_the_one_that_is_listed(filled: Filled) -> None:
    listed = {tail(each.href): each.text("{DAV:}getetag") for each in filled.listed}
    held = {href: item.etag or "" for href, item in filled.held.items()}
    assert held == {href: listed[href] for href in held}


def test_the_server_refuses_and_changes_only_what_is_known(
    running: Running, filled: Filled
) -> None:
    if running.description is known.OWN:
        pytest.skip("nothing is known of this server beforehand")
    refused = {each.name for each in filled.outcomes if not each.stored}
    changed = {
        each.name for each in filled.outcomes if each.change().startswith(("content", "not"))
    }
    known_ones = {name for each in running.description.deviations for name in each.items}
    if EVERY_OTHER in known_ones:
        known_ones = known_ones - {EVERY_OTHER} | changed
    assert refused | changed == known_ones


def test_exactly_the_calendars_that_exist_are_found(
    running: Running, raw: Raw, calendar: Made
) -> None:
    answer = raw.propfind(raw.account.home, 1, "d:resourcetype")
    typed = {
        unquote(each.href.rstrip("/").rpartition("/")[2])
        for each in resources(answer.body)
        if f"{CALDAV}calendar" in each.kinds()
    }
    found = _found(running)
    made = {name for name in found if name.startswith("caldav-run-")}
    assert calendar.name in made
    assert found <= typed
    if running.description is not known.OWN:
        assert found - made - running.description.later == running.description.calendars


def test_a_deleted_calendar_is_not_found(running: Running, calendar: Made) -> None:
    assert calendar.name in _found(running)
    calendar.drop()
    assert calendar.name not in _found(running)


def _found(running: Running) -> set[str]:
    account = running.account
    settings = Settings(
        url=account.url,
        username=account.username if account.password else None,
        password=Secret.of(account.password) if account.password else None,
    )
    found = discovery.find(settings)
    try:
        return {each.calendar.id for each in found.collections() if isinstance(each, Collection)}
    finally:
        found.connection.close()


def test_an_item_alone_is_given_as_in_a_batch(filled: Filled) -> None:
    """What makes `reported` a fair measure for bytes that came in a batch."""
    chosen = [each for each in filled.outcomes if each.reported][:10]
    hrefs = [each.href for each in chosen if each.href]
    raw, path = filled.calendar.raw, filled.calendar.path
    answer = resources(raw.multiget(path, hrefs).body)
    together = {each.href: each.text(f"{CALDAV}calendar-data").encode() for each in answer}
    assert together == {href: reported(raw, path, href) for href in hrefs}
