"""The sample account's calendars Family and Birthdays, in many scripts."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from caldav_run.model import Calendar
from caldav_run.testing.sample_text import Week, alarm, component, item, text, whole

FAMILY: Final = Calendar(
    id="family",
    display_name="Familie 🏡",
    color="#D50000FF",
    order=2,
    description="Wer fährt, wer kocht, wer feiert",
    components=("VEVENT",),
)
BIRTHDAYS: Final = Calendar(
    id="birthdays",
    display_name="Birthdays",
    color="#F4511EFF",
    order=3,
    components=("VEVENT",),
)

_BORN: Final = {
    "zoe": ("Zoë", date(2015, 3, 14)),
    "lukasz": ("Łukasz", date(1984, 11, 2)),
    "xiaoming": ("王小明", date(1990, 7, 21)),
    "eleni": ("Ελένη", date(1978, 1, 6)),
    "dmitri": ("Дмитрий", date(1969, 12, 31)),
    "maryam": ("مريم", date(1995, 5, 9)),
    "sarah": ("שרה", date(2001, 9, 17)),
    "anil": ("अनिल", date(1988, 10, 24)),
    "minji": ("김민지", date(1999, 2, 28)),
    "takeshi": ("たけし", date(1973, 8, 8)),
    "leap": ("Grandpa (29 February)", date(1948, 2, 29)),
}


def family(week: Week) -> Sequence[tuple[str, bytes]]:
    """Return the calendar's items around a week."""
    return (*_every_week(week), *_once(week), *_days(week), dinner(week), concert(week))


def dinner(week: Week, summary: str = "Dinner with Tom", revision: int = 0) -> tuple[str, bytes]:
    """Return the event that the demo renames."""
    return item(
        week,
        "dinner",
        summary,
        week.timed(11, "19:00", "22:00"),
        "LOCATION:Ταβέρνα «Νίκος»",
        alarm("PT1H"),
        revision=revision,
    )


def concert(week: Week) -> tuple[str, bytes]:
    """Return the event that the demo deletes and brings back."""
    return item(
        week,
        "school-concert",
        "Zoë's school concert 🎻",
        week.timed(12, "17:00", "18:30"),
        "LOCATION:Aula",
        "DESCRIPTION:Zoë plays the second violin.\\nBring flowers\\, and the camera!",
        alarm("P1D", "Iron the white shirt"),
    )


def ice_cream(week: Week) -> tuple[str, bytes]:
    """Return the event that the demo adds."""
    return item(
        week,
        "ice-cream",
        "Ice cream with grandma 🍦",
        week.timed(13, "15:00", "16:00"),
        "LOCATION:Eiscafé Venezia",
    )


def birthdays(week: Week) -> Sequence[tuple[str, bytes]]:
    """Return the calendar's items; birthdays lie where they lie."""
    return tuple(
        item(
            week,
            f"birthday-{slug}",
            f"🎂 {name}",
            (f"DTSTART;VALUE=DATE:{born:%Y%m%d}", "DURATION:P1D"),
            "RRULE:FREQ=YEARLY",
            "TRANSP:TRANSPARENT",
            "CATEGORIES:birthday",
        )
        for slug, (name, born) in _BORN.items()
    )


def _every_week(week: Week) -> Sequence[tuple[str, bytes]]:
    return (
        _football(week),
        item(
            week,
            "swimming",
            "Schwimmkurs Zoë",
            week.timed(-55, "16:00", "16:45"),
            "RRULE:FREQ=WEEKLY;BYDAY=TU",
            f"EXDATE;TZID=Europe/Berlin:{week.at(1, '16:00')}",
            "LOCATION:Hallenbad",
            alarm("PT30M", "Pack the goggles"),
        ),
        item(
            week,
            "piano",
            "Piano lesson",
            week.timed(-54, "17:30", "18:15"),
            "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=20",
        ),
        item(
            week,
            "chinese",
            "中文课",
            week.timed(-51, "10:00", "11:30"),
            "RRULE:FREQ=WEEKLY;BYDAY=SA",
            "LOCATION:孔子学院",
        ),
        item(
            week,
            "bins",
            "Paper bin out",
            week.all_day(-11),
            "RRULE:FREQ=WEEKLY;INTERVAL=2",
            "TRANSP:TRANSPARENT",
            alarm("PT4H"),
        ),
        item(
            week,
            "market",
            "Рынок",
            week.timed(-50, "09:00", "10:00"),
            "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SU",
        ),
    )


def _once(week: Week) -> Sequence[tuple[str, bytes]]:
    return (
        item(
            week,
            "dentist",
            "Zahnarzt",
            week.timed(2, "08:20", "09:00"),
            "CLASS:PRIVATE",
            alarm("P1D"),
            alarm("PT1H"),
        ),
        item(week, "vet", "Vet: Minka's vaccination 🐈", week.timed(3, "17:00", "17:30")),
        item(
            week,
            "parents",
            "Elternabend 4b",
            week.timed(8, "19:30", "21:00"),
            "DESCRIPTION:" + text("Themen:\n- Klassenfahrt; Kosten, Termine\n- Wahl"),
        ),
        item(week, "cinema", "Cinéma « L'été »", week.timed(5, "20:15", "22:30")),
        item(week, "call-eleni", "Τηλεφώνημα με την Ελένη", week.timed(6, "18:00", "18:30")),
        item(week, "shabbat", "ארוחת שבת", week.timed(4, "18:30", "21:00")),
        item(week, "iftar", "إفطار مع مريم", week.timed(5, "19:00", "21:00")),
        item(
            week,
            "past",
            "Picnic in the park",
            week.timed(-9, "12:00", "16:00"),
            "GEO:52.4886;13.4019",
        ),
    )


def _days(week: Week) -> Sequence[tuple[str, bytes]]:
    return (
        item(
            week,
            "holiday",
            "Holiday in Kroatien 🏖️",
            week.all_day(33, 14),
            "LOCATION:Split\\, Hrvatska",
            "TRANSP:TRANSPARENT",
        ),
        item(week, "school-free", "Schulfrei", week.all_day(25)),
        item(
            week,
            "wedding-day",
            "Wedding day ❤️",
            ("DTSTART;VALUE=DATE:20100619",),
            "RRULE:FREQ=YEARLY",
            alarm("P7D", "Book a table"),
        ),
    )


def _football(week: Week) -> tuple[str, bytes]:
    """Return a series that ends, with a match instead of one training."""
    uid = "UID:football@sample.example"
    until = f"{week.at(87, '22:00')}Z"
    master = component(
        "VEVENT",
        uid,
        week.stamp(1),
        "SUMMARY:Football training ⚽",
        week.timed(-53, "17:00", "18:30"),
        f"RRULE:FREQ=WEEKLY;BYDAY=TH;UNTIL={until}",
        "LOCATION:Sportplatz",
    )
    match = component(
        "VEVENT",
        uid,
        week.stamp(1),
        f"RECURRENCE-ID;TZID=Europe/Berlin:{week.at(10, '17:00')}",
        "SUMMARY:Football: match against the Eagles",
        week.timed(12, "10:00", "12:00"),
        "LOCATION:Stadion",
    )
    return "football.ics", whole([master, match])
