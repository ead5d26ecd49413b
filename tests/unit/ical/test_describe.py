import pytest

from caldav_run.ical.describe import describe, label, properties_diff

EVENT = """BEGIN:VCALENDAR
PRODID:-//Example//EN
BEGIN:VTIMEZONE
TZID:Europe/Berlin
END:VTIMEZONE
BEGIN:VEVENT
UID:a
DTSTAMP:20260402T101010Z
SUMMARY:Dentist
DTSTART;TZID=Europe/Berlin:20260504T100000
DTEND;TZID=Europe/Berlin:20260504T110000
LOCATION:Room 1
DESCRIPTION:Bring the card
CATEGORIES:Health,Private
TRANSP:OPAQUE
ATTENDEE;CN=Bob;PARTSTAT=NEEDS-ACTION;ROLE=CHAIR:mailto:bob@example.org
BEGIN:VALARM
TRIGGER:-PT15M
END:VALARM
END:VEVENT
END:VCALENDAR
"""
TASK = (
    "BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:Tax\nDUE;VALUE=DATE:20260501\nEND:VTODO\nEND:VCALENDAR\n"
)
WEEKLY = EVENT.replace("TRANSP", "RRULE:FREQ=WEEKLY\nTRANSP")


def changed(old: str, new: str, body: str = EVENT) -> list[str]:
    assert old in body
    return describe(body.encode(), body.replace(old, new).encode())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("T100000", "T103000", ["moved from 10:00 to 10:30", "now lasts 30 min instead of 1 h"]),
        ("04T110000", "05T123015", ["now lasts 1 day 2 h 30 min 15 s instead of 1 h"]),
        ("DTSTART;TZID=Europe/Berlin:20260504T100000\n", "", ["no longer has a start"]),
        ("SUMMARY:Dentist", "SUMMARY:Doctor", ['renamed "Dentist" to "Doctor"']),
        ("SUMMARY:Dentist\n", "", ['title "Dentist" removed']),
        ("Room 1", "Room 2", ['location changed from "Room 1" to "Room 2"']),
        ("LOCATION:Room 1\n", "", ['location "Room 1" removed']),
        ("TRANSP", "STATUS:CANCELLED\nTRANSP", ['status set to "CANCELLED"']),
        ("the card", "money", ["description changed"]),
        ("DESCRIPTION:Bring the card\n", "", ["description removed"]),
        ("Private", "Fun", ['category "Fun" added', 'category "Private" removed']),
        ("OPAQUE", "TRANSPARENT", ["TRANSP changed"]),
        ("TRANSP:OPAQUE", "X-A:1", ["TRANSP removed", "X-A added"]),
        ("NEEDS-ACTION", "ACCEPTED", ["Bob <bob@example.org> accepted"]),
        ("NEEDS-ACTION", "X-LATER", ["Bob <bob@example.org> is now X-LATER"]),
        ("CHAIR", "OPT-PARTICIPANT", ["details of attendee Bob <bob@example.org> changed"]),
        (
            "ATTENDEE;CN=Bob;PARTSTAT=NEEDS-ACTION;ROLE=CHAIR:mailto:bob@example.org",
            "ATTENDEE:MAILTO:eve@example.org",
            ["attendee added: eve@example.org", "attendee removed: Bob <bob@example.org>"],
        ),
        ("TRANSP", "ORGANIZER:urn:x\nTRANSP", ["organizer added: urn:x"]),
        ("-PT15M", "-P1DT1H", ["alarm changed from 15 min before to 1 day 1 h before"]),
        ("-PT15M", "PT0S", ["alarm changed from 15 min before to at the time itself"]),
        (
            "TRIGGER:-PT15M",
            "TRIGGER;VALUE=DATE-TIME:20260501T080000Z",
            ["alarm changed from 15 min before to Fri 1 May 2026, 08:00 UTC"],
        ),
        ("-PT15M", "soon", ["alarm changed from 15 min before to at an unknown time"]),
        ("BEGIN:VALARM\nTRIGGER:-PT15M\nEND:VALARM\n", "", ["alarm removed (15 min before)"]),
        (
            "END:VALARM\n",
            "END:VALARM\nBEGIN:VALARM\nTRIGGER:PT5M\nEND:VALARM\n",
            ["alarm added (5 min after)"],
        ),
        ("TRANSP", "RRULE:FREQ=WEEKLY\nTRANSP", ["now repeats weekly"]),
        ("DTSTAMP:2026", "DTSTAMP:2027", ["only technical details changed: DTSTAMP"]),
        ("//EN", "//DE", ["only technical details changed: PRODID"]),
        (
            "TZID:Europe/Berlin\n",
            "TZID:Europe/Berlin\nX:1\n",
            ["only technical details changed: the time zone definition"],
        ),
        ("UID:a", "UID:b", ['"Dentist" removed', '"Dentist" added']),
        ("SUMMARY:Dentist\n", "SUMMARY:Dentist\r\n", []),
        ("END:VEVENT\n", "", ["its text changed, and it is not valid iCalendar"]),
    ],
)
def test_a_change_has_human_words(old: str, new: str, words: list[str]) -> None:
    assert changed(old, new) == words


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (";TZID=Europe/Berlin:20260505T100000", "Mon 4 May 2026, 10:00 to Tue 5 May 2026, 10:00"),
        (";TZID=Europe/London:20260504T100000", "10:00 (Europe/Berlin) to 10:00 (Europe/London)"),
        (":20260504T080000Z", "10:00 (Europe/Berlin) to 08:00 UTC"),
        (":20260504T103015", "10:00 (Europe/Berlin) to 10:30:15 (floating)"),
        (";VALUE=DATE:20260504", "Mon 4 May 2026, 10:00 to Mon 4 May 2026"),
    ],
)
def test_a_move_names_days_and_zones_where_they_differ(start: str, words: str) -> None:
    found = changed(";TZID=Europe/Berlin:20260504T100000", start)
    assert found[0] == f"moved from {words}"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "daily"),
        ("FREQ=YEARLY;INTERVAL=2", "every 2 years"),
        ("FREQ=WEEKLY;BYDAY=WE,MO;COUNT=5", "weekly on Mon, Wed, 5 times"),
        ("FREQ=MONTHLY;BYDAY=-1FR", "monthly on last Fri"),
        ("FREQ=MONTHLY;BYDAY=1MO,-2SU,4TU", "monthly on 1st Mon, 4th Tue, 2nd last Sun"),
        ("FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=1,2", "yearly on day 1, 2 in May"),
        ("FREQ=DAILY;UNTIL=20261231", "daily until Thu 31 Dec 2026"),
        ("FREQ=NEVER", "by FREQ=NEVER"),
    ],
)
def test_a_repetition_has_human_words(rule: str, words: str) -> None:
    assert changed("FREQ=WEEKLY\n", f"{rule}\n", WEEKLY) == [
        f"now repeats {words} instead of weekly"
    ]


def test_an_end_of_repetition_and_single_dates_have_words() -> None:
    assert changed("RRULE:FREQ=WEEKLY\n", "", WEEKLY) == ["no longer repeats"]
    skipped = WEEKLY.replace("TRANSP", "EXDATE:20260511T100000,soon\nTRANSP")
    assert changed("TRANSP", "EXDATE:20260511T100000,soon\nTRANSP", WEEKLY) == [
        "one occurrence (Mon 11 May 2026) cancelled",
        "one occurrence (soon) cancelled",
    ]
    assert changed("EXDATE:20260511T100000,soon\n", "", skipped)[0] == (
        "one occurrence (Mon 11 May 2026) is back"
    )
    assert changed("TRANSP", "RDATE:20260511T100000\nTRANSP") == [
        "one occurrence (Mon 11 May 2026) added"
    ]


def override(
    *, start: str = "20260512T120000", end: str = "20260512T130000", more: str = ""
) -> str:
    master = WEEKLY[WEEKLY.index("BEGIN:VEVENT") : WEEKLY.index("END:VCALENDAR")]
    zone = "TZID=Europe/Berlin"
    one = master.replace("RRULE:FREQ=WEEKLY\n", f"RECURRENCE-ID;{zone}:20260511T100000\n")
    one = one.replace("20260504T100000", start).replace("20260504T110000", end)
    return one.replace("END:VEVENT", f"{more}END:VEVENT") + "END:VCALENDAR"


def test_one_occurrence_is_compared_with_what_the_series_made_of_it() -> None:
    which = "one occurrence (Mon 11 May 2026)"
    moved = changed("END:VCALENDAR", override(), WEEKLY)
    assert moved == [f"{which} moved from Mon 11 May 2026, 10:00 to Tue 12 May 2026, 12:00"]
    same = override(start="20260511T100000", end="20260511T110000")
    assert changed("END:VCALENDAR", same, WEEKLY) == [f"{which} is kept apart from the others"]
    with_both = WEEKLY.replace("END:VCALENDAR", override())
    assert describe(with_both.encode(), WEEKLY.encode()) == [f"{which} is like the others again"]
    later = WEEKLY.replace("END:VCALENDAR", override(more="LOCATION:Room 9\n"))
    later = later.replace("20260512T12", "20260512T11")
    assert describe(with_both.encode(), later.encode())[0] == f"{which} moved from 12:00 to 11:00"


def test_an_occurrence_without_its_series_is_named() -> None:
    alone = EVENT.replace("TRANSP", "RECURRENCE-ID:soon\nTRANSP")
    more = alone.replace("END:VCALENDAR", override())
    assert describe(alone.encode(), more.encode()) == ["one occurrence (Mon 11 May 2026) added"]
    assert changed("Room 1", "Room 2", alone)[0].startswith("one occurrence (soon) location")


def test_an_occurrence_of_a_series_with_odd_times_is_compared_all_the_same() -> None:
    for odd in ("DTEND:soon", "DURATION:PT1H"):
        body = WEEKLY.replace("DTEND;TZID=Europe/Berlin:20260504T110000", odd)
        found = changed("END:VCALENDAR", override(), body)
        assert "moved from Mon 11 May" in found[0]
    utc = WEEKLY.replace(";TZID=Europe/Berlin:20260504T100000", ":20260504T100000Z")
    utc = utc.replace(";TZID=Europe/Berlin:20260504T110000", ":20260504T110000Z")
    assert changed("END:VCALENDAR", override(), utc)


def test_a_task_has_words_for_its_due_date() -> None:
    assert changed("20260501", "20260502", TASK) == [
        "due date moved from Fri 1 May 2026 to Sat 2 May 2026"
    ]
    assert changed("DUE;VALUE=DATE:20260501\n", "", TASK) == ["no longer due"]
    undated = TASK.replace("DUE;VALUE=DATE:20260501\n", "")
    assert describe(undated.encode(), TASK.encode()) == ["now due Fri 1 May 2026"]
    assert changed("DUE", "DTSTART;VALUE=DATE:20260430\nDUE", TASK) == [
        "now starts Thu 30 Apr 2026"
    ]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (EVENT, "Dentist (Mon 4 May 2026, 10:00)"),
        (EVENT.replace("SUMMARY:Dentist\n", ""), "event without a title (Mon 4 May 2026, 10:00)"),
        (TASK, "Tax (due Fri 1 May 2026)"),
        (TASK.replace("DUE;VALUE=DATE:20260501\n", ""), "Tax"),
        (EVENT.replace("END:VEVENT\n", ""), "Dentist"),
        (
            EVENT.replace("Dentist", "A\\nlong\x07 " + "title " * 20),
            "A long " + "title " * 8 + "titl… (Mon 4 May 2026, 10:00)",
        ),
        (
            EVENT.replace("VEVENT", "X-KIND").replace("SUMMARY:Dentist\n", ""),
            "X-KIND without a title (Mon 4 May 2026, 10:00)",
        ),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_a_label_names_an_item(body: str, name: str) -> None:
    assert label(body.encode()) == name


def test_a_diff_goes_property_by_property() -> None:
    new = (
        EVENT.replace("Dentist", "Doctor")
        .replace("-PT15M", "-PT30M")
        .replace("TRANSP:OPAQUE\n", "")
    )
    assert properties_diff(EVENT.encode(), new.encode()) == [
        "@ VCALENDAR > VEVENT a",
        "- SUMMARY:Dentist",
        "+ SUMMARY:Doctor",
        "- TRANSP:OPAQUE",
        "@ VCALENDAR > VEVENT a > VALARM",
        "- TRIGGER:-PT15M",
        "+ TRIGGER:-PT30M",
    ]
    assert properties_diff(b"", b"") == []
    assert properties_diff(EVENT.encode(), b"x")[0].startswith("@ not valid iCalendar: line 1")


def test_a_length_counts_the_zones_of_start_and_end() -> None:
    start = "DTSTART;TZID=Europe/Berlin:20260504T100000"
    flight = f"BEGIN:VEVENT\n{start}\nDTEND;TZID=America/New_York:20260504T120000\nEND:VEVENT\n"
    later = flight.replace("T120000", "T130000")
    assert describe(flight.encode(), later.encode()) == ["now lasts 9 h instead of 8 h"]
    nowhere = later.replace("America/New_York", "Nowhere")
    assert describe(flight.encode(), nowhere.encode()) == ["only technical details changed: DTEND"]


def test_an_event_without_an_end_lasts_a_day_or_a_moment() -> None:
    day = b"BEGIN:VEVENT\nDTSTART;VALUE=DATE:20260504\nEND:VEVENT\n"
    days = day.replace(b"\nEND", b"\nDTEND;VALUE=DATE:20260507\nEND")
    assert describe(day, days) == ["now lasts 3 days instead of 1 day"]
    moment = b"BEGIN:VEVENT\nDTSTART:20260504T100000Z\nEND:VEVENT\n"
    hours = moment.replace(b"\nEND", b"\nDURATION:PT2H\nEND")
    assert describe(hours, moment) == ["now lasts no time instead of 2 h"]


def test_very_many_differences_take_no_time() -> None:
    def wide(value: str) -> bytes:
        lines = "\n".join(f"X-{n}:{value}" for n in range(20_000))
        return f"BEGIN:VEVENT\n{lines}\nEND:VEVENT\n".encode()

    assert len(describe(wide("1"), wide("2"))) == 20_000
