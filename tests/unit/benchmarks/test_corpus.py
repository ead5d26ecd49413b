"""The made-up events of the benchmarks are as real ones are."""

import unicodedata
from itertools import islice
from pathlib import Path

import pytest
from benchmarks import corpus
from icalendar import Calendar

MANY = 400


@pytest.fixture(scope="module")
def made() -> list[corpus.Event]:
    return list(corpus.events(MANY))


def test_every_event_and_its_later_version_is_valid_icalendar(made: list[corpus.Event]) -> None:
    for each in (*made, *map(corpus.change, made)):
        parsed = Calendar.from_ical(each.body)
        assert not [error for part in parsed.walk() for error in part.errors], each.body
        assert {str(event["UID"]) for event in parsed.walk("VEVENT")} == {each.uid}
        for event in parsed.walk("VEVENT"):
            assert event.decoded("DTSTART") < event.decoded("DTEND")


def test_no_line_is_longer_than_75_octets(made: list[corpus.Event]) -> None:
    assert max(len(line) for each in made for line in each.body.split(b"\r\n")) == 75


def test_an_event_does_not_depend_on_how_many_there_are(made: list[corpus.Event]) -> None:
    assert list(corpus.events(20)) == made[:20]
    assert corpus.event(300) == made[300]


def test_another_seed_makes_other_events() -> None:
    assert corpus.event(1, seed=1).body != corpus.event(1, seed=2).body


def test_no_two_events_have_one_name_or_uid(made: list[corpus.Event]) -> None:
    assert len({(each.calendar, each.href) for each in made}) == MANY
    assert len({each.uid for each in made}) == MANY


def test_a_change_keeps_what_an_event_is_and_little_else_changes(made: list[corpus.Event]) -> None:
    for each in made[:50]:
        later = corpus.change(each, 2)
        assert (later.calendar, later.href, later.uid) == (each.calendar, each.href, each.uid)
        assert later.body != each.body
        assert later.body.splitlines()[0] == each.body.splitlines()[0]


@pytest.mark.parametrize(
    "part",
    [
        b"RRULE:", b"EXDATE", b"RECURRENCE-ID", b"BEGIN:VTIMEZONE", b"VALUE=DATE", b"ATTENDEE",
        b"BEGIN:VALARM", b"CATEGORIES:", b"https://", b"google.com", b"Apple Inc.", b"Microsoft",
        b"nextcloud",
    ],
)  # fmt: skip
def test_what_real_calendars_hold_is_there(made: list[corpus.Event], part: bytes) -> None:
    assert 0 < sum(part in each.body for each in made) < MANY


@pytest.mark.parametrize("script", ["LATIN", "CYRILLIC", "GREEK", "HEBREW", "CJK", "DEVANAGARI"])
def test_six_scripts_are_there(made: list[corpus.Event], script: str) -> None:
    letters = {letter for each in islice(made, 100) for letter in each.body.decode()}
    assert any(script in unicodedata.name(letter, "") for letter in letters)


def test_events_are_written_as_files_by_calendar(tmp_path: Path) -> None:
    corpus.main(10, tmp_path)
    files = {
        path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*.ics")
    }
    assert files == {f"{each.calendar}/{each.href}": each.body for each in corpus.events(10)}
