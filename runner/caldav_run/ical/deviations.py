"""Level L3 of fidelity: L2 but for a named list of deviations, each of which is reported.

A server may change these without losing what a person wrote: PRODID, CALSCALE, METHOD, an added
DTSTAMP, LAST-MODIFIED, SCHEDULE-STATUS, X- properties that it adds, and a VTIMEZONE as long as its
offsets agree where the item uses them.
"""

from datetime import UTC
from typing import Final, NamedTuple

from caldav_run.errors import ItemError
from caldav_run.ical.canonical import Level, equal, property_form
from caldav_run.ical.differences import Difference, differences, spell
from caldav_run.ical.steps import TooLongError
from caldav_run.ical.tree import Component, Property, parse
from caldav_run.ical.values import Moment, parse_moment, shift
from caldav_run.ical.zones import Zones

_ANY_CHANGE: Final = frozenset({"PRODID", "CALSCALE", "METHOD", "LAST-MODIFIED"})
_YEARS_AHEAD: Final = 10
_DAYS_APART: Final = 7


class Deviation(NamedTuple):
    """One way in which what came back is not what was sent.

    Attributes:
        rule: The name of what L3 tolerates; None for a loss.
        place: The component that it is in, in words.
        before: What was sent; None when nothing was.
        after: What came back; None when nothing did.
    """

    rule: str | None
    place: str
    before: str | None
    after: str | None


def deviations(sent: bytes, returned: bytes) -> list[Deviation]:
    """Return every difference at level L2, and which of them L3 tolerates.

    Two bodies are equal at L3 when each deviation has a rule.
    """
    if equal(sent, returned, Level.L2):
        return []
    try:
        before, after = parse(sent), parse(returned)
    except ItemError as error:
        return [Deviation(None, "the whole item", None, str(error))]
    agree = _zones_agree(before, after)
    return [
        Deviation(
            _rule(difference, zones_agree=agree),
            " > ".join(difference.path),
            spell(difference.before) if difference.before else None,
            spell(difference.after) if difference.after else None,
        )
        for difference in differences(before, after)
    ]


def equal_but_for_deviations(sent: bytes, returned: bytes) -> bool:
    """Return whether two bodies are equal at level L3."""
    return all(deviation.rule for deviation in deviations(sent, returned))


def _rule(difference: Difference, *, zones_agree: bool) -> str | None:
    """Return the name of the rule that tolerates a difference, or None."""
    name, before, after = difference.name, difference.before, difference.after
    if any(part.startswith("VTIMEZONE") for part in difference.path):
        return "VTIMEZONE" if zones_agree else None
    if difference.whole:
        return None
    if name in _ANY_CHANGE:
        return name
    if before is None:
        return "added DTSTAMP" if name == "DTSTAMP" else "added X-" if name[:2] == "X-" else None
    if after and property_form(_unscheduled(before)) == property_form(_unscheduled(after)):
        return "SCHEDULE-STATUS"
    return None


def _unscheduled(prop: Property) -> Property:
    """Return a property without its SCHEDULE-STATUS (RFC 6638 section 7.3)."""
    params = tuple(param for param in prop.params if param[0] != "SCHEDULE-STATUS")
    return prop._replace(params=params)


def _zones_agree(before: Component, after: Component) -> bool:
    """Whether the VTIMEZONEs of two trees put every time that is used at the same instant."""
    one, other = Zones(before, UTC, own_first=True), Zones(after, UTC, own_first=True)
    try:
        return all(one.seconds(at) == other.seconds(at) for at in _times(before))
    except (ValueError, TooLongError):
        return False


def _times(tree: Component) -> list[Moment]:
    """Return the zoned times of a tree; for recurring items also weekly ones ahead."""
    found: list[Moment] = []
    for component in (part for entry in tree.entries() for part in entry.walk()):
        ahead = 365 * _YEARS_AHEAD if component.first("RRULE") else 1
        for prop in component.properties:
            zone = prop.param("TZID")
            for text in prop.value.split(",") if zone else ():
                at = parse_moment(text.partition("/")[0], zone)
                found += (
                    at._replace(local=shift(at.local, days))
                    for days in range(0, ahead, _DAYS_APART)
                )
    return found
