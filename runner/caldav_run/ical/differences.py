"""What two component trees have apart, property by property."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from caldav_run.ical.alike import alike_tree
from caldav_run.ical.canonical import form, property_form
from caldav_run.ical.tree import Component, Property
from caldav_run.ical.values import plain, unescape

Path = tuple[str, ...]
"""The components that lead to a place, outermost first, each with what tells it from others."""


class Difference(NamedTuple):
    """One property that is not in both trees, or has another value or other parameters.

    Attributes:
        path: The component that it is in.
        before: As it was; None when it is new. Both are None for a component without properties.
        after: As it is; None when it is gone.
        whole: Whether the component as a whole is only in one of the trees.
    """

    path: Path
    before: Property | None
    after: Property | None
    whole: bool = False

    @property
    def name(self) -> str:
        """The property's name; empty when the difference is a component without properties."""
        prop = self.before or self.after
        return prop.name if prop else ""


def differences(before: Component, after: Component) -> list[Difference]:
    """Return what differs at level L2, in the order of the components and names.

    Properties of one name are paired by their value, else in their order; components by TZID, by
    UID and RECURRENCE-ID, else by their order when all are spelled alike.
    """
    one, other = places(before), places(after)
    found: list[Difference] = []
    for path in dict.fromkeys([*one, *other]):
        found += _properties(path, one.get(path), other.get(path))
    return found


def places(tree: Component) -> dict[Path, Component]:
    """Return a tree's components by where they are."""
    return dict(_places(tree, ()))


def properties_diff(before: Component, after: Component) -> list[str]:
    """Return the differences as lines: `@` with a component, `-` as it was, `+` as it is."""
    lines: list[str] = []
    path: Path | None = None
    for difference in differences(before, after):
        if difference.path != path:
            path = difference.path
            lines.append(f"@ {' > '.join(path)}")
        for sign, prop in (("-", difference.before), ("+", difference.after)):
            if prop is not None:
                lines.append(f"{sign} {spell(prop)}")
    return lines


def spell(prop: Property) -> str:
    """Return a property as one printable line."""
    params = "".join(f";{name}={value}" for name, value in prop.params)
    return plain(f"{prop.name}{params}:{prop.value}" if prop.name else prop.value)


def _places(component: Component, outer: Path) -> Iterator[tuple[Path, Component]]:
    """Yield every component with its path."""
    path = (*outer, component.name or "stream")
    yield path, component
    by_key: defaultdict[str, list[Component]] = defaultdict(list)
    for child in component.children:
        by_key[_key(child)].append(child)
    for key in sorted(by_key):
        alike = by_key[key]
        if len(alike) > 1:
            # An alarm that a server spells in another way keeps its place among the alarms.
            alike.sort(key=lambda child: form(alike_tree(child)))
        for number, child in enumerate(alike, start=1):
            name = key if number == 1 else f"{key} #{number}"
            for inner, found in _places(child, ()):
                yield (*path, name, *inner[1:]), found


def _key(component: Component) -> str:
    """Return what a component is known by among its siblings."""
    names = ("TZID",) if component.name == "VTIMEZONE" else ("UID", "RECURRENCE-ID")
    values = (unescape(component.value(name)) for name in names)
    return plain(" ".join([component.name, *filter(None, values)]))


def _properties(
    path: Path, before: Component | None, after: Component | None
) -> Iterator[Difference]:
    """Yield what differs between two components' own properties."""
    whole = before is None or after is None
    old, new = _by_form(before), _by_form(after)
    gone, come = _names(old, new), _names(new, old)
    for name in sorted({*gone, *come}):
        for one, other in _paired(gone.get(name, []), come.get(name, [])):
            yield Difference(path, one, other, whole)
    if whole and not gone and not come:
        yield Difference(path, None, None, whole=True)


def _paired(
    gone: Sequence[Property], come: Sequence[Property]
) -> Iterator[tuple[Property | None, Property | None]]:
    """Yield who stands for whom; None for a property that has no other."""
    by_value: defaultdict[str, list[Property]] = defaultdict(list)
    for prop in reversed(come):
        by_value[prop.value].append(prop)
    rest: list[Property] = []
    for prop in gone:
        if same := by_value[prop.value]:
            yield prop, same.pop()
        else:
            rest.append(prop)
    left = [prop for found in by_value.values() for prop in found]
    yield from zip_longest(rest, sorted(left, key=come.index))


def _by_form(component: Component | None) -> list[tuple[str, Property]]:
    return [(property_form(prop), prop) for prop in (component.properties if component else ())]


def _names(
    props: list[tuple[str, Property]], others: list[tuple[str, Property]]
) -> dict[str, list[Property]]:
    """Return the properties that `others` lacks, by name."""
    left = Counter(text for text, _ in others)
    found: dict[str, list[Property]] = {}
    for text, prop in props:
        if left[text]:
            left[text] -= 1
        else:
            found.setdefault(prop.name, []).append(prop)
    return found
