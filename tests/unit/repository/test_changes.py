"""Which row each change makes against what the last snapshot holds."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from caldav_run.model import Calendar, Change, Item, Op, Provenance
from caldav_run.repository import rows
from caldav_run.repository.cache import Cache
from caldav_run.repository.changes import RowMaker
from caldav_run.repository.ledger import RowLedger
from caldav_run.repository.rows import Row
from caldav_run.testing.vault import START

READ = "2026-05-01T08:00:00Z"
BODY = Item("family", "a.ics", '"2"', b"BEGIN:VCALENDAR", Provenance.REPORT)
ITEM = Row(
    seq=1,
    op=Op.ADD,
    calendar="family",
    href="a.ics",
    etag='"1"',
    sha256=BODY.sha256,
    size=15,
    object="b" * 64,
    member="family/000001-a.ics",
    uid="old",
    provenance="get",
)
FAMILY = Calendar(id="family", display_name="Family", token="1")
CALENDAR = Row(
    1, Op.CALENDAR, "family", extra={"properties": {"display_name": "Family", "token": "1"}}
)
LEFT_OUT = Row(1, Op.EXCLUDED, "family", "a.ics", '"1"')
UNREAD = ITEM._replace(op=Op.UNREAD, extra={"reason": "500", "read": "2026-04-01T00:00:00Z"})
Maker = Callable[..., RowMaker]


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[Maker]:
    cache = Cache(tmp_path / "cache.sqlite")

    def holding(*held: Row, seq: int = 5) -> RowMaker:
        with cache.change(None):
            cache.apply(map(rows.encode, held))
        return RowMaker(RowLedger(cache, None), seq, START if held else None)

    yield holding
    cache.close()


def version(item: Item = BODY, valid_until: float | None = None) -> Change:
    return Change(
        op=Op.ADD,
        calendar="family",
        href="a.ics",
        item=item,
        etag=item.etag,
        uid="new",
        valid_until=valid_until,
    )


def said(op: Op, reason: str | None = None, valid_until: float | None = None) -> Change:
    return Change(
        op=op,
        calendar="family",
        href="a.ics",
        etag='"1"' if op is Op.EXCLUDED else None,
        reason=reason,
        valid_until=valid_until,
    )


def calendar(op: Op, properties: Calendar | None = None, reason: str | None = None) -> Change:
    return Change(op=op, calendar="family", properties=properties, reason=reason)


ADDED = Row(
    seq=5,
    op=Op.ADD,
    calendar="family",
    href="a.ics",
    etag='"2"',
    sha256=BODY.sha256,
    size=15,
    uid="new",
    provenance="report",
)


@pytest.mark.parametrize(
    "held", [(), (ITEM._replace(sha256="0" * 64),), (LEFT_OUT,), (ITEM._replace(object=None),)]
)
def test_bytes_that_are_not_held_are_added(maker: Maker, held: tuple[Row, ...]) -> None:
    assert maker(*held).row(version()) == ADDED
    assert maker(*held).row(version(valid_until=7.0)) == ADDED._replace(extra={"valid_until": 7.0})


def test_bytes_that_are_held_stay_where_they_are(maker: Maker) -> None:
    same = ITEM._replace(seq=5, op=Op.SAME, etag='"2"', uid="new", provenance="report")
    assert maker(ITEM).row(version()) == same


def test_what_is_held_under_the_same_etag_makes_no_row(maker: Maker) -> None:
    assert maker(ITEM._replace(etag='"2"')).row(version()) is None


@pytest.mark.parametrize("held", [ITEM._replace(etag='"2"'), UNREAD._replace(etag='"2"')])
def test_another_time_to_ask_again_is_remembered(maker: Maker, held: Row) -> None:
    made = maker(held).row(version(valid_until=7.0))
    assert made is not None
    assert (made.op, made.object, made.extra) == (Op.SAME, "b" * 64, {"valid_until": 7.0})


def test_what_could_not_be_read_and_is_as_before_is_the_same(maker: Maker) -> None:
    made = maker(UNREAD._replace(etag='"2"', extra={})).row(version())
    assert made is not None
    assert (made.op, made.extra) == (Op.SAME, {})


def test_what_cannot_be_read_keeps_its_version(maker: Maker) -> None:
    made = maker(ITEM).row(said(Op.UNREAD, "500"))
    assert made == ITEM._replace(seq=5, op=Op.UNREAD, extra={"reason": "500", "read": READ})


def test_what_was_left_out_and_cannot_be_read_has_no_version(maker: Maker) -> None:
    made = maker(LEFT_OUT).row(said(Op.UNREAD))
    assert made == Row(5, Op.UNREAD, "family", "a.ics", extra={"reason": "unknown", "read": READ})


def test_what_still_cannot_be_read_makes_no_row(maker: Maker) -> None:
    assert maker(UNREAD).row(said(Op.UNREAD, "404")) is None


@pytest.mark.parametrize(
    ("held", "seq", "extra"),
    [
        ((), 5, {"reason": "500"}),
        ((), 0, {"reason": "500", "before": True}),
        ((CALENDAR,), 5, {"reason": "500"}),
        ((CALENDAR._replace(extra={"before": True}),), 5, {"reason": "500", "before": True}),
    ],
)
def test_a_version_is_looked_for_before_a_generation_that_never_read_it(
    maker: Maker, held: tuple[Row, ...], seq: int, extra: dict[str, object]
) -> None:
    made = maker(*held, seq=seq).row(said(Op.UNREAD, "500"))
    assert made == Row(seq, Op.UNREAD, "family", "a.ics", extra=extra)


def test_what_is_left_out_keeps_its_etag_alone(maker: Maker) -> None:
    made = maker(ITEM).row(said(Op.EXCLUDED, valid_until=7.0))
    assert made == LEFT_OUT._replace(seq=5, extra={"valid_until": 7.0})


def test_what_stays_left_out_makes_no_row(maker: Maker) -> None:
    assert maker(LEFT_OUT).row(said(Op.EXCLUDED)) is None
    assert maker(LEFT_OUT).row(said(Op.EXCLUDED, valid_until=7.0)) is not None


def test_only_what_was_there_can_go(maker: Maker) -> None:
    assert maker().row(said(Op.GONE)) is None
    assert maker(ITEM).row(said(Op.GONE)) == Row(5, Op.GONE, "family", "a.ics")


def test_what_a_run_said_before_counts_for_what_it_says_next(maker: Maker) -> None:
    making = maker(ITEM._replace(etag='"2"'))
    assert making.row(said(Op.GONE)) is not None
    assert making.row(version()) == ADDED
    assert making.row(said(Op.UNREAD)) is None
    assert making.row(said(Op.EXCLUDED)) == LEFT_OUT._replace(seq=5)
    assert making.row(said(Op.GONE)) == Row(5, Op.GONE, "family", "a.ics")


def test_a_calendar_makes_a_row_when_something_about_it_is_new(maker: Maker) -> None:
    assert maker().row(calendar(Op.CALENDAR, FAMILY)) == CALENDAR._replace(seq=5)
    assert maker(CALENDAR).row(calendar(Op.CALENDAR, FAMILY)) is None
    other = replace(FAMILY, display_name="Kin", token=None)
    made = maker(CALENDAR).row(calendar(Op.CALENDAR, other))
    assert made == Row(5, Op.CALENDAR, "family", extra={"properties": {"display_name": "Kin"}})


def test_a_calendar_that_a_run_named_before_is_named_again(maker: Maker) -> None:
    making = maker(CALENDAR)
    assert making.row(calendar(Op.CALENDAR_GONE)) == Row(5, Op.CALENDAR_GONE, "family")
    assert making.row(calendar(Op.CALENDAR, FAMILY)) == CALENDAR._replace(seq=5)
    assert making.row(calendar(Op.CALENDAR_GONE)) is not None


def test_only_a_calendar_that_was_there_can_go(maker: Maker) -> None:
    making = maker()
    assert making.row(calendar(Op.CALENDAR_GONE)) is None
    assert making.row(calendar(Op.CALENDAR, FAMILY)) is not None
    assert making.row(calendar(Op.CALENDAR_GONE)) == Row(5, Op.CALENDAR_GONE, "family")


@pytest.mark.parametrize("op", [Op.CALENDAR_GONE, Op.EXCLUDED])
def test_nothing_is_held_of_a_calendar_that_left(maker: Maker, op: Op) -> None:
    before = CALENDAR._replace(extra={"before": True})
    making = maker(before, ITEM)
    assert making.row(calendar(op)) is not None
    assert making.row(said(Op.GONE)) is None
    made = making.row(said(Op.UNREAD, "500"))
    assert made == Row(5, Op.UNREAD, "family", "a.ics", extra={"reason": "500"})


def test_a_calendar_that_cannot_be_read_keeps_what_is_known_of_it(maker: Maker) -> None:
    told = calendar(Op.UNREAD, replace(FAMILY, display_name="Kin"), "500")
    extra = {"reason": "500", "read": READ, **CALENDAR.extra}
    assert maker(CALENDAR).row(told) == Row(5, Op.UNREAD, "family", extra=extra)
    assert maker(Row(2, Op.UNREAD, "family", extra=extra)).row(told) is None


def test_an_unread_calendar_that_is_told_of_twice_was_read_when_it_was(maker: Maker) -> None:
    since = {"reason": "500", "read": "2026-04-01T00:00:00Z", **CALENDAR.extra}
    making = maker(Row(1, Op.UNREAD, "family", extra=since))
    assert making.row(calendar(Op.CALENDAR, FAMILY)) == CALENDAR._replace(seq=5)
    made = making.row(calendar(Op.UNREAD, reason="404"))
    assert made == Row(5, Op.UNREAD, "family", extra={**since, "reason": "404"})


@pytest.mark.parametrize(("seq", "since"), [(0, {"before": True}), (5, {})])
def test_a_new_calendar_that_breaks_off_offers_no_token(
    maker: Maker, seq: int, since: dict[str, object]
) -> None:
    making = maker(seq=seq)
    assert making.row(calendar(Op.CALENDAR, FAMILY)) == CALENDAR._replace(seq=seq)
    made = making.row(calendar(Op.UNREAD, reason="500"))
    extra = {"reason": "500", **since, "properties": {"display_name": "Family"}}
    assert made == Row(seq, Op.UNREAD, "family", extra=extra)


def test_a_calendar_of_which_nothing_is_known_is_named_by_its_id(maker: Maker) -> None:
    making = maker()
    assert making.row(calendar(Op.EXCLUDED)) == Row(5, Op.EXCLUDED, "family")
