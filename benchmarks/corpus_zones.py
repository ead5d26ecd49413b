"""Time zones as events carry them: a VTIMEZONE beside each event, spelled by its producer."""

from typing import Final, NamedTuple


class Zone(NamedTuple):
    """A time zone of today.

    Attributes:
        name: As the IANA database calls it.
        outlook: As Windows calls it.
        standard: Offset from UTC in winter.
        daylight: Offset in summer; None where clocks are not changed.
        to_daylight: The rule of the change to summer time.
        to_standard: That of the change back.
    """

    name: str
    outlook: str
    standard: str
    daylight: str | None = None
    to_daylight: str = ""
    to_standard: str = ""


_EUROPE: Final = ("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU")
_AMERICA: Final = ("FREQ=YEARLY;BYMONTH=3;BYDAY=2SU", "FREQ=YEARLY;BYMONTH=11;BYDAY=1SU")
ZONES: Final = (
    Zone("Europe/Berlin", "W. Europe Standard Time", "+0100", "+0200", *_EUROPE),
    Zone("America/New_York", "Eastern Standard Time", "-0500", "-0400", *_AMERICA),
    Zone("Europe/London", "GMT Standard Time", "+0000", "+0100", *_EUROPE),
    Zone("Europe/Moscow", "Russian Standard Time", "+0300"),
    Zone("Europe/Athens", "GTB Standard Time", "+0200", "+0300", *_EUROPE),
    Zone("Asia/Jerusalem", "Israel Standard Time", "+0200", "+0300", *_EUROPE),
    Zone("Asia/Shanghai", "China Standard Time", "+0800"),
    Zone("Asia/Kolkata", "India Standard Time", "+0530"),
)
HOME_OF: Final = {
    "latin": ZONES[0],
    "cyrillic": ZONES[3],
    "greek": ZONES[4],
    "hebrew": ZONES[5],
    "han": ZONES[6],
    "devanagari": ZONES[7],
}


def definition(zone: Zone, identity: str, named: tuple[str, ...] = ()) -> list[str]:
    """Return the lines of a VTIMEZONE.

    Args:
        zone: The zone.
        identity: Its TZID.
        named: Further lines behind the TZID, as a producer puts them.
    """
    lines = ["BEGIN:VTIMEZONE", f"TZID:{identity}", *named]
    if zone.daylight is None:
        lines += _change("STANDARD", zone.standard, zone.standard, "19700101T000000", "")
    else:
        summer = (zone.standard, zone.daylight, "19700329T020000", zone.to_daylight)
        winter = (zone.daylight, zone.standard, "19701025T030000", zone.to_standard)
        lines += [*_change("DAYLIGHT", *summer), *_change("STANDARD", *winter)]
    return [*lines, "END:VTIMEZONE"]


def _change(kind: str, before: str, after: str, start: str, rule: str) -> list[str]:
    return [
        f"BEGIN:{kind}",
        f"TZOFFSETFROM:{before}",
        f"TZOFFSETTO:{after}",
        f"DTSTART:{start}",
        *([f"RRULE:{rule}"] if rule else []),
        f"END:{kind}",
    ]
