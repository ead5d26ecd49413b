"""Rows: each says what an item or a calendar is from one snapshot on.

A row is complete by itself, so that the newest row of an item is its state.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from dataclasses import fields as fields_of
from enum import StrEnum
from typing import Any, Final, NamedTuple

from caldav_run.model import Calendar, Op, Provenance
from caldav_run.repository import fields, names
from caldav_run.repository.broken import FormatError

_COLUMNS: Final = 11
_DEFAULTS: Final = {each.name: each.default for each in fields_of(Calendar)}
_TEXT: Final = (str, type(None))
_NUMBER: Final = (int, type(None))
_COLUMN_TYPES: Final[tuple[tuple[type, ...], ...]] = (
    (int,),
    (str,),
    (str,),
    *(_TEXT,) * 3,
    _NUMBER,
    *(_TEXT,) * 4,
    (dict,),
)
_TEXTS: Final = (
    *("display_name", "color", "description", "timezone", "token", "sharing"),
    "availability",
)
_PROPERTY_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    **dict.fromkeys(_TEXTS, _TEXT),
    "order": _NUMBER,
    "components": (list, tuple),
    "read_only": (bool,),
}
_known_shapes: Final[set[tuple[type, ...]]] = set()
_NOTHING: Final[Mapping[str, Any]] = {}
# `json.dumps` would make one for each of 50,000 rows.
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
# `json.loads` would guess the encoding of each.
_decode: Final = json.JSONDecoder().decode


class Kind(StrEnum):
    """What an item counts as."""

    HELD = "held"
    STALE = "stale"
    MISSING = "missing"
    EXCLUDED = "excluded"


class Row(NamedTuple):
    """One line of `changes.jsonl`.

    Attributes:
        seq: The number of the segment that said it first.
        op: What happened.
        calendar: The calendar's id.
        href: The item's name in it; None when the row is about the whole calendar.
        etag: The item's etag.
        sha256: Hash of the item's bytes.
        size: How many bytes they are.
        object: Hash of the pack that holds them.
        member: Their name in the pack.
        uid: The item's UID; None when it is what the href suggests, empty when there is none.
        provenance: How the bytes were read.
        extra: `valid_until` (Unix seconds), `properties` (of a calendar), and for an unread one
            `reason`, `read` (when it was last read) or `before` (its last version is in the
            account's last snapshot before this generation); others are ignored.
    """

    seq: int
    op: Op
    calendar: str
    href: str | None = None
    etag: str | None = None
    sha256: str | None = None
    size: int | None = None
    object: str | None = None
    member: str | None = None
    uid: str | None = None
    provenance: str | None = None
    extra: Mapping[str, Any] = _NOTHING

    @property
    def kind(self) -> Kind:
        """What an item's row makes the item count as."""
        if self.op is Op.EXCLUDED:
            return Kind.EXCLUDED
        if self.op is Op.UNREAD:
            return Kind.MISSING if self.object is None else Kind.STALE
        return Kind.HELD

    @property
    def item_uid(self) -> str | None:
        """The item's UID, or None when it has none."""
        return (names.stem(self.href or "") if self.uid is None else self.uid) or None

    @property
    def properties(self) -> Calendar:
        """The calendar that a calendar's row is about, as far as it is known."""
        known = self.extra.get("properties", {})
        values = {key: value for key, value in known.items() if key in _DEFAULTS}
        values["components"] = tuple(values.get("components", ()))
        return Calendar(**{**values, "id": self.calendar})


def uid_column(href: str, uid: str | None) -> str | None:
    """Return what a row holds for a UID."""
    if not uid:
        return ""
    return None if uid == names.stem(href) else uid


def properties_column(calendar: Calendar) -> dict[str, Any]:
    """Return what a calendar's row holds of its properties: those that are not the default."""
    values = asdict(calendar)
    del values["id"]
    return {key: value for key, value in values.items() if value != _DEFAULTS[key]}


def encode(row: Row) -> bytes:
    """Return the row as one line, with its line end."""
    columns = row if row.extra else row[:_COLUMNS]
    return _encode(columns).encode() + b"\n"


def decode(line: bytes) -> Row:
    """Read one line; further columns are ignored.

    Raises:
        FormatError: It is no row, or its operation is unknown.
    """
    try:
        columns = _decode(line.decode())
        seq, op, *rest = columns[: _COLUMNS + 1]
        return Row(seq, Op(op), *rest)
    except (ValueError, TypeError, RecursionError) as error:
        raise FormatError("it holds a row that this version cannot read") from error


def checked(line: bytes) -> Row:
    """Read one line out of a segment, and see that each column is what it has to be.

    Raises:
        FormatError: It is no row, or of a later version.
    """
    try:
        columns = fields.parse(line)[: _COLUMNS + 1]
        shape = tuple(map(type, columns))
        if shape not in _known_shapes:
            _check_shape(shape)
        seq, op, *rest = columns
        row = Row(seq, Op(op), *rest)
        if row.provenance is not None:
            Provenance(row.provenance)
        if row.extra:
            _check_extra(row.extra)
    except (ValueError, TypeError, RecursionError) as error:
        raise FormatError("it holds a row that this version cannot read") from error
    return row


def _check_shape(shape: tuple[type, ...]) -> None:
    if len(shape) < _COLUMNS or not all(map(_fits, shape, _COLUMN_TYPES)):
        raise ValueError("columns of other types")
    # There are few of them, so that a row costs one look-up.
    _known_shapes.add(shape)


def _fits(found: type, allowed: tuple[type, ...]) -> bool:
    return found in allowed


def _check_extra(extra: Mapping[str, Any]) -> None:
    if type(extra.get("valid_until", 0)) not in {int, float}:
        raise ValueError("valid_until is no time")
    fields.text(extra.get("reason", ""))
    fields.optional(fields.moment, extra.get("read"))
    fields.flag(extra.get("before", False))
    properties = extra.get("properties", {})
    if not isinstance(properties, dict):
        raise TypeError("properties are no object")
    for name, kinds in _PROPERTY_TYPES.items():
        if type(properties.get(name, _DEFAULTS[name])) not in kinds:
            raise ValueError(f"{name} is of another type")
    for each in properties.get("components", ()):
        fields.text(each)


def decode_all(lines: Iterable[bytes]) -> Iterator[Row]:
    """Read many lines."""
    return map(decode, lines)
