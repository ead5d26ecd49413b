r"""When two bodies say the same: the levels of fidelity and their canonical forms.

- L0: identical bytes.
- L1: equal after line ends and folding are normalised, byte order mark and trailing blank removed.
- L2: equal component trees: for each component a multiset of properties (name in upper case,
  parameters sorted with names case-folded and quotes removed, raw unfolded value with `\N` = `\n`);
  the order of siblings is ignored, nesting is kept, and a VTIMEZONE counts once for its TZID.

Level L3, which tolerates a named list of deviations, is in `caldav_run.ical.deviations`.
"""

import re
from enum import IntEnum
from hashlib import sha256
from typing import Final

from caldav_run.errors import ItemError
from caldav_run.ical.lines import unfold
from caldav_run.ical.tree import Component, Property, parse

_ESCAPE: Final = re.compile(r"\\(.)")


class Level(IntEnum):
    """How closely two bodies agree; a lower one is stricter."""

    L0 = 0
    L1 = 1
    L2 = 2


def equal(a: bytes, b: bytes, level: Level) -> bool:
    """Return whether two bodies are equal at this level."""
    if a == b:
        return True
    if level is Level.L0:
        return False
    if normalise(a) == normalise(b):
        return True
    return level is Level.L2 and digest(a) == digest(b)


def normalise(body: bytes) -> bytes:
    """Return the body as level L1 compares it."""
    return unfold(body).rstrip()


def digest(body: bytes) -> bytes:
    """Return the SHA-256 of the canonical form at level L2.

    What is no component tree is compared by its lines (level L1) instead, so that a broken item
    has a digest too, which no sound item shares.
    """
    try:
        tree = parse(body)
    except ItemError:
        return sha256(b"no component tree\n" + normalise(body)).digest()
    return digest_tree(tree)


def digest_tree(tree: Component) -> bytes:
    """Return the SHA-256 of a parsed body's canonical form at level L2."""
    return sha256(form(tree).encode("utf-8", "surrogateescape")).digest()


def form(component: Component) -> str:
    """Return a component's canonical form: equal text for equal trees, and for them only.

    No part holds a line feed, which therefore ends each; counts and BEGIN/END say what follows.
    """
    properties = sorted(map(property_form, component.properties))
    zones = {form(child) for child in component.children if child.name == "VTIMEZONE"}
    others = [form(child) for child in component.children if child.name != "VTIMEZONE"]
    parts = [f"BEGIN\n{component.name}\n", *properties, *sorted([*zones, *others]), "END\n"]
    return "".join(parts)


def property_form(prop: Property) -> str:
    """Return a property's canonical form."""
    if not prop.params:
        return f"0\n{prop.name}\n{_value(prop.value)}\n"
    params = sorted(f"{name.upper()}={value.replace(chr(34), '')}" for name, value in prop.params)
    return "\n".join([str(len(params)), prop.name.upper(), *params, _value(prop.value), ""])


def _value(value: str) -> str:
    r"""Spell the escaped line feed one way; in `\\N` the backslash is what is escaped."""
    if "\\N" not in value:
        return value
    return _ESCAPE.sub(lambda match: "\\n" if match[1] == "N" else match[0], value)
