"""Level L3 of fidelity: L2 but for a named list of deviations, each of which is reported.

A server may change these without losing what a person wrote. Some are spellings that mean the same
(`caldav_run.ical.alike`); the others are what servers own or add. Anything else is a loss.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Final, NamedTuple

from caldav_run.errors import ItemError
from caldav_run.ical.alike import LISTS, SPELLINGS, alike
from caldav_run.ical.canonical import Level, equal, form, property_form
from caldav_run.ical.differences import Difference, Path, differences, places, spell
from caldav_run.ical.tree import Component, Property, parse
from caldav_run.ical.zones_agree import zones_agree

_ANY_CHANGE: Final = frozenset({"PRODID", "CALSCALE", "METHOD", "LAST-MODIFIED"})
_ADDED: Final = frozenset({"DTSTAMP", "VERSION"})
_PEOPLE: Final = frozenset({"ATTENDEE", "ORGANIZER"})
_ADDED_TO_PEOPLE: Final = ("SCHEDULE-STATUS", "SCHEDULE-AGENT", "RSVP", "CN")
_REMEMBERED: Final = 1000
_SHOWN: Final = 100
_BEFORE: Final = 15

Params = tuple[tuple[str, str], ...]

RULES: Final = {
    "PRODID": "another program says that it wrote the item",
    "CALSCALE": "the calendar scale is said, or left unsaid",
    "METHOD": "the method of an invitation is dropped or changed",
    "LAST-MODIFIED": "the time of the last change is the server's",
    "added DTSTAMP": "a time stamp is added where there was none",
    "added VERSION": "the version of the format is added where there was none",
    "added X-": "a property of the server's own is added",
    "SCHEDULE-STATUS": "the server keeps its book on who was told (RFC 6638 section 7.3)",
    "added SCHEDULE-AGENT": "the server is told to invite nobody (RFC 6638 section 7.1)",
    "added RSVP": "whether an answer is asked for is said where it was not (RFC 5545 3.2.17)",
    "added CN": "a name is put to an address (RFC 5545 3.2.2)",
    "VTIMEZONE": "another definition of a time zone that gives the same times",
    "one value each": "a list is split into one property for each value (RFC 5545 3.8.1.2)",
    "rule parts": "the parts of a rule in another order, or without defaults (RFC 5545 3.3.10)",
    "duration": "the same length of time in other units (RFC 5545 3.3.6)",
    "24 hours": "an alarm a day before instead of 24 hours before, which is an hour apart where"
    " clocks are changed in between (RFC 5545 3.3.6)",
    "number": "the same coordinates with other zeros (RFC 5545 3.8.1.6)",
    "escapes": "the same text with other backslashes (RFC 5545 3.3.11)",
    "default parameter": "a parameter that says what holds without it (RFC 5545 3.2)",
    "default value": "a property that says what holds without it (RFC 5545 3.8)",
    "default end": "an all-day event without an end is said to last a day (RFC 5545 3.6.1)",
    "managed attachment": "a file of the item is kept by the server under another name and address,"
    " or lies in the item itself (RFC 8607 section 4)",
    "empty": "a property without a value and without parameters",
}
"""What L3 tolerates, by name, in words."""


class Deviation(NamedTuple):
    """One way in which what came back is not what was sent.

    Attributes:
        rule: The name of what L3 tolerates, as in `RULES`; None for a loss. Where a property is
            spelled otherwise in several ways, their names are joined with ` + `.
        place: The component that it is in, in words.
        before: What was sent; None when nothing was.
        after: What came back; None when nothing did.
    """

    rule: str | None
    place: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        """Return it as a person is told it, without its place."""
        before, after = _shortened(self.before, self.after)
        if before is None:
            return f"{after} was added" if after else "the component is another one"
        return f"{before} is gone" if after is None else f"{before} came back as {after}"


def deviations(sent: bytes, returned: bytes) -> list[Deviation]:
    """Return every difference at level L2, and which of them L3 tolerates.

    Two bodies are equal at L3 when each deviation has a rule.
    """
    if equal(sent, returned, Level.L1):
        return []
    try:
        before, after = parse(sent), parse(returned)
    except ItemError as error:
        return [Deviation(None, "the whole item", None, str(error))]
    if form(before) == form(after):
        return []
    found: list[Deviation] = []
    differing = differences(before, after)
    agree = any(map(_in_zone, differing)) and zones_agree(before, after)
    components = places(after)
    for (path, _), group in groupby(differing, key=_property):
        place = " > ".join(path)
        given = list(group)
        if _default_end(given, components.get(path)):
            found.append(_deviation("default end", place, given[0]))
        else:
            found += _judged(place, given, zones_agree=agree)
    return found


def equal_but_for_deviations(sent: bytes, returned: bytes) -> bool:
    """Return whether two bodies are equal at level L3."""
    return all(deviation.rule for deviation in deviations(sent, returned))


def _property(difference: Difference) -> tuple[Path, str]:
    """Return which property of which component a difference is about."""
    return difference.path, difference.name


def _in_zone(difference: Difference) -> bool:
    return any(part.startswith("VTIMEZONE") for part in difference.path)


def _default_end(group: Sequence[Difference], component: Component | None) -> bool:
    """Whether an event of a day's length got a duration that says so."""
    added = group[0].after
    lone = len(group) == 1 and not group[0].whole and group[0].before is None
    if component is None or added is None or not lone:
        return False
    start = component.first("DTSTART")
    all_day = start is not None and start.param("VALUE") == "DATE"
    return all_day and (added.name, added.value) == ("DURATION", "P1D")


def _judged(place: str, group: Sequence[Difference], *, zones_agree: bool) -> Iterator[Deviation]:
    """Yield the deviations of all properties of one name in one component."""
    if _in_zone(group[0]):
        rule = "VTIMEZONE" if zones_agree else None
        yield from (_deviation(rule, place, each) for each in group)
        return
    if any(each.whole for each in group):
        yield from (_deviation(None, place, each) for each in group)
        return
    olds = [each.before for each in group if each.before]
    news = [each.after for each in group if each.after]
    if len(olds) != len(news) and (rule := _spelling(olds, news)):
        yield Deviation(rule, place, _spelled(olds), _spelled(news))
    elif group[0].name in LISTS:
        yield _list_deviation(place, olds, news)
    else:
        yield from (_deviation(_rule(each), place, each) for each in group)


def _list_deviation(place: str, olds: Sequence[Property], news: Sequence[Property]) -> Deviation:
    """Return which values of a list are lost or added, however they are spread over properties."""
    if rule := _spelling(olds, news):
        return Deviation(rule, place, _spelled(olds), _spelled(news))
    before, after = (
        {property_form(one): one for prop in props for one in alike(prop)} for props in (olds, news)
    )
    lost = [one for said, one in before.items() if said not in after]
    added = [one for said, one in after.items() if said not in before]
    return Deviation(None, place, _spelled(lost), _spelled(added))


def _rule(difference: Difference) -> str | None:
    """Return the name of the rule that tolerates a difference, or None."""
    name, before, after = difference.name, difference.before, difference.after
    if name in _ANY_CHANGE:
        return name
    if before is None and name in _ADDED:
        return f"added {name}"
    if before is None and name.startswith("X-"):
        return "added X-"
    if rule := _spelling([before] if before else [], [after] if after else []):
        return rule
    if before and after and name == "ATTACH" and _same_file(before, after):
        return "managed attachment"
    return _added_to_person(before, after) if before and after and name in _PEOPLE else None


def _same_file(before: Property, after: Property) -> bool:
    """Return whether a file that a server kept beside the item can be the one that came back."""
    kept = after.param("MANAGED-ID") or (after.param("ENCODING") or "").upper() == "BASE64"
    kinds = {(each.param("FMTTYPE") or "").lower() for each in (before, after)}
    return bool(before.param("MANAGED-ID") and kept) and len(kinds - {""}) <= 1


def _spelling(before: Sequence[Property], after: Sequence[Property]) -> str | None:
    """Return by which spelling some properties mean the same as others; None when they do not."""
    # What a server does to one item it does to many, but a whole file is not to be kept.
    short = sum(len(each.value) for each in (*before, *after)) <= _REMEMBERED
    found = _known_spelling if short else _known_spelling.__wrapped__
    return found(tuple(before), tuple(after))


@lru_cache(maxsize=1024)
def _known_spelling(before: tuple[Property, ...], after: tuple[Property, ...]) -> str | None:
    names = list(SPELLINGS)
    if not _same(before, after, names):
        return None
    for name in SPELLINGS:
        fewer = [each for each in names if each != name]
        if _same(before, after, fewer):
            names = fewer
    return " + ".join(names)


def _same(before: Sequence[Property], after: Sequence[Property], names: Sequence[str]) -> bool:
    """Return whether properties are the same in all that these spellings leave."""
    return _forms(before, names) == _forms(after, names)


def _forms(props: Sequence[Property], names: Sequence[str]) -> Counter[str]:
    return Counter(property_form(new) for prop in props for new in alike(prop, names))


def _added_to_person(before: Property, after: Property) -> str | None:
    """Return which parameters a server has given to somebody; None where it took any away."""
    said = {name for name, _ in before.params} - {"SCHEDULE-STATUS"}
    added = {name for name, _ in after.params if name in _ADDED_TO_PEOPLE} - said
    added |= {name for name, _ in before.params if name == "SCHEDULE-STATUS"}
    if not _same([_without(before, added)], [_without(after, added)], list(SPELLINGS)):
        return None
    return " + ".join(
        name if name == "SCHEDULE-STATUS" else f"added {name}"
        for name in _ADDED_TO_PEOPLE
        if name in added
    )


def _without(prop: Property, names: set[str]) -> Property:
    params = tuple(param for param in prop.params if param[0] not in names)
    return prop._replace(params=params)


def _deviation(rule: str | None, place: str, difference: Difference) -> Deviation:
    before, after = difference.before, difference.after
    return Deviation(
        rule, place, spell(before) if before else None, spell(after) if after else None
    )


def _spelled(props: Sequence[Property]) -> str | None:
    """Return properties as one line; those that differ in their values only are a list."""
    lists: dict[tuple[str, Params], list[str]] = {}
    for prop in props:
        lists.setdefault((prop.name, prop.params), []).append(prop.value)
    lines = (spell(Property(*known, ",".join(values))) for known, values in lists.items())
    return " and ".join(lines) or None


def _shortened(before: str | None, after: str | None) -> tuple[str | None, str | None]:
    """Return two lines without what is too long of them, but with what tells them apart."""
    if before is None or after is None or max(len(before), len(after)) <= _SHOWN:
        return _cut(before), _cut(after)
    pairs = enumerate(zip(before, after, strict=False))
    differ = next((at for at, (one, other) in pairs if one != other), min(len(before), len(after)))
    alike = differ - _BEFORE
    name = re.split("[:;]", before, maxsplit=1)[0]
    if alike <= len(name):
        return _cut(before), _cut(after)
    return _cut(f"{name}…{before[alike:]}"), _cut(f"{name}…{after[alike:]}")


def _cut(line: str | None) -> str | None:
    return line if line is None or len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
