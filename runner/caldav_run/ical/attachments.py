"""Managed attachments: files that an item refers to, and that its server keeps beside it."""

import base64
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final, NamedTuple

from caldav_run.ical.editing import edited, spelled
from caldav_run.ical.lines import Line, logical_lines, parse_line

_ATTACH: Final = "ATTACH"
_MANAGED_ID: Final = "MANAGED-ID"
_UNKNOWN_TYPE: Final = "application/octet-stream"


class Managed(NamedTuple):
    """One managed attachment of an item (RFC 8607 section 4).

    Attributes:
        managed_id: Tells it from others; another content has another one.
        url: Where the server gives it.
        name: The file's name; may be empty.
        kind: Its media type.
    """

    managed_id: str
    url: str
    name: str
    kind: str


def managed(body: bytes) -> tuple[Managed, ...]:
    """Return the managed attachments of an item, each once."""
    # Of all items of an account very few have any; a search for the word costs next to nothing.
    if b"ATTACH" not in body:
        return ()
    found = {each.managed_id: each for each in _found(body)}
    return tuple(found.values())


def without(body: bytes, ids: Collection[str]) -> bytes:
    """Return an item without these managed attachments."""
    return _each(body, lambda raw, _, one: b"" if one.managed_id in ids else raw)


def inlined(body: bytes, files: Mapping[str, bytes]) -> bytes:
    """Return an item that holds these files itself (RFC 5545 section 3.8.1.1).

    Args:
        body: The item.
        files: What attachments hold, by their MANAGED-ID; others stay as they are.
    """

    def edit(raw: bytes, line: Line, one: Managed) -> bytes:
        content = files.get(one.managed_id)
        if content is None:
            return raw
        # What was of use to a client only while a server kept the file.
        kept = tuple(each for each in line.params if each[0] not in {_MANAGED_ID, "VALUE", "SIZE"})
        params = (*kept, ("ENCODING", "BASE64"), ("VALUE", "BINARY"))
        return spelled(raw, Line(_ATTACH, params, base64.b64encode(content).decode()))

    return _each(body, edit)


def _found(body: bytes) -> Iterator[Managed]:
    for raw in logical_lines(body):
        if raw[: len(_ATTACH)].upper() == _ATTACH.encode():
            one = _managed(parse_line(raw))
            if one is not None:
                yield one


def _each(body: bytes, edit: Callable[[bytes, Line, Managed], bytes]) -> bytes:
    def change(raw: bytes, line: Line) -> bytes:
        one = _managed(line)
        return raw if one is None else edit(raw, line, one)

    return edited(body, frozenset({_ATTACH}), change)


def _managed(line: Line) -> Managed | None:
    params = {name: value.strip('"') for name, value in line.params}
    managed_id = params.get(_MANAGED_ID)
    if line.name != _ATTACH or not managed_id:
        return None
    kind = params.get("FMTTYPE") or _UNKNOWN_TYPE
    return Managed(managed_id, line.value.strip(), params.get("FILENAME", ""), kind)
