"""The component tree of an item, with every property as it stands."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from caldav_run.errors import ItemError
from caldav_run.ical.lines import Line, logical_lines, parse_line

_DEEPEST: Final = 50  # RFC 5545 needs three; what compares trees recurses


class Property(NamedTuple):
    """One property.

    Attributes:
        name: Its name in upper case; empty for a line that is no content line.
        params: Its parameters in their order: upper-case name and raw value, quotes included.
        value: Its raw, unfolded value; bytes that are not UTF-8 stand in it as surrogates.
    """

    name: str
    params: tuple[tuple[str, str], ...]
    value: str

    def param(self, name: str) -> str | None:
        """Return the first parameter of this name without its quotes, or None."""
        for key, value in self.params:
            if key == name:
                return value.replace('"', "")
        return None


@dataclass(frozen=True, slots=True)
class Component:
    """One component with all that it holds, in the order of the bytes.

    Attributes:
        name: Its name in upper case; empty for a root that holds more, or other, than one
            VCALENDAR.
        properties: Its own properties.
        children: The components inside it.
    """

    name: str
    properties: tuple[Property, ...] = ()
    children: tuple["Component", ...] = ()

    def first(self, name: str) -> Property | None:
        """Return the first property of this upper-case name, or None."""
        return next((prop for prop in self.properties if prop.name == name), None)

    def all(self, name: str) -> tuple[Property, ...]:
        """Return every property of this upper-case name."""
        return tuple(prop for prop in self.properties if prop.name == name)

    def value(self, name: str) -> str:
        """Return the raw value of the first property of this name; empty when there is none."""
        prop = self.first(name)
        return "" if prop is None else prop.value

    def walk(self) -> Iterator["Component"]:
        """Yield this component and all inside it, outer before inner."""
        pending = [self]
        while pending:
            component = pending.pop()
            yield component
            pending.extend(reversed(component.children))

    def entries(self) -> tuple["Component", ...]:
        """Return the events, tasks and journals: what stands in a calendar but is no VTIMEZONE."""
        found: list[Component] = []
        pending = [self]
        while pending:
            component = pending.pop()
            if component.name in {"", "VCALENDAR"}:
                pending.extend(reversed(component.children))
            elif component.name != "VTIMEZONE":
                found.append(component)
        return tuple(found)


@dataclass(slots=True)
class _Open:
    """A component whose END has not come yet."""

    name: str
    properties: list[Property] = field(default_factory=list)
    children: list[Component] = field(default_factory=list)

    def close(self) -> Component:
        return Component(self.name, tuple(self.properties), tuple(self.children))


def parse(body: bytes) -> Component:
    """Parse one calendar object resource; keeps everything that it holds.

    Returns:
        The VCALENDAR; a nameless root for anything that is not exactly one VCALENDAR.

    Raises:
        ItemError: BEGIN and END do not nest, nest deeper than any calendar does, or there is no
            component at all; the message names the line.
    """
    lines = logical_lines(body)
    stack = [_Open("")]
    for index, raw in enumerate(lines):
        if not raw:
            continue
        line = parse_line(raw)
        if line.name == "BEGIN":
            _begin(stack, line, body, index)
        elif line.name == "END":
            _end(stack, line, body, index)
        else:
            stack[-1].properties.append(Property(*line))
    root = stack[0]
    if len(stack) > 1:
        raise ItemError(
            f"line {_physical(body, len(lines) - 1)}: the text ends inside {stack[-1].name}"
        )
    if not root.children:
        raise ItemError("line 1: there is no calendar component in it")
    if not root.properties and len(root.children) == 1 and root.children[0].name == "VCALENDAR":
        return root.children[0]
    return root.close()


def _begin(stack: list[_Open], line: Line, body: bytes, index: int) -> None:
    """Open a component inside the innermost one.

    Raises:
        ItemError: That is deeper than any calendar nests.
    """
    if len(stack) > _DEEPEST:
        raise ItemError(f"line {_physical(body, index)}: components nest too deep")
    stack.append(_Open(line.value.strip().upper()))


def _end(stack: list[_Open], line: Line, body: bytes, index: int) -> None:
    """Close the innermost component.

    Raises:
        ItemError: It is not the one that the line names.
    """
    name = line.value.strip().upper()
    if len(stack) == 1 or stack[-1].name != name:
        inside = f"inside {stack[-1].name}" if stack[-1].name else "outside of any component"
        raise ItemError(f"line {_physical(body, index)}: END:{name} {inside}")
    closed = stack.pop().close()
    stack[-1].children.append(closed)


def _physical(body: bytes, index: int) -> int:
    """Return the number, from 1, of the physical line where a logical line starts."""
    lines = body.rstrip(b"\r\n").split(b"\n")
    starts = [n for n, line in enumerate(lines, start=1) if not line.startswith((b" ", b"\t"))]
    return starts[min(index, len(starts) - 1)] if starts else 1
