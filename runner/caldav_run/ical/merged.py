"""One merged `.ics` and many items: taking it apart and putting it together.

The lines of a component are never changed, not even their folding or line ends.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from operator import attrgetter
from typing import Final
from urllib.parse import quote

from caldav_run.errors import ItemError
from caldav_run.ical.canonical import form
from caldav_run.ical.lines import unfold
from caldav_run.ical.scan import scan
from caldav_run.ical.tree import parse

_FRAME: Final = re.compile(
    rb"^(?:\xef\xbb\xbf)?((?:(BEGIN)|END):([^\r\n]*)[^\n]*\n?)", re.IGNORECASE | re.MULTILINE
)
_TZID: Final = re.compile(rb';TZID=(?:"([^"\n]*)"|([^;:,"\n]*))', re.IGNORECASE)
_ZONE_NAME: Final = re.compile(rb"^TZID(?:;[^:\n]*)?:([^\n]*)", re.IGNORECASE | re.MULTILINE)
_LONGEST_HREF: Final = 120
_HEAD: Final = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//caldav-run//caldav-run//EN\r\n"
_FOOT: Final = b"END:VCALENDAR\r\n"


@dataclass(slots=True)
class _Part:
    """Where a component of a calendar lies in the bytes.

    `zone` is the TZID of a VTIMEZONE, and None for anything else.
    """

    start: int
    end: int
    zone: bytes | None


@dataclass(slots=True)
class _Stream:
    """One VCALENDAR, or components that stand outside of any."""

    start: int
    end: int
    parts: list[_Part] = field(default_factory=list)
    closed: bool = False

    def frame(self, data: bytes) -> tuple[bytes, bytes]:
        """Return what stands around the components: the properties, and the end."""
        at, gaps = self.start, []
        for part in self.parts:
            gaps.append(data[at : part.start])
            at = part.end
        foot = data[at : self.end]
        head = b"".join(gaps)
        if head and not self.closed:
            foot += _FOOT
        return head, foot


def split(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield every item of a merged stream; never fails.

    An item is all components with one UID, with the VTIMEZONEs that they name and with their
    calendar's own properties. A component without a UID is an item of its own, and one that is
    not closed takes in the rest of the bytes.

    Yields:
        The item's href, which its UID or else its bytes decide, and its body.
    """
    taken: dict[str, int] = {}
    for stream in _streams(data):
        head, foot = stream.frame(data)
        zones = {part.zone: part for part in stream.parts if part.zone is not None}
        for uid, parts in _groups(data, stream).items():
            texts = [_closed_line(data[part.start : part.end]) for part in parts]
            used = {name for text in texts for name in _zone_names(text)}
            named = [zones[name] for name in used & zones.keys()]
            needed = [
                _closed_line(data[part.start : part.end])
                for part in sorted(named, key=attrgetter("start"))
            ]
            yield _free_href(uid, taken), b"".join([head, *needed, *texts, foot])


def merge(bodies: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces of one stream with all items.

    One VCALENDAR holds them, with each VTIMEZONE once. The items' own calendar properties are
    left out. An item whose VTIMEZONE differs from an earlier one of the same TZID follows as a
    VCALENDAR of its own (RFC 5545 section 3.4 allows several), and so does, last and as it is,
    one that is broken.
    """
    zones: dict[bytes, str] = {}
    apart: list[bytes] = []
    broken: list[bytes] = []
    yield _HEAD
    for body in bodies:
        try:
            wanted, lines = _taken_apart(body)
        except ItemError:
            broken.append(body)
            continue
        if lines is None or any(
            zones.get(name, text) != text for name, (text, _) in wanted.items()
        ):
            apart.append(body)
            continue
        new = {name: zone for name, zone in wanted.items() if name not in zones}
        zones.update((name, text) for name, (text, _) in new.items())
        yield b"".join([*(zone for _, zone in new.values()), *lines])
    yield _FOOT
    yield from map(_closed_line, [*apart, *broken])


def _streams(data: bytes) -> Iterator[_Stream]:
    """Yield the VCALENDARs with the places of what stands in them."""
    stream: _Stream | None = None
    for name, start, end in _places(data):
        if name is None:
            stream = stream or _Stream(start, len(data), closed=True)
            stream.parts.append(_part(data, start, end))
            continue
        if stream:
            stream.closed = name == b"END"
            stream.end = end if stream.closed else start
            yield stream
        stream = _Stream(start, len(data)) if name == b"BEGIN" else None
    if stream:
        yield stream


def _places(data: bytes) -> Iterator[tuple[bytes | None, int, int]]:
    """Yield where VCALENDARs BEGIN and END and, without such a name, the components in them."""
    start = depth = 0
    for frame in _FRAME.finditer(data):
        begins = frame[2] is not None
        if depth == 0 and frame[3].strip().upper() == b"VCALENDAR":
            yield b"BEGIN" if begins else b"END", frame.start(1), frame.end()
        elif begins:
            start = start if depth else frame.start(1)
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                yield None, start, frame.end()
    if depth:
        yield None, start, len(data)


def _part(data: bytes, start: int, end: int) -> _Part:
    """Return a component's place, with its TZID if it is a VTIMEZONE."""
    zone = None
    if data[start : start + 15].upper() == b"BEGIN:VTIMEZONE":
        name = _ZONE_NAME.search(unfold(data[start:end]))
        zone = name[1].strip() if name else b""
    return _Part(start, end, zone)


def _groups(data: bytes, stream: _Stream) -> dict[str, list[_Part]]:
    """Return the components other than VTIMEZONE by the stem of the href that they get."""
    groups: dict[str, list[_Part]] = {}
    for part in stream.parts:
        if part.zone is None:
            component = data[part.start : part.end]
            uid = scan(component).uid
            # The line feed cannot be in a UID, so that no UID is taken for a hash.
            key = f"\n{sha256(component).hexdigest()[:32]}" if uid is None else uid
            groups.setdefault(key, []).append(part)
    return groups


def _free_href(uid: str, taken: dict[str, int]) -> str:
    """Return an href for a UID that is not taken yet, and take it.

    `taken` holds the hrefs, each with the last number that was given to its stem.
    """
    stem = f"no-uid-{uid[1:]}" if uid.startswith("\n") else quote(uid, safe="@+=,")
    if len(stem) > _LONGEST_HREF:
        stem = f"{stem[:40]}-{sha256(uid.encode()).hexdigest()[:32]}"
    first = href = f"{stem}.ics"
    number = taken.get(first, 1)
    while href in taken:
        number += 1
        href = f"{stem}-{number}.ics"
    taken[first] = number
    taken.setdefault(href, 1)
    return href


def _zone_names(component: bytes) -> set[bytes]:
    return {quoted or plain for quoted, plain in _TZID.findall(unfold(component))}


def _taken_apart(body: bytes) -> tuple[dict[bytes, tuple[str, bytes]], list[bytes] | None]:
    """Return a body's VTIMEZONEs by TZID (canonical form and lines), and its components' lines.

    The components are None where they cannot be told apart by their lines.

    Raises:
        ItemError: The body, or a VTIMEZONE in it, is broken.
    """
    tree = parse(body)
    zones: dict[bytes, tuple[str, bytes]] = {}
    components = []
    for stream in _streams(body):
        for part in stream.parts:
            lines = _closed_line(body[part.start : part.end])
            if part.zone is None:
                components.append(lines)
            else:
                zones[part.zone] = (form(parse(lines)), lines)
    # A BEGIN that is folded within its name is seen by the parser only.
    return zones, components if len(components) == len(tree.entries()) else None


def _closed_line(text: bytes) -> bytes:
    """Return text that ends with a line end."""
    return text if text.endswith(b"\n") else text + b"\r\n"
