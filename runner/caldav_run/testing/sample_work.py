"""The sample account's calendar Work."""

import base64
from collections.abc import Sequence
from typing import Final

from caldav_run.model import Calendar
from caldav_run.testing.sample_text import (
    NEW_YORK,
    Week,
    alarm,
    component,
    item,
    text,
    whole,
)

WORK: Final = Calendar(
    id="work",
    display_name="Work",
    color="#2952A3FF",
    order=1,
    description="Meetings, travel and deadlines",
    components=("VEVENT",),
)

_ME: Final = "ORGANIZER;CN=Jana Novák:mailto:jana@example.org"
_TEAM: Final = (
    _ME,
    "ATTENDEE;CN=Jana Novák;PARTSTAT=ACCEPTED;ROLE=CHAIR:mailto:jana@example.org",
    'ATTENDEE;CN="Okafor, Ben";PARTSTAT=ACCEPTED:mailto:ben@example.org',
    "ATTENDEE;CN=Søren Østergård;PARTSTAT=TENTATIVE;RSVP=TRUE:mailto:soeren@example.org",
)
_CUSTOMER: Final = (
    "ORGANIZER;CN=Grace Liu:mailto:grace@customer.example",
    "ATTENDEE;CN=Grace Liu;PARTSTAT=ACCEPTED:mailto:grace@customer.example",
    "ATTENDEE;CN=Jana Novák;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:jana@example.org",
)
_AGENDA: Final = (
    "Goals of the day:\n"
    "1. Where are we? Each team shows one slide; no more than five minutes.\n"
    "2. What slows us down; collected on cards, sorted together, three are picked.\n"
    "3. Who does what until the next quarter, with names and dates.\n\n"
    "Please bring: your numbers, your questions, something sweet; coffee is there.\n"
    "Dial-in for those who travel: https://meet.example.org/planning?room=2.04&pin=no\n"
) * 3
# A picture of eight by eight pixels stands for the floor plan.
_PLAN: Final = base64.b64encode(b"P4 8 8\n" + bytes(range(0, 256, 3)) * 12).decode()


def work(week: Week) -> Sequence[tuple[str, bytes]]:
    """Return the calendar's items around a week."""
    return (*_meetings(week), *_travel(week), *_days(week), kickoff(week), workshop(week))


def kickoff(
    week: Week, start: str = "10:00", end: str = "11:00", revision: int = 0
) -> tuple[str, bytes]:
    """Return the event that the demo moves: next Tuesday at ten."""
    return item(
        week,
        "project-kickoff",
        "Project kick-off",
        week.timed(8, start, end),
        "LOCATION:Room 2.04",
        alarm("PT15M"),
        revision=revision,
    )


def workshop(week: Week, location: str = "Room 2.04", revision: int = 0) -> tuple[str, bytes]:
    """Return the event whose location the demo changes."""
    return item(
        week,
        "planning-workshop",
        "Planning workshop",
        week.timed(10, "09:00", "16:30"),
        f"LOCATION:{text(location)}",
        f"DESCRIPTION:{text(_AGENDA)}",
        "CATEGORIES:planning,team",
        "GEO:52.520008;13.404954",
        revision=revision,
    )


def _meetings(week: Week) -> Sequence[tuple[str, bytes]]:
    return (
        _team_meeting(week),
        _standup(week),
        item(
            week,
            "one-on-one",
            "1:1 with Ben",
            week.timed(-12, "14:00", "14:30"),
            "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=WE",
            _TEAM[:3],
            alarm("PT5M"),
        ),
        item(
            week,
            "customer-call",
            "Call with the customer",
            week.timed(3, "10:00", "11:00", NEW_YORK),
            _CUSTOMER,
            "URL:https://meet.example.org/customer",
            "STATUS:TENTATIVE",
        ),
        item(
            week,
            "retro",
            "Retrospective",
            week.timed(4, "15:00", "16:00"),
            "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=12",
            _TEAM,
        ),
        item(
            week,
            "board",
            "Board meeting",
            week.timed(-27, "17:00", "18:30"),
            "RRULE:FREQ=WEEKLY;INTERVAL=4;BYDAY=TU",
            "CLASS:CONFIDENTIAL",
            "CATEGORIES:board,private",
        ),
        item(
            week,
            "interview",
            "Interview: 李小龙 (backend)",
            week.timed(2, "11:00", "12:00"),
            "LOCATION:Room 1.11",
            "CLASS:PRIVATE",
        ),
        item(
            week,
            "all-hands",
            "All hands",
            (f"DTSTART:{week.at(9, '13:00')}Z", f"DTEND:{week.at(9, '14:00')}Z"),
            _TEAM,
        ),
        item(
            week,
            "called-off",
            "Design review",
            week.timed(1, "16:00", "17:00"),
            "STATUS:CANCELLED",
            "COMMENT:moved to the mailing list",
        ),
        item(
            week,
            "lunch-team",
            "Team lunch",
            week.timed(4, "12:30", "13:30"),
            "LOCATION:Ristorante „La Gondola“",
            "TRANSP:TRANSPARENT",
        ),
    )


def _travel(week: Week) -> Sequence[tuple[str, bytes]]:
    there = (
        f"DTSTART;TZID=Europe/Berlin:{week.at(14, '10:35')}",
        f"DTEND;TZID={NEW_YORK}:{week.at(14, '13:50')}",
    )
    return (
        item(
            week,
            "flight-out",
            "Flight BER → JFK",
            there,
            "LOCATION:Berlin Brandenburg",
            "DESCRIPTION:Seat 23A",
            alarm("PT3H", "Leave for the airport"),
        ),
        item(week, "hotel", "Hotel, New York", week.all_day(14, 4), "TRANSP:TRANSPARENT"),
        item(
            week,
            "summit",
            "Summit, day one",
            week.timed(15, "09:00", "18:00", NEW_YORK),
            "LOCATION:Pier 57",
            'X-CONFERENCE-TRACK;X-ROOM="B:2":storage',
        ),
        item(
            week,
            "train",
            "Train to Wien",
            (f"DTSTART;TZID=Europe/Berlin:{week.at(-3, '06:02')}", "DURATION:PT8H30M"),
            "CATEGORIES:travel",
        ),
    )


def _days(week: Week) -> Sequence[tuple[str, bytes]]:
    floating = (f"DTSTART:{week.at(0, '08:00')}", f"DTEND:{week.at(0, '09:30')}")
    return (
        item(week, "focus", "Focus time", floating, "RRULE:FREQ=WEEKLY;BYDAY=MO,TH"),
        item(
            week,
            "payroll",
            "Payroll deadline",
            (f"DTSTART;VALUE=DATE:{week.today.year}0128", "DURATION:P1D"),
            "RRULE:FREQ=MONTHLY;BYMONTHDAY=28",
            alarm("P1D"),
        ),
        item(week, "release", "Release 4.0 🚀", week.all_day(11), "CATEGORIES:release"),
        item(
            week,
            "moving",
            "Moving offices",
            week.all_day(21, 2),
            f"ATTACH;ENCODING=BASE64;FMTTYPE=image/x-portable-bitmap;VALUE=BINARY:{_PLAN}",
            "DESCRIPTION:The floor plan is attached.",
        ),
        item(
            week,
            "on-call",
            "On call",
            week.all_day(-7, 7),
            "RRULE:FREQ=WEEKLY;INTERVAL=4",
            "TRANSP:TRANSPARENT",
        ),
        item(
            week,
            "deploy",
            "Deployment window",
            (
                f"DTSTART;TZID=Europe/Berlin:{week.at(5, '22:00')}",
                f"DTEND;TZID=Europe/Berlin:{week.at(6, '02:00')}",
            ),
            f"RDATE;TZID=Europe/Berlin:{week.at(19, '22:00')},{week.at(40, '22:00')}",
        ),
    )


def _team_meeting(week: Week) -> tuple[str, bytes]:
    """Return a series with an exception, a moved and a renamed occurrence."""
    uid = "UID:team-meeting@sample.example"
    master = component(
        "VEVENT",
        uid,
        week.stamp(2),
        "SUMMARY:Team meeting",
        week.timed(-56, "09:30", "10:30"),
        "RRULE:FREQ=WEEKLY;BYDAY=MO",
        f"EXDATE;TZID=Europe/Berlin:{week.at(-7, '09:30')}",
        f"EXDATE;TZID=Europe/Berlin:{week.at(28, '09:30')}",
        "LOCATION:Room 2.04",
        _TEAM,
        alarm("PT10M"),
    )
    moved = component(
        "VEVENT",
        uid,
        week.stamp(2),
        f"RECURRENCE-ID;TZID=Europe/Berlin:{week.at(7, '09:30')}",
        "SUMMARY:Team meeting",
        week.timed(8, "14:00", "15:00"),
        "LOCATION:Room 1.11",
        _TEAM,
    )
    renamed = component(
        "VEVENT",
        uid,
        week.stamp(2),
        f"RECURRENCE-ID;TZID=Europe/Berlin:{week.at(14, '09:30')}",
        "SUMMARY:Team meeting: budget",
        week.timed(14, "09:30", "11:00"),
        "LOCATION:Room 2.04",
        _TEAM,
    )
    return "team-meeting.ics", whole([master, moved, renamed])


def _standup(week: Week) -> tuple[str, bytes]:
    """Return a daily series that skips the weekend, with one late occurrence."""
    uid = "UID:stand-up@sample.example"
    master = component(
        "VEVENT",
        uid,
        week.stamp(),
        "SUMMARY:Stand-up",
        week.timed(-28, "09:15", "09:30"),
        "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
    )
    late = component(
        "VEVENT",
        uid,
        week.stamp(),
        f"RECURRENCE-ID;TZID=Europe/Berlin:{week.at(2, '09:15')}",
        "SUMMARY:Stand-up (late)",
        week.timed(2, "10:15", "10:30"),
    )
    return "stand-up.ics", whole([master, late])
