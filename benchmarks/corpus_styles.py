"""How Google, Apple, Outlook and Nextcloud spell an event: order, ids, and what they add."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Final, NamedTuple
from uuid import UUID

from benchmarks import corpus_ids as ids
from benchmarks.corpus_facts import Facts
from benchmarks.corpus_texts import Person
from benchmarks.corpus_zones import definition

_MEET_RULER: Final = "-::~:~::~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~::~:~::-"
_TEAMS_RULER: Final = "_" * 80

Spell = Callable[[Facts, list[str]], list[str]]
"""Returns the lines inside of a VEVENT; told which repetition it takes the place of."""


class Style(NamedTuple):
    """How one producer writes.

    Attributes:
        uid: Makes an event's UID.
        href: Makes its name at the server from the UID.
        lines: Spells a whole object, unfolded.
    """

    uid: Callable[[Random], str]
    href: Callable[[Random, str], str]
    lines: Callable[[Facts, str, Random], list[str]]


def _google(facts: Facts, uid: str, random: Random) -> list[str]:
    zone = facts.zone.name
    code = "".join(random.choices("abcdefghijkmnopqrstuvwxyz", k=10))
    meet = f"https://meet.google.com/{code[:3]}-{code[3:7]}-{code[7:]}"
    online = bool(facts.people) and random.random() < 0.6
    invitation = (
        f"{_MEET_RULER}\nJoin with Google Meet: {meet}\n\nLearn more about Meet at: "
        "https://support.google.com/a/users/answer/9282720\n\n"
        f"Please do not edit this section.\n{_MEET_RULER}"
    )
    text = "\n\n".join(filter(None, (facts.text, invitation if online else "")))

    def spell(one: Facts, override: list[str]) -> list[str]:
        return [
            *_times(one, zone),
            *_repetition(one, zone),
            f"DTSTAMP:{_utc(one.modified)}",
            *_people(one, "CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED"),
            *([f"X-GOOGLE-CONFERENCE:{meet}"] if online else []),
            f"UID:{uid}",
            *override,
            f"CREATED:{_utc(one.created)}",
            *_texts(DESCRIPTION=text),
            f"LAST-MODIFIED:{_utc(one.modified)}",
            *_texts(LOCATION=one.place),
            f"SEQUENCE:{one.sequence}",
            "STATUS:CONFIRMED",
            *_texts(SUMMARY=one.title),
            "TRANSP:OPAQUE",
            *_alarms(
                one,
                "ACTION:DISPLAY",
                "DESCRIPTION:This is an event reminder",
                "TRIGGER:-P{days}DT{hours}H{minutes}M0S",
            ),
        ]

    head = (
        "PRODID:-//Google Inc//Google Calendar 70.9054//EN",
        "VERSION:2.0",
        "CALSCALE:GREGORIAN",
        "X-WR-CALNAME:alice@example.com",
        f"X-WR-TIMEZONE:{zone}",
    )
    return _object(head, definition(facts.zone, zone, (f"X-LIC-LOCATION:{zone}",)), facts, spell)


def _apple(facts: Facts, uid: str, random: Random) -> list[str]:
    zone = facts.zone.name
    alarm = ids.uuid(random).upper()
    place = f"geo:{random.uniform(-60, 60):.6f},{random.uniform(-180, 180):.6f}"
    shown = facts.place.replace('"', "'")
    on_map = f'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-APPLE-RADIUS=70.58;X-TITLE="{shown}":{place}'
    found = bool(facts.place) and random.random() < 0.5

    def spell(one: Facts, override: list[str]) -> list[str]:
        return [
            f"CREATED:{_utc(one.created)}",
            *_texts(DESCRIPTION=one.text),
            _when(one, "DTEND", one.end, zone),
            f"DTSTAMP:{_utc(one.modified)}",
            _when(one, "DTSTART", one.start, zone),
            f"LAST-MODIFIED:{_utc(one.modified)}",
            *_texts(LOCATION=one.place),
            *override,
            *_repetition(one, zone),
            f"SEQUENCE:{one.sequence}",
            *_texts(SUMMARY=one.title),
            "TRANSP:OPAQUE",
            f"UID:{uid}",
            *([on_map] if found else []),
            "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC",
            *_alarms(
                one,
                "ACTION:DISPLAY",
                "DESCRIPTION:Reminder",
                "TRIGGER:-PT{all_minutes}M",
                f"UID:{{rank}}{alarm[1:]}",
                f"X-WR-ALARMUID:{{rank}}{alarm[1:]}",
            ),
        ]

    head = ("CALSCALE:GREGORIAN", "PRODID:-//Apple Inc.//macOS 14.5//EN", "VERSION:2.0")
    return _object(head, definition(facts.zone, zone), facts, spell)


def _outlook(facts: Facts, uid: str, random: Random) -> list[str]:
    zone = facts.zone.outlook
    text = "\n\n".join(filter(None, (facts.text, _teams(random) if facts.people else "")))

    def spell(one: Facts, override: list[str]) -> list[str]:
        return [
            *_people(one, "ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE"),
            *_texts(DESCRIPTION=text),
            *override,
            *_repetition(one, zone),
            f"UID:{uid}",
            *_texts(SUMMARY=one.title),
            *_times(one, zone),
            "CLASS:PUBLIC",
            "PRIORITY:5",
            f"DTSTAMP:{_utc(one.modified)}",
            *_texts(CATEGORIES=one.category),
            "TRANSP:OPAQUE",
            "STATUS:CONFIRMED",
            f"SEQUENCE:{one.sequence}",
            *_texts(LOCATION=one.place),
            f"X-MICROSOFT-CDO-APPT-SEQUENCE:{one.sequence}",
            "X-MICROSOFT-CDO-BUSYSTATUS:BUSY",
            "X-MICROSOFT-CDO-INTENDEDSTATUS:BUSY",
            f"X-MICROSOFT-CDO-ALLDAYEVENT:{str(one.all_day).upper()}",
            "X-MICROSOFT-CDO-IMPORTANCE:1",
            f"X-MICROSOFT-CDO-INSTTYPE:{int(bool(one.rule))}",
            "X-MICROSOFT-DONOTFORWARDMEETING:FALSE",
            "X-MICROSOFT-DISALLOW-COUNTER:FALSE",
            *_alarms(
                replace(one, alarms=one.alarms[:1]),
                "DESCRIPTION:REMINDER",
                "TRIGGER;RELATED=START:-PT{all_minutes}M",
                "ACTION:DISPLAY",
            ),
        ]

    head = ("PRODID:Microsoft Exchange Server 2010", "VERSION:2.0")
    return _object(head, definition(facts.zone, zone), facts, spell)


def _nextcloud(facts: Facts, uid: str, random: Random) -> list[str]:
    del random
    zone = facts.zone.name
    guest = "CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT;RSVP=TRUE;LANGUAGE=en"

    def spell(one: Facts, override: list[str]) -> list[str]:
        return [
            f"CREATED:{_utc(one.created)}",
            f"DTSTAMP:{_utc(one.modified)}",
            f"LAST-MODIFIED:{_utc(one.modified)}",
            f"SEQUENCE:{one.sequence + 2}",
            f"UID:{uid}",
            *override,
            *_times(one, zone),
            "STATUS:CONFIRMED",
            *_texts(SUMMARY=one.title, LOCATION=one.place, DESCRIPTION=one.text),
            *_texts(CATEGORIES=one.category),
            *_repetition(one, zone),
            *_people(one, guest),
            *_alarms(
                one,
                "ACTION:DISPLAY",
                "TRIGGER;RELATED=START:-PT{all_minutes}M",
                "DESCRIPTION:Reminder",
            ),
        ]

    maker = "PRODID:-//IDN nextcloud.com//Calendar app 4.7.6//EN"
    head = ("CALSCALE:GREGORIAN", "VERSION:2.0", maker)
    return _object(head, definition(facts.zone, zone), facts, spell)


def _object(head: Iterable[str], zone: list[str], facts: Facts, spell: Spell) -> list[str]:
    """Return a whole object: the event, and the repetition of it that was moved."""
    lines = ["BEGIN:VCALENDAR", *head, *(zone if not facts.all_day else [])]
    lines += ["BEGIN:VEVENT", *spell(facts, []), "END:VEVENT"]
    if facts.moved is not None:
        later = facts.moved + timedelta(days=facts.all_day, hours=2 * (not facts.all_day))
        one = replace(facts, start=later, rule="", exceptions=())
        identity = zone[1].removeprefix("TZID:")
        override = _when(facts, "RECURRENCE-ID", facts.moved, identity)
        lines += ["BEGIN:VEVENT", *spell(one, [override]), "END:VEVENT"]
    return [*lines, "END:VCALENDAR"]


def _times(facts: Facts, zone: str) -> list[str]:
    start = _when(facts, "DTSTART", facts.start, zone)
    return [start, _when(facts, "DTEND", facts.end, zone)]


def _when(facts: Facts, name: str, time: datetime, zone: str) -> str:
    if facts.all_day:
        return f"{name};VALUE=DATE:{time:%Y%m%d}"
    return f"{name};TZID={zone}:{time:%Y%m%dT%H%M%S}"


def _utc(time: datetime) -> str:
    return f"{time:%Y%m%dT%H%M%SZ}"


def _repetition(facts: Facts, zone: str) -> list[str]:
    rule = facts.rule.replace("T235959Z", "") if facts.all_day else facts.rule
    left_out = [_when(facts, "EXDATE", each, zone) for each in facts.exceptions]
    return [*([f"RRULE:{rule}"] if rule else []), *left_out]


def _texts(**values: str) -> list[str]:
    return [f"{name}:{_escaped(value)}" for name, value in values.items() if value]


def _escaped(text: str) -> str:
    for plain, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(plain, written)
    return text


def _people(facts: Facts, guest: str) -> list[str]:
    def spell(rank: int, each: Person) -> str:
        who = f"CN={each.name}:mailto:{each.mail}"
        return f"ATTENDEE;{guest};{who}" if rank else f"ORGANIZER;{who}"

    return [spell(rank, each) for rank, each in enumerate(facts.people)]


def _alarms(facts: Facts, *lines: str) -> list[str]:
    made: list[str] = []
    for rank, before in enumerate(facts.alarms):
        days, rest = divmod(before, 1440)
        hours, minutes = divmod(rest, 60)
        values = {"rank": rank, "days": days, "hours": hours, "minutes": minutes}
        spelled = [line.format(all_minutes=before, **values) for line in lines]
        made += ["BEGIN:VALARM", *spelled, "END:VALARM"]
    return made


def _teams(random: Random) -> str:
    thread = f"19%3ameeting_{ids.hex_digits(random, 48)}%40thread.v2"
    return (
        f"{_TEAMS_RULER}\nMicrosoft Teams meeting\nJoin on your computer, mobile app or room "
        "device\nClick here to join the meeting<https://teams.microsoft.com/l/meetup-join/"
        f"{thread}/0?context=%7b%22Tid%22%3a%22{UUID(int=7)}%22%2c%22Oid%22%3a%22{ids.uuid(random)}"
        f"%22%7d>\nMeeting ID: {random.randrange(10**11)}\nPasscode: {ids.hex_digits(random, 6)}\n"
        f"Learn More<https://aka.ms/JoinTeamsMeeting>\n{_TEAMS_RULER}\n"
    )


STYLES: Final[Mapping[str, Style]] = {
    "google": Style(ids.google_uid, ids.same, _google),
    "apple": Style(ids.apple_uid, ids.same, _apple),
    "outlook": Style(ids.outlook_uid, ids.same, _outlook),
    "nextcloud": Style(ids.uuid, ids.another, _nextcloud),
}
