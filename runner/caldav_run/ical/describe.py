"""Human words for an item and for what changed in it."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from caldav_run.errors import ItemError
from caldav_run.ical import wording
from caldav_run.ical.canonical import digest_tree, form
from caldav_run.ical.changes import TIMES, component_changes
from caldav_run.ical.differences import differences
from caldav_run.ical.differences import properties_diff as tree_diff
from caldav_run.ical.scan import scan
from caldav_run.ical.tree import Component, Property, parse
from caldav_run.ical.values import moment, parse_moment

_MASTER_ONLY: Final = frozenset({"RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"})


class Outline(NamedTuple):
    """An item in short.

    Attributes:
        label: What to call it.
        summary: Its title in one line; empty when it has none.
        start: Its DTSTART as it is written; empty when it has none.
    """

    label: str
    summary: str
    start: str


def outline(body: bytes) -> Outline:
    """Return an item in short; never fails."""
    try:
        tree = parse(body)
    except ItemError:
        return Outline(label(body), wording.shorten(scan(body).summary or ""), "")
    main = wording.main_component(tree)
    summary, start = (main.value(name) if main else "" for name in ("SUMMARY", "DTSTART"))
    return Outline(wording.label(tree), wording.shorten(summary), wording.shorten(start))


def label(body: bytes) -> str:
    """Return what to call an item: `Dentist (Mon 4 May 2026, 10:00)`; never fails.

    A broken item gets its title or UID; the answer is empty when it has neither.
    """
    try:
        return wording.label(parse(body))
    except ItemError:
        seen = scan(body)
        return wording.shorten(seen.summary or seen.uid or "")


def describe(before: bytes, after: bytes) -> list[str]:
    """Return what changed in an item, a phrase for each change; empty when nothing did.

    Two versions that are equal at level L2 have no change. Times are shown in the event's own
    zone. Never fails.
    """
    try:
        old, new = parse(before), parse(after)
    except ItemError:
        return [] if before == after else ["its text changed, and it is not valid iCalendar"]
    if digest_tree(old) == digest_tree(new):
        return []
    return list(dict.fromkeys(_changes(old, new))) or _technical(old, new)


def properties_diff(before: bytes, after: bytes) -> list[str]:
    """Return what changed, property by property.

    Returns:
        Lines that start with `@` (the component that the next lines are in), `-` (as it was) or
        `+` (as it is). A version that is not valid iCalendar is one line that says so.
    """
    try:
        old, new = parse(before), parse(after)
    except ItemError as error:
        return [] if before == after else [f"@ not valid iCalendar: {error}"]
    return tree_diff(old, new)


def _changes(before: Component, after: Component) -> Iterator[str]:
    """Yield the phrases, master first."""
    old, new = _by_occurrence(before), _by_occurrence(after)
    masters = {key[:2]: one for key, one in [*old.items(), *new.items()] if not key[2]}
    for key in dict.fromkeys([*old, *new]):
        one, other = old.get(key), new.get(key)
        if not key[2]:
            yield from _master(one, other)
        elif one is None or other is None or form(one) != form(other):
            yield from _occurrence(key[2], one, other, masters.get(key[:2]))


def _by_occurrence(tree: Component) -> dict[tuple[str, str, str], Component]:
    """Return an item's components by name, UID and RECURRENCE-ID."""
    return {(one.name, one.value("UID"), one.value("RECURRENCE-ID")): one for one in tree.entries()}


def _master(before: Component | None, after: Component | None) -> Iterator[str]:
    if before and after:
        yield from component_changes(before, after)
        return
    for one, verb in ((before, "removed"), (after, "added")):
        if one:
            yield f'"{wording.shorten(one.value("SUMMARY"))}" {verb}'


def _occurrence(
    recurrence_id: str, before: Component | None, after: Component | None, master: Component | None
) -> Iterator[str]:
    """Yield what happened to one occurrence, which until then was as its series."""
    which = f"one occurrence ({_day(recurrence_id)})"
    if after is None:
        yield f"{which} is like the others again"
        return
    was = before or (_instance(master, after) if master else None)
    if was is None:
        yield f"{which} added"
        return
    phrases = list(component_changes(was, after))
    yield from (f"{which} {phrase}" for phrase in phrases)
    if before is None and not phrases:
        yield f"{which} is kept apart from the others"


def _instance(master: Component, override: Component) -> Component:
    """Return the occurrence that an override stands for, as its master makes it."""
    kept = [
        prop
        for prop in master.properties
        if prop.name not in _MASTER_ONLY and prop.name not in TIMES
    ]
    for original in override.all("RECURRENCE-ID"):
        params = tuple(param for param in original.params if param[0] != "RANGE")
        start = Property("DTSTART", params, original.value)
        kept += [original, start, *_same_length(master, override, start)]
    return Component(master.name, tuple(kept), master.children)


def _same_length(master: Component, override: Component, start: Property) -> list[Property]:
    """Return an end for an occurrence that is as far from its start as the master's."""
    name = "DUE" if master.name == "VTODO" else "DTEND"
    end, first = master.first(name), master.first("DTSTART")
    if end is None or first is None:
        return list(master.all("DURATION"))
    try:
        local = moment(start).local + (moment(end).local - moment(first).local)
    except (ValueError, OverflowError):
        return list(override.all(name))
    text = f"{local:%Y%m%dT%H%M%S}" if "T" in end.value else f"{local:%Y%m%d}"
    return [end._replace(value=text + ("Z" if end.value.endswith("Z") else ""))]


def _day(recurrence_id: str) -> str:
    try:
        return wording.day(parse_moment(recurrence_id).local)
    except ValueError:
        return wording.shorten(recurrence_id)


def _technical(before: Component, after: Component) -> list[str]:
    """Return what to say when nothing changed that a person would see."""
    names = {
        "the time zone definition"
        if any(part.startswith("VTIMEZONE") for part in difference.path)
        else wording.shorten(difference.name)
        for difference in differences(before, after)
    }
    return [f"only technical details changed: {', '.join(sorted(filter(None, names)))}"]
