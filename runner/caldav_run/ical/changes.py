"""Human words for what changed in one component."""

from collections.abc import Iterator
from datetime import UTC
from typing import Final

from caldav_run.ical import wording
from caldav_run.ical.canonical import form, property_form
from caldav_run.ical.rule_text import parse_rule
from caldav_run.ical.tree import Component, Property
from caldav_run.ical.values import (
    Duration,
    Moment,
    parse_duration,
    parse_moment,
    plain,
    split_list,
    unescape,
)
from caldav_run.ical.zones import Zones

TIMES: Final = frozenset({"DTSTART", "DTEND", "DUE", "DURATION"})
"""The properties that say when a component takes place."""

# Every save changes these; they say nothing of what was changed.
_STAMPS: Final = frozenset({"DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "CREATED"})
_PEOPLE: Final = {"ATTENDEE": "attendee", "ORGANIZER": "organizer"}
_SHOWN: Final = {"LOCATION": "location", "STATUS": "status", "CLASS": "class", "URL": "URL"}
_LONG: Final = {"DESCRIPTION": "description", "COMMENT": "comment"}
_ANSWERS: Final = {
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "TENTATIVE": "accepted tentatively",
    "DELEGATED": "delegated",
    "NEEDS-ACTION": "has not answered",
}
_OWN_WORDS: Final = {*TIMES, *_STAMPS, *_PEOPLE, *_SHOWN, *_LONG} | {
    "SUMMARY",
    "RRULE",
    "RDATE",
    "EXDATE",
    "CATEGORIES",
    "UID",
    "RECURRENCE-ID",
}


def component_changes(before: Component, after: Component) -> Iterator[str]:
    """Yield a phrase for each change that a person would see."""
    yield from time_changes(before, after)
    yield from _title_changes(before, after)
    yield from _repetition_changes(before, after)
    for name, words in _SHOWN.items():
        yield from _value_changes(words, _text(before, name), _text(after, name))
    for name, words in _LONG.items():
        old, new = _text(before, name), _text(after, name)
        if old != new:
            yield f"{words} {_verb(old, new)}"
    yield from _people_changes(before, after)
    yield from _category_changes(before, after)
    yield from _alarm_changes(before, after)
    yield from _other_changes(before, after)


def time_changes(before: Component, after: Component) -> Iterator[str]:
    """Yield what changed about when it takes place."""
    start = _moments(before, after, "DTSTART")
    if start[0] and start[1] and start[0] != start[1]:
        yield f"moved from {wording.move(start[0], start[1])}"
    elif start[0] is None and start[1]:
        yield f"now starts {wording.when(start[1])}"
    elif start[0] and start[1] is None:
        yield "no longer has a start"
    old, new = _length(before, start[0]), _length(after, start[1])
    if old and new and old.total_s != new.total_s:
        yield f"now lasts {wording.span(*new)} instead of {wording.span(*old)}"
    due = _moments(before, after, "DUE")
    if due[0] and due[1] and due[0] != due[1]:
        yield f"due date moved from {wording.move(due[0], due[1])}"
    elif due[0] != due[1]:
        yield f"now due {wording.when(due[1])}" if due[1] else "no longer due"


def _moments(before: Component, after: Component, name: str) -> tuple[Moment | None, Moment | None]:
    return (
        wording.moment_or_none(before.first(name)),
        wording.moment_or_none(after.first(name)),
    )


def _length(component: Component, start: Moment | None) -> Duration | None:
    """Return how long an event lasts; None for what is no event, or cannot be told."""
    if start is None or component.name != "VEVENT":
        return None
    end = wording.moment_or_none(component.first("DTEND"))
    try:
        if end is None:
            # Without an end it is a day or a moment (RFC 5545 section 3.6.1).
            written = component.first("DURATION")
            return parse_duration(written.value) if written else Duration(int(start.all_day), 0)
        if end.zone == start.zone:
            between = end.local - start.local
            return Duration(between.days, between.seconds)
        zones = Zones(component, UTC)
        return Duration(0, zones.seconds(end) - zones.seconds(start))
    except ValueError:
        return None


def _title_changes(before: Component, after: Component) -> Iterator[str]:
    old, new = _text(before, "SUMMARY"), _text(after, "SUMMARY")
    if old and new and old != new:
        yield f'renamed "{wording.shorten(old)}" to "{wording.shorten(new)}"'
    else:
        yield from _value_changes("title", old, new)


def _repetition_changes(before: Component, after: Component) -> Iterator[str]:
    old, new = _repetition(before), _repetition(after)
    if old != new:
        if old and new:
            yield f"now repeats {new} instead of {old}"
        else:
            yield f"now repeats {new}" if new else "no longer repeats"
    for name, added, gone in (
        ("EXDATE", "cancelled", "is back"),
        ("RDATE", "added", "taken away"),
    ):
        one, other = dict.fromkeys(_dates(before, name)), dict.fromkeys(_dates(after, name))
        yield from (f"one occurrence ({day}) {added}" for day in other if day not in one)
        yield from (f"one occurrence ({day}) {gone}" for day in one if day not in other)


def _repetition(component: Component) -> str:
    """Return how a component repeats, in words; empty when it does not."""
    words = []
    start = wording.moment_or_none(component.first("DTSTART"))
    for prop in component.all("RRULE"):
        try:
            local = start.local if start else parse_moment("19700101").local
            words.append(wording.repetition(parse_rule(prop.value, local)))
        except ValueError:
            words.append(f"by {wording.shorten(prop.value)}")
    return " and ".join(words)


def _dates(component: Component, name: str) -> list[str]:
    """Return the days that EXDATE or RDATE names, in words."""
    found = []
    for prop in component.all(name):
        for text in filter(None, prop.value.split(",")):
            try:
                found.append(wording.day(parse_moment(text.partition("/")[0]).local))
            except ValueError:
                found.append(wording.shorten(text))
    return found


def _people_changes(before: Component, after: Component) -> Iterator[str]:
    for name, words in _PEOPLE.items():
        old = {prop.value.lower(): prop for prop in before.all(name)}
        new = {prop.value.lower(): prop for prop in after.all(name)}
        yield from (f"{words} added: {_person(new[who])}" for who in new if who not in old)
        yield from (f"{words} removed: {_person(old[who])}" for who in old if who not in new)
        for who in sorted(old.keys() & new.keys()):
            one, other = old[who].param("PARTSTAT"), new[who].param("PARTSTAT")
            if one != other:
                answer = (other or "NEEDS-ACTION").upper()
                yield f"{_person(new[who])} {_ANSWERS.get(answer, f'is now {plain(answer)}')}"
            elif property_form(old[who]) != property_form(new[who]):
                yield f"details of {words} {_person(new[who])} changed"


def _person(prop: Property) -> str:
    """Return `Bob <bob@example.org>`, or the address alone."""
    address = prop.value.strip()
    if address[:7].lower() == "mailto:":
        address = address[7:]
    name = prop.param("CN")
    return plain(f"{name} <{address}>" if name and name != address else address)


def _category_changes(before: Component, after: Component) -> Iterator[str]:
    old, new = _categories(before), _categories(after)
    for words, one, other in (("added", new, old), ("removed", old, new)):
        yield from (f'category "{wording.shorten(name)}" {words}' for name in sorted(one - other))


def _categories(component: Component) -> set[str]:
    return {name for prop in component.all("CATEGORIES") for name in split_list(prop.value)}


def _alarm_changes(before: Component, after: Component) -> Iterator[str]:
    old = {form(child): child for child in before.children if child.name == "VALARM"}
    new = {form(child): child for child in after.children if child.name == "VALARM"}
    gone = [old[text] for text in old if text not in new]
    come = [new[text] for text in new if text not in old]
    for one, other in zip(gone, come, strict=False):
        yield f"alarm changed from {_alarm(one)} to {_alarm(other)}"
    yield from (f"alarm added ({_alarm(one)})" for one in come[len(gone) :])
    yield from (f"alarm removed ({_alarm(one)})" for one in gone[len(come) :])


def _alarm(alarm: Component) -> str:
    """Return when an alarm goes off, in words."""
    trigger = alarm.value("TRIGGER")
    try:
        lasts = parse_duration(trigger)
    except ValueError:
        at = wording.moment_or_none(alarm.first("TRIGGER"))
        return wording.when(at) if at else "at an unknown time"
    if not lasts.total_s:
        return "at the time itself"
    side = "before" if lasts.total_s < 0 else "after"
    return f"{wording.span(abs(lasts.days), abs(lasts.seconds))} {side}"


def _other_changes(before: Component, after: Component) -> Iterator[str]:
    """Yield what changed in all properties that have no words of their own."""
    one, other = _others(before), _others(after)
    for name in dict.fromkeys([*one, *other]):
        old, new = one.get(name, []), other.get(name, [])
        if sorted(old) != sorted(new):
            yield f"{plain(name)} {_verb(' '.join(old), ' '.join(new))}"


def _others(component: Component) -> dict[str, list[str]]:
    """Return the canonical forms of the properties that have no words of their own, by name."""
    found: dict[str, list[str]] = {}
    for prop in component.properties:
        if prop.name and prop.name not in _OWN_WORDS:
            found.setdefault(prop.name, []).append(property_form(prop))
    return found


def _value_changes(words: str, old: str, new: str) -> Iterator[str]:
    if old and new and old != new:
        yield f'{words} changed from "{wording.shorten(old)}" to "{wording.shorten(new)}"'
    elif old != new:
        text = wording.shorten(new or old)
        yield f'{words} set to "{text}"' if new else f'{words} "{text}" removed'


def _verb(old: str, new: str) -> str:
    if old and new:
        return "changed"
    return "added" if new else "removed"


def _text(component: Component, name: str) -> str:
    return unescape(component.value(name)).strip()
