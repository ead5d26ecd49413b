"""Where a wall clock lies in time: TZIDs, and VTIMEZONEs that come with an item."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from caldav_run.ical.recurrence import Rule
from caldav_run.ical.rule_text import parse_rule
from caldav_run.ical.steps import Steps
from caldav_run.ical.tree import Component
from caldav_run.ical.values import Moment, epoch, moment, parse_moment, shift

# Names that mean the host's own zone, which no calendar of a server can mean.
_HOST_ZONES: Final = frozenset({"localtime", "posixrules"})
_DAY_S: Final = 86_400


class UnknownZoneError(ValueError):
    """A TZID names no zone, and the item does not bring it along."""


@lru_cache(maxsize=256)
def iana_zone(name: str) -> ZoneInfo | None:
    """Return the IANA zone of exactly this name, or None."""
    if name in _HOST_ZONES:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


@lru_cache(maxsize=256)
def guessed_zone(name: str) -> ZoneInfo | None:
    """Return the IANA zone that a client's own name stands for, or None.

    Clients put a prefix before IANA's name (`/mozilla.org/20070129_1/Europe/Berlin`) or use the
    names of Windows (`W. Europe Standard Time`).
    """
    # A big table, for a few items only.
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    parts = name.strip("/").split("/")
    keys = ["/".join(parts[-length:]) for length in (3, 2, 1) if length < len(parts)]
    found = map(iana_zone, [*keys, WINDOWS_TO_OLSON.get(name, "UNKNOWN")])
    return next(filter(None, found), None)


@dataclass(frozen=True, slots=True)
class Observance:
    """A STANDARD or DAYLIGHT part of a VTIMEZONE.

    Attributes:
        onsets: Its starts that are named one by one, on the wall clock before them.
        rules: The rules for the rest.
        before_s: TZOFFSETFROM in seconds east of UTC.
        after_s: TZOFFSETTO, likewise.
    """

    onsets: tuple[datetime, ...]
    rules: tuple[Rule, ...]
    before_s: int
    after_s: int

    def last_onset(self, local: datetime, steps: Steps) -> datetime | None:
        """Return the last onset at or before a wall clock.

        Raises:
            TooLongError: That takes too long to work out.
        """
        # A wall clock inside the skipped hour still has the offset before it, so that the onset
        # counts from the end of that hour (RFC 5545 section 3.3.5).
        skipped_s = max(0, self.after_s - self.before_s)
        limit = shift(local, 0, -skipped_s)
        found = [onset for onset in self.onsets if onset <= limit]
        for rule in self.rules:
            at = limit
            if rule.until:
                offset_s = self.before_s if rule.until.zone else 0
                at = min(at, shift(rule.until.local, 0, offset_s))
            if rule.count:
                at = min(at, rule.last_counted(steps) or at)
            found += islice(rule.backward(at, steps), 1)
        return max(found, default=None)


class Zones:
    """Turns the wall clocks of one item into seconds since 1970.

    A TZID that IANA knows means IANA's zone, whose rules are up to date; any other one means the
    VTIMEZONE of that name in the item.

    Args:
        tree: The item.
        default: The zone of dates and floating times.
        own_first: Have the item's own VTIMEZONE win over IANA's zone of that name.
    """

    def __init__(self, tree: Component, default: tzinfo, *, own_first: bool = False) -> None:
        """Find the item's own zones; they are read when they are asked for."""
        self._own_first = own_first
        self._default = default
        self._own = {
            zone.value("TZID").strip(): zone for zone in tree.walk() if zone.name == "VTIMEZONE"
        }
        self._observances: dict[str, tuple[Observance, ...]] = {}
        self._steps = Steps()

    def seconds(self, at: Moment) -> int:
        """Return where a date (its first instant) or time lies.

        Raises:
            UnknownZoneError: Its TZID means nothing.
            ValueError: The VTIMEZONE that it means cannot be read.
            TooLongError: The VTIMEZONE takes too long to work out.
        """
        return epoch(at.local) - self.offset_s(at.local, at.zone)

    def local(self, seconds: int, zone: str | None) -> datetime:
        """Return the wall clock of an instant; near a change of offset it may be that much off.

        Raises:
            ValueError: As for `seconds`.
            TooLongError: As for `seconds`.
        """
        utc = shift(datetime(1970, 1, 1), *divmod(seconds, _DAY_S))  # noqa: DTZ001 - a wall clock
        near = shift(utc, 0, self.offset_s(utc, zone))
        return shift(utc, 0, self.offset_s(near, zone))

    def offset_s(self, local: datetime, zone: str | None) -> int:
        """Return the offset from UTC, in seconds east, of a wall clock in a zone.

        Raises:
            ValueError: As for `seconds`.
            TooLongError: As for `seconds`.
        """
        if zone == "UTC":
            return 0
        known = self._default if zone is None else self._known(zone)
        if known is None and zone is not None:
            return self._own_offset_s(local, zone)
        offset = local.replace(tzinfo=known).utcoffset() or timedelta()
        return offset.days * _DAY_S + offset.seconds

    def _known(self, zone: str) -> tzinfo | None:
        """Return the zone of a TZID; None for one that the item brings along.

        Raises:
            UnknownZoneError: Neither is the case.
        """
        known = None if self._own_first and zone in self._own else iana_zone(zone)
        if known is None and zone not in self._own:
            known = guessed_zone(zone)
            if known is None:
                raise UnknownZoneError(f"the time zone {zone[:60]!r} is not known")
        return known

    def _own_offset_s(self, local: datetime, zone: str) -> int:
        """Return the offset of a wall clock in a zone that the item brings along."""
        if zone not in self._observances:
            self._observances[zone] = _observances(self._own[zone])
        observances = self._observances[zone]
        onsets = [(one.last_onset(local, self._steps), one.after_s) for one in observances]
        begun = [(onset, after_s) for onset, after_s in onsets if onset is not None]
        if begun:
            return max(begun)[1]
        return min(observances, key=lambda one: min(one.onsets)).before_s


def _observances(zone: Component) -> tuple[Observance, ...]:
    """Read a VTIMEZONE (RFC 5545 section 3.6.5).

    Raises:
        ValueError: It cannot be read.
    """
    found = []
    for part in zone.children:
        first = part.first("DTSTART")
        if first is None:
            raise ValueError(f"the VTIMEZONE {zone.value('TZID')[:60]!r} lacks a DTSTART")
        start = moment(first).local
        dates = (text for prop in part.all("RDATE") for text in prop.value.split(","))
        found.append(
            Observance(
                onsets=(start, *(parse_moment(text).local for text in dates)),
                rules=tuple(parse_rule(rule.value, start) for rule in part.all("RRULE")),
                before_s=_offset_s(part.value("TZOFFSETFROM")),
                after_s=_offset_s(part.value("TZOFFSETTO")),
            )
        )
    if not found:
        raise ValueError(f"the VTIMEZONE {zone.value('TZID')[:60]!r} is empty")
    return tuple(found)


def _offset_s(text: str) -> int:
    """Read a UTC-OFFSET value such as `+0130` (RFC 5545 section 3.3.14)."""
    text = text.strip()
    sign, digits = text[:1], text[1:]
    if sign not in {"+", "-"} or len(digits) not in {4, 6} or not digits.isdecimal():
        raise ValueError(f"{text[:20]!r} is no offset from UTC")
    seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:] or 0)
    return -seconds if sign == "-" else seconds
