"""What a pass over the bytes of an item shows, without a parse.

Every item of every run comes through here, so it only looks at the lines whose first three
bytes can matter.
"""

import re
from collections.abc import Iterator
from itertools import product
from typing import Final, NamedTuple

from caldav_run.ical.lines import logical_lines
from caldav_run.model import Stamp

_WANTED: Final = (
    "BEGIN",
    "END",
    "UID",
    "RRULE",
    "RDATE",
    "RECURRENCE-ID",
    "ORGANIZER",
    "ATTENDEE",
    "SEQUENCE",
    "LAST-MODIFIED",
    "DTSTAMP",
    "SUMMARY",
)
# In every mixture of cases, which is cheaper than turning each line's start into upper case.
_PREFIXES: Final = frozenset(
    "".join(mixture).encode()
    for name in _WANTED
    for mixture in product(*((letter, letter.lower()) for letter in name[:3]))
)
_NAMES: Final = {name.encode(): name for name in _WANTED}
_RECURRENCE: Final = frozenset({"RRULE", "RDATE", "RECURRENCE-ID"})
_PEOPLE: Final = frozenset({"ORGANIZER", "ATTENDEE"})
_OUTER: Final = frozenset({b"VCALENDAR"})
_FRAMES: Final = frozenset({b"VCALENDAR", b"VTIMEZONE"})
_QUOTED_HEAD: Final = re.compile(rb'(?:[^":]|"[^"]*")*:')
_LONGEST_INTEGER: Final = 20
_LARGEST_SEQUENCE: Final = 2**31 - 1  # RFC 5545 section 3.3.8


class Scan(NamedTuple):
    """An item in short.

    Attributes:
        uid: The UID of its first component that has one, as it stands; None when there is none.
        components: The names of its components other than VTIMEZONE, sorted.
        recurring: Whether it has RRULE, RDATE or RECURRENCE-ID.
        scheduled: Whether a component names an organizer or an attendee.
        stamp: What decides which version is newer: of the master, else of the earliest override.
        summary: The SUMMARY of that component as it stands, escapes included; None without one.
    """

    uid: str | None
    components: tuple[str, ...]
    recurring: bool
    scheduled: bool
    stamp: Stamp
    summary: str | None


def scan(body: bytes) -> Scan:
    """Scan one item; never fails, whatever the bytes are."""
    stack: list[bytes] = []
    components: list[dict[str, bytes]] = []
    names: set[str] = set()
    current: dict[str, bytes] | None = None
    # The depth of `current`: properties deeper inside are an alarm's, say, and not the item's.
    top = -1
    for name, value in _wanted_lines(body):
        if name == "BEGIN":
            stack.append(value.strip().upper())
            if current is None and _is_entry(stack):
                current, top = {}, len(stack)
                components.append(current)
                names.add(_text(stack[-1]))
        elif name == "END":
            del stack[-1:]
            if len(stack) < top:
                current, top = None, -1
        elif len(stack) == top and current is not None:
            current.setdefault(name, value)
    return _summarise(components, names)


def _is_entry(stack: list[bytes]) -> bool:
    """Whether the innermost component is a calendar's own, or lacks the calendar around it."""
    *outer, innermost = stack
    return innermost not in _FRAMES and _OUTER.issuperset(outer)


def _wanted_lines(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the names and values of the lines that matter, in their order."""
    for line in logical_lines(body):
        if line[:3] in _PREFIXES:
            head, _, value = line.partition(b":")
            name = _NAMES.get(head)
            if name is None:
                name, value = _name_and_value(head, value, line)
            if name is not None:
                yield name, value


def _name_and_value(head: bytes, value: bytes, line: bytes) -> tuple[str | None, bytes]:
    """Return the name and value of a line that was cut at its first colon.

    The name is None when it is not wanted.
    """
    name = _NAMES.get(head.partition(b";")[0].upper())
    if name and head.count(b'"') % 2:
        # A quoted parameter may hold a colon; the first colon counts where a quote never ends.
        quoted = _QUOTED_HEAD.match(line)
        value = line[quoted.end() :] if quoted else value
    return name, value


def _summarise(components: list[dict[str, bytes]], names: set[str]) -> Scan:
    """Put together what the lines of the components said."""
    seen: set[str] = set()
    for component in components:
        seen.update(component)
    uid = next((found for one in components if (found := one.get("UID", b"").strip())), None)
    # The master has no RECURRENCE-ID and so sorts first.
    main = min(components, key=lambda one: one.get("RECURRENCE-ID", b""), default={})
    return Scan(
        None if uid is None else _text(uid),
        tuple(sorted(names)),
        not seen.isdisjoint(_RECURRENCE),
        not seen.isdisjoint(_PEOPLE),
        Stamp(
            _integer(main.get("SEQUENCE", b"")),
            _text(main.get("LAST-MODIFIED", b"").strip()),
            _text(main.get("DTSTAMP", b"").strip()),
        ),
        _text(main["SUMMARY"]) if "SUMMARY" in main else None,
    )


def _text(value: bytes) -> str:
    """Decode for names that travel on into JSON: no surrogates, and distinct bytes stay so."""
    return value.decode("utf-8", "backslashreplace")


def _integer(value: bytes) -> int:
    """Read a SEQUENCE; what is none counts as 0."""
    value = value.strip()
    return (
        min(int(value), _LARGEST_SEQUENCE)
        if value.isdigit() and len(value) < _LONGEST_INTEGER
        else 0
    )
