r"""Spellings of a property that mean the same: what a server may choose between.

Each one turns a property into the spelling that stands for all of its kind; two properties that
come out alike mean the same. Nothing here changes what is stored or sent.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

from caldav_run.ical.tree import Component, Property
from caldav_run.ical.values import parse_duration, unescape

Spelling = Callable[[Property], tuple[Property, ...]]
"""Returns a property as it is spelled in one way only; nothing for what says nothing."""

LISTS: Final = frozenset({"CATEGORIES", "RESOURCES", "FREEBUSY", "EXDATE", "RDATE"})
"""Properties with several values (RFC 5545 sections 3.8.1.2, .10, 3.8.2.6, 3.8.5.1 and .2)."""

_TEXT_LISTS: Final = frozenset({"CATEGORIES", "RESOURCES"})
_TEXTS: Final = frozenset({"SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "CONTACT", "UID"})
_DURATIONS: Final = frozenset({"DURATION", "TRIGGER", "REFRESH-INTERVAL", "X-PUBLISHED-TTL"})
_DEFAULTS: Final = frozenset(
    {("CLASS", "PUBLIC"), ("TRANSP", "OPAQUE"), ("PRIORITY", "0"), ("SEQUENCE", "0")}
)
_RULE_DEFAULTS: Final = frozenset({"INTERVAL=1", "WKST=MO"})
_DATE_TIME: Final = frozenset({("VALUE", "DATE-TIME")})
_DEFAULT_PARAMETERS: Final[Mapping[str, frozenset[tuple[str, str]]]] = {
    "ATTENDEE": frozenset(
        {
            ("CUTYPE", "INDIVIDUAL"),
            ("ROLE", "REQ-PARTICIPANT"),
            ("PARTSTAT", "NEEDS-ACTION"),
            ("RSVP", "FALSE"),
        }
    ),
    "ATTACH": frozenset({("VALUE", "URI")}),
    "TRIGGER": frozenset({("VALUE", "DURATION"), ("RELATED", "START")}),
    "RELATED-TO": frozenset({("RELTYPE", "PARENT")}),
    "FREEBUSY": frozenset({("FBTYPE", "BUSY")}),
    **dict.fromkeys(("DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "EXDATE", "RDATE"), _DATE_TIME),
}
_PIECE: Final = re.compile(r"\\.|,|[^\\,]+|\\", re.DOTALL)


def _one_value_each(prop: Property) -> tuple[Property, ...]:
    if prop.name not in LISTS or "," not in prop.value:
        return (prop,)
    return tuple(prop._replace(value=part) for part in _parts(prop.value))


def _parts(value: str) -> list[str]:
    """Split a raw value at the commas that are not escaped."""
    parts = [""]
    for piece in _PIECE.findall(value):
        if piece == ",":
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _rule(prop: Property) -> tuple[Property, ...]:
    if prop.name not in {"RRULE", "EXRULE"}:
        return (prop,)
    parts = set(map(_rule_part, prop.value.upper().split(";"))) - _RULE_DEFAULTS
    return (prop._replace(value=";".join(sorted(parts))),)


def _rule_part(part: str) -> str:
    name, _, value = part.strip().partition("=")
    # Which days are meant does not hang on their order (RFC 5545 section 3.3.10).
    return f"{name}={','.join(sorted(value.split(',')))}"


def _duration(prop: Property) -> tuple[Property, ...]:
    if prop.name in _DURATIONS:
        with suppress(ValueError):
            days, seconds = parse_duration(prop.value)
            return (prop._replace(value=f"{days} days {seconds} s"),)
    return (prop,)


def _day(prop: Property) -> tuple[Property, ...]:
    # An alarm only: an event that lasts a day is another one than one of 24 hours.
    if prop.name == "TRIGGER":
        with suppress(ValueError):
            return (prop._replace(value=f"{parse_duration(prop.value).total_s} s"),)
    return (prop,)


def _number(prop: Property) -> tuple[Property, ...]:
    if prop.name == "GEO":
        with suppress(ValueError):
            value = ";".join(str(float(part)) for part in prop.value.split(";"))
            return (prop._replace(value=value),)
    return (prop,)


def _text(prop: Property) -> tuple[Property, ...]:
    if prop.name in _TEXTS:
        return (prop._replace(value=unescape(prop.value)),)
    # Of an X- property nobody but its maker knows whether a comma separates values.
    extension = prop.name.startswith("X-") and prop.param("VALUE") in {None, "TEXT"}
    if prop.name not in _TEXT_LISTS and not extension:
        return (prop,)
    parts = (unescape(part).replace(",", r"\,") for part in _parts(prop.value))
    return (prop._replace(value=",".join(parts)),)


def _parameters(prop: Property) -> tuple[Property, ...]:
    defaults = _DEFAULT_PARAMETERS.get(prop.name, frozenset())
    params = tuple(
        (name, value) for name, value in prop.params if (name, value.upper()) not in defaults
    )
    return (prop._replace(params=params),)


def _default(prop: Property) -> tuple[Property, ...]:
    said = (prop.name, prop.value.strip().upper())
    return () if said in _DEFAULTS and not prop.params else (prop,)


def _empty(prop: Property) -> tuple[Property, ...]:
    return (prop,) if prop.value or prop.params or not prop.name else ()


SPELLINGS: Final[Mapping[str, Spelling]] = {
    "one value each": _one_value_each,
    "rule parts": _rule,
    "24 hours": _day,
    "duration": _duration,
    "number": _number,
    "escapes": _text,
    "default parameter": _parameters,
    "default value": _default,
    "empty": _empty,
}
"""The spellings that are told apart, by name, in the order in which they follow each other."""


def alike(prop: Property, names: Iterable[str] = SPELLINGS) -> tuple[Property, ...]:
    """Return a property in the spelling that stands for all that mean the same.

    Args:
        prop: The property.
        names: In which respects, in the order of `SPELLINGS`.
    """
    found: tuple[Property, ...] = (prop,)
    for name in names:
        found = tuple(new for old in found for new in SPELLINGS[name](old))
    return found


def alike_tree(component: Component) -> Component:
    """Return a component with all that it holds in the spelling that stands for others."""
    return Component(
        component.name,
        tuple(new for prop in component.properties for new in alike(prop)),
        tuple(map(alike_tree, component.children)),
    )
