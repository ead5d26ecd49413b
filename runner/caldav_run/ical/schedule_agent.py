"""Who would be told of an item, and the item as a server tells nobody of it.

Works on the bytes: a line that is not about people stays as it is, with its line end and its
folds. The ATTENDEEs of an alarm say whom it rings for, and are left alone.
"""

from collections.abc import Iterator
from typing import Final

from caldav_run.ical.editing import edited, spelled
from caldav_run.ical.facts import address
from caldav_run.ical.lines import Line
from caldav_run.ical.tree import Component, Property

_AGENT: Final = "SCHEDULE-AGENT"
_CLIENT: Final = "CLIENT"
_PEOPLE: Final = frozenset({"ORGANIZER", "ATTENDEE"})
# How it went with one of them (RFC 5545 section 3.8.8.3) says nothing without them.
_WITH_PEOPLE: Final = _PEOPLE | {"REQUEST-STATUS"}


def people(tree: Component) -> tuple[str, ...]:
    """Return the addresses of all organizers and attendees, sorted, each once.

    They are in lower case and without `mailto:`.
    """
    return tuple(sorted({address(each.value) for each in _named(tree)}))


def hushed(tree: Component) -> bool:
    """Return whether an item names people and leaves it to the client to tell each of them.

    Source: RFC 6638 section 7.1.
    """
    found = [each.param(_AGENT) or "" for each in _named(tree)]
    return bool(found) and all(agent.upper() == _CLIENT for agent in found)


def hush(body: bytes) -> bytes:
    """Return an item with SCHEDULE-AGENT=CLIENT on each ORGANIZER and ATTENDEE.

    Source: RFC 6638 section 7.1.
    """
    return edited(body, _PEOPLE, _left_to_client)


def strip(body: bytes) -> bytes:
    """Return an item without ORGANIZER, ATTENDEE and REQUEST-STATUS."""
    return edited(body, _WITH_PEOPLE, _left_out)


def _named(tree: Component) -> Iterator[Property]:
    for entry in tree.entries():
        yield from (each for each in entry.properties if each.name in _PEOPLE)


def _left_to_client(raw: bytes, line: Line) -> bytes:
    if [value.upper() for name, value in line.params if name == _AGENT] == [_CLIENT]:
        return raw
    kept = tuple(each for each in line.params if each[0] != _AGENT)
    return spelled(raw, line._replace(params=((_AGENT, _CLIENT), *kept)))


def _left_out(_raw: bytes, _line: Line) -> bytes:
    return b""
