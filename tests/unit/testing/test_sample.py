import unicodedata
from datetime import date, timedelta

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caldav_run.errors import ItemError
from caldav_run.ical.scan import scan
from caldav_run.testing.sample import (
    SampleCalendar,
    added,
    deleted,
    make,
    moved,
    relocated,
    renamed,
    sample_account,
    sample_changes,
    upload,
)
from caldav_run.testing.servers import Server

TODAY = date(2026, 5, 6)
# Every month, a leap day, both changes of the clock, a year's end, and a Monday and a Sunday.
DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))


def bodies(today: date = TODAY) -> dict[tuple[str, str], bytes]:
    return {
        (each.calendar.id, href): body
        for each in sample_account(today)
        for href, body in each.items
    }


def test_there_are_four_calendars_and_about_sixty_items() -> None:
    assert [each.calendar.title for each in sample_account(TODAY)] == [
        "Work",
        "Familie 🏡",
        "Birthdays",
        "Tasks",
    ]
    assert 55 <= len(bodies()) <= 65


def test_the_same_day_gives_the_same_bytes() -> None:
    assert bodies() == bodies()


@settings(deadline=None)
@given(DAYS)
def test_names_and_uids_do_not_depend_on_the_day(today: date) -> None:
    def uids(day: date) -> dict[tuple[str, str], str | None]:
        return {key: scan(body).uid for key, body in bodies(day).items()}

    assert uids(today) == uids(TODAY)


def test_every_uid_is_there_once() -> None:
    uids = [scan(body).uid for body in bodies().values()]
    assert len(set(uids)) == len(uids)


@settings(max_examples=8, deadline=None)  # a whole parse of sixty items each time
@given(DAYS)
def test_every_item_is_sound_on_every_day(today: date) -> None:
    for key, body in bodies(today).items():
        calendar = icalendar.Calendar.from_ical(body)
        for component in calendar.walk():
            assert not component.errors, key


@settings(deadline=None)
@given(DAYS)
def test_something_lies_ahead_on_every_day(today: date) -> None:
    ahead = f"{today + timedelta(days=1):%Y%m%d}".encode()
    kickoff = bodies(today)["work", "project-kickoff.ics"]
    start = kickoff.partition(b"DTSTART;TZID=Europe/Berlin:")[2][:8]
    assert ahead <= start


def test_no_line_is_longer_than_the_standard_allows() -> None:
    assert max(len(line) for body in bodies().values() for line in body.split(b"\r\n")) <= 75


def test_the_account_shows_what_calendars_hold() -> None:
    everything = b"".join(bodies().values()).replace(b"\r\n ", b"")
    for wanted in (
        b"RECURRENCE-ID", b"EXDATE", b"RDATE", b"TZID:Europe/Berlin", b"TZID:America/New_York",
        b"VALUE=DATE", b"ATTENDEE", b"ORGANIZER", b"BEGIN:VALARM", b"BEGIN:VTODO",
        b"VALUE=BINARY", b"STATUS:CANCELLED", b"CLASS:PRIVATE", b"X-CONFERENCE-TRACK",
    ):  # fmt: skip
        assert wanted in everything, wanted


def test_the_texts_are_in_many_scripts() -> None:
    letters = {each for each in b"".join(bodies().values()).decode() if each.isalpha()}
    scripts = {unicodedata.name(each).split()[0] for each in letters}
    assert scripts >= {
        "LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "DEVANAGARI", "HANGUL", "HIRAGANA", "CJK"
    }  # fmt: skip


def test_changes_are_newer_versions_of_what_is_there() -> None:
    before = bodies()
    for change in (moved(TODAY), renamed(TODAY), relocated(TODAY)):
        assert change.body is not None
        old = scan(before[change.calendar, change.href])
        new = scan(change.body)
        assert new.uid == old.uid
        assert new.stamp > old.stamp


def test_the_move_is_from_ten_to_half_past_eleven() -> None:
    change = moved(TODAY)
    assert b"T100000" in bodies()[change.calendar, change.href]
    assert b"T113000" in (change.body or b"")


def test_an_event_is_new_and_another_one_goes() -> None:
    before = bodies()
    assert (added(TODAY).calendar, added(TODAY).href) not in before
    assert (deleted(TODAY).calendar, deleted(TODAY).href) in before
    assert deleted(TODAY).body is None
    assert len(sample_changes(TODAY)) == 5


def test_what_the_demo_deletes_can_be_restored_without_mailing_anybody() -> None:
    assert not scan(bodies()[deleted(TODAY).calendar, deleted(TODAY).href]).scheduled


def test_a_server_that_refuses_is_an_error() -> None:
    nowhere = Server("http://127.0.0.1:1/", "alice", "pw", "/alice/")
    calendar: SampleCalendar = sample_account(TODAY)[0]
    with pytest.raises(ItemError, match="Work was answered 0"):
        upload(nowhere, [calendar])
    with pytest.raises(ItemError, match=r"deleting family/school-concert\.ics was answered 0"):
        make(nowhere, deleted(TODAY))
