"""What is written lands whole and once, over nothing that was not seen; refusals are told."""

import html
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from tests.integration.servers.calendars import Made
from tests.integration.servers.capabilities import event
from tests.integration.servers.corpus import corpus
from tests.integration.servers.description import Running
from tests.integration.servers.raw import Raw

from caldav_run.connectors.mirroring import Held, Mirror, Order, Outcome, Target
from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sinks.caldav import CaldavSink
from caldav_run.errors import CalendarError
from caldav_run.ical.version import version
from caldav_run.model import Calendar, Version

ROUNDS: Final = 3
CONTEXT: Final = Context(
    name="there",
    pipeline="p",
    timezone=UTC,
    now=datetime(2026, 5, 1, tzinfo=UTC),
    state_dir=Path("state"),
)
_UID: Final = re.compile(rb"(?<=\nUID:)")


@pytest.fixture
def sink(running: Running) -> Iterator[Mirror]:
    with closing(CaldavSink.from_options(running.account.options, CONTEXT)) as found:
        yield found


@pytest.fixture
def target(sink: Mirror, calendar: Made) -> Target:
    """The calendar of one test's own, as the sink sees it."""
    found = sink.target("source", Calendar(id=calendar.name))
    assert found.exists
    assert sink.present(found) == []
    return found


@pytest.fixture
def made(sink: Mirror, raw: Raw) -> Iterator[Callable[[Calendar], Target]]:
    """Make calendars by the sink, and delete them at the end."""
    targets: list[Target] = []

    def make(wanted: Calendar) -> Target:
        target = sink.target("source", wanted)
        assert not target.exists
        sink.create(target)
        targets.append(target)
        return sink.target("source", wanted)

    yield make
    for each in targets:
        raw.delete(f"{raw.account.home}{each.calendar.id}/")


def order(href: str, body: bytes, replaces: Version | None = None) -> Order:
    return Order(version(body, href, None), replaces, lambda: body)


def apply(sink: Mirror, target: Target, orders: Sequence[Order]) -> Mapping[Order, Outcome]:
    """Do the orders; each is told of exactly once, and whatever failed says why."""
    told = list(sink.apply(target, orders))
    outcomes = {each.order: each for each in told}
    assert len(told) == len(orders)
    assert set(outcomes) == set(orders)
    assert all(each.error.message for each in told if each.error is not None)
    return outcomes


def done(sink: Mirror, target: Target, one: Order) -> Outcome:
    return apply(sink, target, [one])[one]


def there(sink: Mirror, target: Target) -> dict[str, Version]:
    """Return what the calendar holds, by UID."""
    return {each.uid: each for each in sink.present(target)}


def reread(sink: Mirror, target: Target, href: str | None) -> Held:
    assert href is not None
    (held,) = sink.reread(target, [href])
    return held


def hostile(rounds: int) -> Iterator[tuple[str, bytes]]:
    for number in range(rounds):
        for name, body in corpus():
            yield f"{number}-{name}", _UID.sub(b"%d-" % number, body)


@pytest.mark.timeout(900)
def test_hostile_items_are_written_or_refused_by_name(
    sink: Mirror, target: Target, running: Running
) -> None:
    # The servers of the fast suite have each item once.
    rounds = 1 if running.description.container is None else ROUNDS
    orders = [order(*each) for each in hostile(rounds)]
    assert len(orders) > 90 * rounds
    outcomes = apply(sink, target, orders)
    written = {each.href: each for each in outcomes.values() if each.error is None}
    refused = [each for each in outcomes.values() if each.error is not None]
    assert len(written) + len(refused) == len(orders), "two items got one name"
    assert len(written) > 50 * rounds
    assert not any(each.moved for each in refused)
    assert all(re.search(r"the server says [1-5][0-9]{2}", str(each.error)) for each in refused)
    # Whatever was told as written is there, and nothing else is.
    held = {each.href: each for each in sink.reread(target, list(filter(None, written)))}
    assert set(held) == set(written)
    lost = [href for href, each in held.items() if each.version is None and each.error is None]
    assert lost == []
    assert {each.href for each in sink.present(target)} <= set(written)


def test_an_item_is_written_over_the_version_that_was_seen(sink: Mirror, target: Target) -> None:
    uid = f"{target.calendar.id}-over"
    assert done(sink, target, order("a.ics", event(uid))).error is None
    before = there(sink, target)[uid]
    later = order("a.ics", event(uid, "Dinner"), before)
    outcome = done(sink, target, later)
    assert (outcome.error, outcome.href) == (None, before.href)
    held = reread(sink, target, outcome.href)
    assert b"SUMMARY:Dinner" in (held.body or b"")
    assert outcome.etag in {None, held.version.etag if held.version else None}


def test_a_version_that_was_not_seen_is_not_written_over(
    sink: Mirror, target: Target, calendar: Made
) -> None:
    uid = f"{target.calendar.id}-conflict"
    done(sink, target, order("a.ics", event(uid)))
    seen = there(sink, target)[uid]
    calendar.put(seen.href, event(uid, "Theirs"))
    outcome = done(sink, target, order("a.ics", event(uid, "Mine"), seen))
    assert outcome.moved
    assert b"SUMMARY:Theirs" in (reread(sink, target, seen.href).body or b"")


def test_an_item_that_appeared_meanwhile_is_not_written_over(
    sink: Mirror, target: Target, calendar: Made
) -> None:
    uid = f"{target.calendar.id}-appeared"
    calendar.put("a.ics", event(uid, "Theirs"))
    outcome = done(sink, target, order("a.ics", event(uid, "Mine")))
    assert outcome.error is not None
    assert b"SUMMARY:Theirs" in (reread(sink, target, "a.ics").body or b"")


def test_an_item_that_went_meanwhile_is_not_written_over(
    sink: Mirror, target: Target, calendar: Made
) -> None:
    uid = f"{target.calendar.id}-went"
    done(sink, target, order("a.ics", event(uid)))
    seen = there(sink, target)[uid]
    calendar.remove(seen.href)
    assert done(sink, target, order("a.ics", event(uid, "Mine"), seen)).moved


def test_an_item_is_deleted_in_the_version_that_was_seen(
    sink: Mirror, target: Target, calendar: Made
) -> None:
    uids = [f"{target.calendar.id}-{name}" for name in ("goes", "changed", "gone")]
    for number, uid in enumerate(uids):
        done(sink, target, order(f"{number}.ics", event(uid)))
    goes, changed, gone = (there(sink, target)[uid] for uid in uids)
    calendar.put(changed.href, event(uids[1], "Theirs"))
    calendar.remove(gone.href)
    deletions = [Order(None, each, bytes) for each in (goes, changed, gone)]
    outcomes = apply(sink, target, deletions)
    assert [outcomes[each].moved for each in deletions] == [False, True, False]
    assert [outcomes[each].error is None for each in deletions] == [True, False, True]
    assert set(there(sink, target)) == {uids[1]}


def test_a_deleted_item_can_be_written_again(sink: Mirror, target: Target) -> None:
    uid = f"{target.calendar.id}-again"
    done(sink, target, order("a.ics", event(uid, "Before")))
    assert done(sink, target, Order(None, there(sink, target)[uid], bytes)).error is None
    assert there(sink, target) == {}
    outcome = done(sink, target, order("a.ics", event(uid, "After")))
    assert outcome.error is None
    assert b"SUMMARY:After" in (reread(sink, target, outcome.href).body or b"")
    assert set(there(sink, target)) == {uid}


def test_an_item_that_somebody_else_deleted_can_be_written_again(
    sink: Mirror, target: Target, calendar: Made
) -> None:
    uid = f"{target.calendar.id}-theirs"
    # Whatever is known of a server's bin is so by now.
    done(sink, target, order("other.ics", event(f"{uid}-other")))
    calendar.put("a.ics", event(uid, "Before"))
    calendar.remove("a.ics")
    outcome = done(sink, target, order("a.ics", event(uid, "After")))
    assert outcome.error is None
    assert b"SUMMARY:After" in (reread(sink, target, outcome.href).body or b"")


def test_a_uid_of_another_calendar_is_objected_to_where_it_would_be_refused(
    sink: Mirror, target: Target, made: Callable[[Calendar], Target]
) -> None:
    uid = f"{target.calendar.id}-elsewhere"
    other = made(Calendar(id=f"{target.calendar.id}-b", display_name=f"Other {uid}"))
    assert done(sink, other, order("a.ics", event(uid))).error is None
    again = order("b.ics", event(uid))
    objection = sink.objection(target, again.wanted, None, 100)
    error = done(sink, target, again).error
    assert (objection is None) == (error is None)
    assert objection is None or other.calendar.title in objection


def test_a_doubled_uid_is_written_once_or_objected_to(sink: Mirror, target: Target) -> None:
    uid = f"{target.calendar.id}-twice"
    orders = [order(f"{number}.ics", event(uid, f"Number {number}")) for number in range(2)]
    objections = [sink.objection(target, each.wanted, None, 100) for each in orders if each.wanted]
    outcomes = apply(sink, target, orders[:1])
    outcomes = {**outcomes, **apply(sink, target, orders[1:])}
    refused = [outcomes[each].error for each in orders]
    assert refused[0] is None
    assert objections[0] is None
    # Whatever the plan objects to, the server would have refused, and the other way round.
    assert (objections[1] is None) == (refused[1] is None)
    assert not outcomes[orders[1]].moved
    assert len(sink.present(target)) == (1 if objections[1] else 2)


def test_a_new_calendar_has_its_properties(
    sink: Mirror, made: Callable[[Calendar], Target], running: Running
) -> None:
    wanted = Calendar(
        id=f"caldav-run-{secrets.token_hex(4)}",
        display_name="Büro & <Heim>",
        color="#0088FF",
        order=7,
        description="Was wir tun & lassen",
        components=("VEVENT",),
    )
    found = made(wanted).calendar
    if running.description.name == "davical":
        # It escapes whatever it is given, so that it comes back escaped once more.
        texts = [html.unescape(each or "") for each in (found.display_name, found.description)]
        assert texts == [wanted.display_name, wanted.description]
        return
    assert found.display_name == wanted.display_name
    assert (found.color or "").upper().startswith("#0088FF")
    if running.description.name != "sogo":
        assert (found.order, found.description) == (wanted.order, wanted.description)
        assert found.components == wanted.components
    assert sink.present(Target(found, exists=True)) == []


def test_a_new_calendar_of_an_odd_name_is_found_again(
    sink: Mirror, made: Callable[[Calendar], Target]
) -> None:
    number = secrets.token_hex(4)
    wanted = Calendar(id=f"a.b%20c-ü-{number}", display_name=f"Ünusual {number}")
    assert made(wanted).exists
    assert sink.target("source", wanted).calendar.title == wanted.display_name


def test_a_whole_calendar_is_deleted(
    sink: Mirror, made: Callable[[Calendar], Target], raw: Raw
) -> None:
    wanted = Calendar(id=f"caldav-run-{secrets.token_hex(4)}", display_name="Goes")
    target = made(wanted)
    done(sink, target, order("a.ics", event(f"{wanted.id}-a")))
    sink.remove(target.calendar)
    assert wanted.id not in {each.id for each in sink.calendars()}
    assert not sink.target("source", wanted).exists
    # And can be made again, under whatever name the server lets it have.
    sink.create(sink.target("source", wanted))
    again = sink.target("source", wanted)
    try:
        assert sink.present(again) == []
        assert done(sink, again, order("a.ics", event(f"{wanted.id}-a"))).error is None
    except CalendarError as error:
        raise AssertionError(str(error)) from error
    finally:
        raw.delete(f"{raw.account.home}{again.calendar.id}/")
