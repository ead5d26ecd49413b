"""Events with people in them, and who was mailed because of them."""

import re
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.integration.servers.calendars import Made
from tests.integration.servers.description import Running
from tests.integration.servers.raw import Raw

ME: Final = "alice@example.org"
LOCAL: Final = "bob@example.org"
CAROL: Final = "carol@elsewhere.example"
DAVE: Final = "dave@elsewhere.example"
ERIN: Final = "erin@elsewhere.example"
_MAIL_LIMIT_S: Final = 60.0
_PAUSE_S: Final = 0.1
_RECIPIENT: Final = re.compile(r"^(?:RCPT TO:|\s*To:).*?([^\s<>:]*@[^\s<>,]+|<>)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """An event; what is not said is that of a lunch to which alice invites three people.

    Attributes:
        organizer: Who invites; nobody where it is empty.
        guests: Who is invited.
        mine: Whether alice comes, where she is invited.
        summary: What it is called.
        year: When it is: far in the future, or past.
        series: Further lines of a series; a single event without.
        moved: Who is invited to its second occurrence too, which takes place later that day.
    """

    organizer: str = ME
    guests: tuple[str, ...] = (LOCAL, CAROL)
    mine: str = "ACCEPTED"
    summary: str = "Lunch"
    year: int = 2037
    series: tuple[str, ...] = ()
    moved: str = ""

    def body(self, uid: str) -> bytes:
        """Return it as a calendar object."""
        begins = (f"DTSTART:{self.year}0501T120000Z", f"DTEND:{self.year}0501T130000Z")
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//caldav-run//test//EN"]
        lines += self._component(uid, (*begins, *self.series), self.guests)
        if self.moved:
            later = (
                f"RECURRENCE-ID:{self.year}0502T120000Z",
                f"DTSTART:{self.year}0502T150000Z",
                f"DTEND:{self.year}0502T160000Z",
            )
            lines += self._component(uid, later, (*self.guests, self.moved))
        return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()

    def _component(self, uid: str, more: Iterable[str], guests: Iterable[str]) -> list[str]:
        status = {ME: self.mine}
        invited = [
            f"ATTENDEE;PARTSTAT={status.get(each, 'NEEDS-ACTION')};RSVP=TRUE:mailto:{each}"
            for each in guests
            if self.organizer
        ]
        return [
            *("BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *more),
            f"SUMMARY:{self.summary}",
            *((f"ORGANIZER:mailto:{self.organizer}",) if self.organizer else ()),
            *invited,
            "END:VEVENT",
        ]


_DAILY: Final = ("RRULE:FREQ=DAILY;COUNT=5",)
_HERS: Final = (ME, CAROL)
BEFORE: Final[Mapping[str, Meeting]] = {
    "alone": Meeting(organizer=""),
    "mine": Meeting(),
    "mine-series": Meeting(series=_DAILY, moved=ERIN),
    "mine-past": Meeting(year=2021),
    "mine-emptied": Meeting(),
    "theirs": Meeting(organizer=DAVE, guests=_HERS),
    "theirs-series": Meeting(organizer=DAVE, guests=_HERS, series=_DAILY, moved=ERIN),
    "theirs-past": Meeting(organizer=DAVE, guests=_HERS, year=2021),
    "theirs-open": Meeting(organizer=DAVE, guests=_HERS, mine="NEEDS-ACTION"),
    "not-mine": Meeting(organizer=DAVE, guests=(CAROL, ERIN)),
}
"""What a restore finds nothing of, by name."""

AFTER: Final[Mapping[str, Meeting]] = {
    "alone": Meeting(summary="Dinner"),
    "mine": Meeting(summary="Dinner", guests=(LOCAL, ERIN)),
    "mine-series": Meeting(
        summary="Dinner", guests=(CAROL,), series=(*_DAILY, "EXDATE:20370503T120000Z")
    ),
    "mine-past": Meeting(summary="Dinner", year=2021),
    "mine-emptied": Meeting(summary="Dinner", organizer=""),
    "theirs": Meeting(summary="Dinner", organizer=DAVE, guests=_HERS, mine="DECLINED"),
    "theirs-series": Meeting(
        summary="Dinner",
        organizer=DAVE,
        guests=_HERS,
        mine="TENTATIVE",
        series=(*_DAILY, "EXDATE:20370503T120000Z"),
    ),
    "theirs-past": Meeting(summary="Dinner", organizer=DAVE, guests=_HERS, year=2021),
    "theirs-open": Meeting(summary="Dinner", organizer=DAVE, guests=_HERS),
    "not-mine": Meeting(summary="Dinner", organizer=DAVE, guests=(CAROL,)),
}
"""What another restore finds other versions of."""


def bodies(meetings: Mapping[str, Meeting], prefix: str) -> Mapping[str, bytes]:
    """Return calendar objects by the names of their files; a prefix keeps UIDs apart."""
    return {f"{name}.ics": each.body(f"{prefix}-{name}") for name, each in meetings.items()}


@dataclass
class Post:
    """What a server mails, from when this is made.

    Attributes:
        running: The server.
        raw: A connection to the account that the mails would be of.
    """

    running: Running
    raw: Raw
    _mark: str = field(default="", init=False)

    def __post_init__(self) -> None:
        """Pass over what was mailed before."""
        self.told()

    def told(self) -> frozenset[str]:
        """Return who was mailed since this was asked last.

        A server that mails is made to mail somebody else, so that whatever was before has come.
        """
        if not self.running.description.mails:
            return frozenset(_RECIPIENT.findall(self.running.mail()))
        last, self._mark = self._mark, f"mark-{secrets.token_hex(4)}@elsewhere.example"
        text = self._marked()
        new = text.rpartition(last)[2] if last else text
        return frozenset(_RECIPIENT.findall(new)) - {self._mark}

    def _marked(self) -> str:
        """Return what was mailed up to the mark."""
        calendar = Made(self.raw, f"caldav-run-{secrets.token_hex(4)}")
        calendar.make("Made by a test")
        calendar.put("mark.ics", Meeting(guests=(self._mark,)).body(calendar.name))
        calendar.remove("mark.ics")
        deadline = time.monotonic() + _MAIL_LIMIT_S
        while self._mark not in (text := self.running.mail()):
            assert time.monotonic() < deadline, f"{self._mark} was not mailed"
            time.sleep(_PAUSE_S)
        calendar.drop()
        return text
