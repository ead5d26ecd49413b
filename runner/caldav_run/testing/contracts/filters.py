"""The promises of `Filter`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pytest

from caldav_run.connectors.protocol import Filter
from caldav_run.ical.view import ItemView
from caldav_run.model import Calendar, Item, Provenance
from caldav_run.testing.contracts.bodies import event

_NOW: Final = datetime(2026, 5, 1, 12, tzinfo=UTC)
_HOSTILE: Final = (
    b"",
    b"not a calendar",
    b"\x00\xff\xfe" * 100,
    event("a").replace(b"END:VEVENT\r\n", b""),
    event("a").replace(b"DTSTART:20260504T110000Z", b"DTSTART:soon"),
    event("a").replace(b"DTSTART:20260504T110000Z\r\n", b""),
    event("a").replace(b"SUMMARY", b"RRULE:FREQ=NEVER\r\nSUMMARY"),
    event("a").replace(b"SUMMARY", b"RRULE:FREQ=SECONDLY\r\nSUMMARY"),
    event("a").replace(b"DTSTART:", b"DTSTART;TZID=Nowhere/Land:"),
    event("a").replace(b"Lunch", b"\xe9\xff"),
    event("a").replace(b"BEGIN:VEVENT", b"BEGIN:X-THING").replace(b"END:VEVENT", b"END:X-THING"),
    b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 1000,
)


def view(body: bytes, calendar: str = "family", title: str = "Family") -> ItemView:
    """Return an item as a filter sees it."""
    each = Item(calendar, "a.ics", None, body, Provenance.GET)
    return ItemView(each, Calendar(id=calendar, display_name=title), "contract")


@dataclass(frozen=True, slots=True)
class FilterCases:
    """A filter and what it does.

    Attributes:
        make: Makes the filter, with the same options each time.
        make_other: Makes one with options that judge differently.
        kept: Items that it keeps at noon UTC on 1 May 2026.
        dropped: Items that it drops then.
    """

    make: Callable[[], Filter]
    make_other: Callable[[], Filter]
    kept: Sequence[ItemView]
    dropped: Sequence[ItemView]


class FilterContract:
    """Inherit from this and give the fixture `cases`."""

    @pytest.fixture
    def cases(self) -> FilterCases:
        """Return the filter with examples."""
        raise NotImplementedError

    def test_it_keeps_and_drops(self, cases: FilterCases) -> None:
        """Each example is judged without a problem."""
        judge = cases.make().judge
        assert cases.kept
        assert cases.dropped
        for each in cases.kept:
            assert judge(each, _NOW)[::2] == (True, None)
        for each in cases.dropped:
            assert judge(each, _NOW)[::2] == (False, None)

    def test_it_judges_alike_every_time(self, cases: FilterCases) -> None:
        """A filter remembers nothing from one item to the next."""
        views = [*cases.kept, *cases.dropped]
        one = cases.make()
        first = [one.judge(each, _NOW) for each in views]
        assert [one.judge(each, _NOW) for each in reversed(views)] == first[::-1]
        assert [cases.make().judge(each, _NOW) for each in views] == first

    def test_its_fingerprint_tells_options_apart(self, cases: FilterCases) -> None:
        """Equal options give equal text; others another, else old verdicts would be trusted."""
        assert cases.make().fingerprint == cases.make().fingerprint
        assert cases.make().fingerprint != cases.make_other().fingerprint

    @pytest.mark.parametrize("body", _HOSTILE, ids=range(len(_HOSTILE)))
    def test_it_never_raises_for_what_an_item_holds(self, cases: FilterCases, body: bytes) -> None:
        """An item that it cannot judge is kept, with the reason."""
        judgement = cases.make().judge(view(body), _NOW)
        assert judgement.keep or judgement.problem is None

    def test_an_answer_does_not_expire_before_it_is_given(self, cases: FilterCases) -> None:
        """And the moment is in a time zone."""
        for each in [*cases.kept, *cases.dropped]:
            until = cases.make().judge(each, _NOW).valid_until
            assert until is None or until >= _NOW
