"""What an item is beside its title and time, in a few words."""

from collections.abc import Iterator

from caldav_run.errors import ItemError
from caldav_run.ical import wording
from caldav_run.ical.rule_text import parse_rule
from caldav_run.ical.tree import Component, parse


def sketch(body: bytes) -> list[str]:
    """Return a phrase for each thing that a person would want to know; never fails.

    `weekly on Mon`, `at Room 1`, `3 people`, `1 alarm`, `2 occurrences of their own`.
    """
    try:
        tree = parse(body)
    except ItemError:
        return ["not valid iCalendar"]
    main = wording.main_component(tree)
    return [] if main is None else list(_phrases(tree, main))


def _phrases(tree: Component, main: Component) -> Iterator[str]:
    yield from _repetition(main)
    if place := wording.shorten(main.value("LOCATION")):
        yield f"at {place}"
    yield from _counted(len(list(main.all("ATTENDEE"))), "person", "people")
    alarms = sum(each.name == "VALARM" for each in main.children)
    yield from _counted(alarms, "alarm", "alarms")
    own = sum(bool(each.value("RECURRENCE-ID")) for each in tree.entries())
    yield from _counted(own, "occurrence of its own", "occurrences of their own")


def _repetition(main: Component) -> Iterator[str]:
    start, rule = wording.moment_or_none(main.first("DTSTART")), main.value("RRULE")
    if not rule:
        return
    try:
        yield wording.repetition(parse_rule(rule, start.local)) if start else "recurring"
    except ValueError:
        yield "recurring"


def _counted(count: int, one: str, many: str) -> Iterator[str]:
    if count:
        yield f"{count:,} {one if count == 1 else many}"
