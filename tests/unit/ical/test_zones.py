from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caldav_run.ical.tree import Component, parse
from caldav_run.ical.values import Moment
from caldav_run.ical.zones import UnknownZoneError, Zones, iana_zone

BERLIN: Final = ZoneInfo("Europe/Berlin")
TEXT: Final = """BEGIN:VCALENDAR
BEGIN:VTIMEZONE
TZID:Own
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19810329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
END:VCALENDAR
"""


def zones(text: str = TEXT) -> Zones:
    return Zones(parse(text.encode()), UTC)


def at(local: datetime, zone: str | None = "Own") -> Moment:
    return Moment(local, zone, all_day=False)


@given(st.datetimes(datetime(1997, 1, 1), datetime(2037, 12, 31)))  # noqa: DTZ001
def test_an_own_zone_gives_the_offsets_of_the_zone_that_it_describes(local: datetime) -> None:
    # A TZID and a wall clock say nothing of the second of two like hours.
    local = local.replace(microsecond=0, fold=0)
    assert zones().seconds(at(local)) == int(local.replace(tzinfo=BERLIN).timestamp())


def test_a_skipped_or_doubled_hour_is_read_with_the_offset_before() -> None:
    for local in (datetime(2026, 3, 29, 2, 30), datetime(2026, 10, 25, 2, 30)):  # noqa: DTZ001
        assert zones().seconds(at(local)) == int(local.replace(tzinfo=BERLIN).timestamp())


def test_before_the_first_onset_the_first_offset_before_it_counts() -> None:
    assert zones().offset_s(datetime(1970, 1, 1), "Own") == 3600  # noqa: DTZ001


def test_named_onsets_until_and_count_are_kept() -> None:
    for part in ("RDATE:20300331T020000", "RRULE:FREQ=YEARLY;UNTIL=20260329T010000Z",
                 "RRULE:FREQ=YEARLY;UNTIL=20260329", "RRULE:FREQ=YEARLY;COUNT=1"):  # fmt: skip
        text = TEXT.replace("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", part)
        later = zones(text).offset_s(datetime(2030, 7, 1), "Own")  # noqa: DTZ001
        assert later == (7200 if part.startswith("RDATE") else 3600)


def test_names_of_the_host_are_no_zones() -> None:
    assert iana_zone("localtime") is None
    assert iana_zone("../etc/passwd") is None
    assert iana_zone("Europe") is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("DTSTART:19961027T030000\n", "", "the VTIMEZONE 'Own' lacks a DTSTART"),
        ("TZOFFSETTO:+0100", "TZOFFSETTO:1", "'1' is no offset"),
        (TEXT[TEXT.index("BEGIN:STANDARD") : TEXT.index("END:VTIMEZONE")], "", "'Own' is empty"),
        ("TZID:Own", "TZID:Other", "the time zone 'Own' is not known"),
    ],
)
def test_an_own_zone_that_cannot_be_read_is_an_error(old: str, new: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        zones(TEXT.replace(old, new)).seconds(at(datetime(2026, 1, 1)))  # noqa: DTZ001


def test_offsets_may_be_negative_and_have_seconds() -> None:
    text = TEXT.replace("TZOFFSETTO:+0100", "TZOFFSETTO:-001630")
    assert zones(text).offset_s(datetime(2026, 1, 1), "Own") == -990  # noqa: DTZ001


def test_an_unknown_zone_is_an_error() -> None:
    with pytest.raises(UnknownZoneError, match="not known"):
        Zones(Component("VCALENDAR"), UTC).offset_s(datetime(2026, 1, 1), "No/Where")  # noqa: DTZ001


def test_an_instant_has_a_wall_clock() -> None:
    noon = int(datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp())
    assert zones().local(noon, "Europe/Berlin") == datetime(2026, 7, 1, 14)  # noqa: DTZ001
    # The clocks of New York had gone forward two hours before.
    morning = int(datetime(2026, 3, 8, 9, tzinfo=UTC).timestamp())
    assert zones().local(morning, "America/New_York") == datetime(2026, 3, 8, 5)  # noqa: DTZ001
    assert zones().local(noon, None) - zones().local(noon, "UTC") == timedelta()
