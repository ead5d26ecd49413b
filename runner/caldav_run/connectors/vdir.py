"""What a calendar's folder holds beside its items: `displayname`, `color` and `.calendar.json`.

The first two are the vdir convention, which other programs read as well; the third keeps what
vdir has no place for. A folder without it is read all the same: its file names are the hrefs.
"""

import json
import os
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, TypeVar
from urllib.parse import quote

from caldav_run.connectors.vdir_folder import Folder, reason
from caldav_run.connectors.vdir_names import SUFFIX
from caldav_run.errors import CalendarError
from caldav_run.model import Calendar

DISPLAY_NAME: Final = "displayname"
COLOR: Final = "color"
INDEX: Final = ".calendar.json"
MARKERS: Final = frozenset({DISPLAY_NAME, COLOR})

MAX_ITEM_BYTES: Final = 64 << 20
_MAX_TEXT_BYTES: Final = 1 << 20
_MAX_INDEX_BYTES: Final = 256 << 20
_VERSION: Final = 1

_T = TypeVar("_T")


class Row(NamedTuple):
    """What the index holds of one file.

    Attributes:
        href: The item's name at its source.
        etag: The item's etag at its source, where known.
        sha256: Hash of the bytes that were written, in hex.
    """

    href: str
    etag: str | None
    sha256: str


@dataclass(frozen=True, slots=True)
class Index:
    """The content of `.calendar.json`.

    Attributes:
        calendar: The calendar as its source had it.
        rows: What is held of each file, by file name.
    """

    calendar: Calendar
    rows: Mapping[str, Row] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """Return the file's bytes: the same for an equal index, one line for each item."""
        return b"".join(index_pieces(self.calendar, sorted(self.rows.items())))

    @classmethod
    def from_json(cls, data: bytes) -> "Index":
        """Read the file's bytes.

        Raises:
            ValueError: They are not what `to_json` writes.
        """
        document = _typed(json.loads(data), dict)
        if document.get("version") != _VERSION:
            raise ValueError(f"its version is not {_VERSION}")
        rows = {
            _typed(item["name"], str): Row(
                _typed(item["href"], str),
                _optional(item.get("etag"), str),
                _typed(item["sha256"], str),
            )
            for item in _typed(document.get("items", []), list)
        }
        components = _typed(document.get("components", []), list)
        calendar = Calendar(
            id=_typed(document["id"], str),
            order=_optional(document.get("order"), int),
            description=_optional(document.get("description"), str),
            timezone=_optional(document.get("timezone"), str),
            components=tuple(_typed(name, str) for name in components),
        )
        return cls(calendar, rows)


def index_pieces(calendar: Calendar, rows: Iterable[tuple[str, Row]]) -> Iterator[bytes]:
    """Yield the bytes of `.calendar.json`, given rows by file name in ascending order."""
    head = {
        "version": _VERSION,
        "id": calendar.id,
        "order": calendar.order,
        "description": calendar.description,
        "timezone": calendar.timezone,
        "components": list(calendar.components),
    }
    yield b"{"
    for key, value in head.items():
        yield b"\n %b: %b," % (_json(key), _json(value))
    yield b'\n "items": ['
    mark = b"\n  "
    for name, row in rows:
        item = {"name": name, "href": row.href, "etag": row.etag, "sha256": row.sha256}
        yield mark + _json(item)
        mark = b",\n  "
    yield b"\n ]\n}\n"


def load_index(folder: Folder) -> Index | None:
    """Read a folder's `.calendar.json`.

    Returns:
        The index; None where the folder has no `.calendar.json`.

    Raises:
        CalendarError: It cannot be read, or is damaged.
    """
    data = _read_optional(folder, INDEX, _MAX_INDEX_BYTES)
    if data is None:
        return None
    try:
        return Index.from_json(data)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CalendarError(
            f"{folder.path / INDEX} is damaged: {error}",
            mend="restore it, or delete it to have the file names taken for the items' names",
        ) from error


def with_texts(calendar: Calendar, folder: Folder) -> Calendar:
    """Return the calendar with the folder's `displayname` and `color`.

    Raises:
        CalendarError: One of the files cannot be read.
    """
    return replace(
        calendar,
        display_name=_read_text(folder, DISPLAY_NAME),
        color=_read_text(folder, COLOR),
    )


def is_item(name: str) -> bool:
    """Tell whether a file of that name is an item."""
    return name.lower().endswith(SUFFIX)


def hrefs(names: Iterable[str], index: Index | None) -> dict[str, str]:
    """Return the items' hrefs by file name, each href once.

    A file that the index does not list, or whose href another file has already, goes by its
    own name, spelled as in a URL.
    """
    rows = index.rows if index else {}
    listed = {name: rows[name].href for name in names if name in rows}
    taken: dict[str, str] = {}
    for name in sorted(listed):
        taken.setdefault(listed[name], name)
    result = {name: href for href, name in taken.items()}
    for name in sorted(name for name in names if name not in result):
        href = unclaimed(name, taken)
        taken[href] = name
        result[name] = href
    return result


def unclaimed(name: str, taken: Container[str]) -> str:
    """Return the href of a file that goes by its own name, spelled as in a URL."""
    href = spelled(name)
    while href in taken:
        href = f"{href.removesuffix(SUFFIX)}-copy{SUFFIX}"
    return href


def spelled(name: str) -> str:
    """Return a file or folder name as a URL has it; bytes that are not UTF-8 stay themselves."""
    made = quote(os.fsencode(name), safe="@")
    # Mostly they are equal, and one text is enough in memory.
    return name if made == name else made


def etag(sha256: str) -> str:
    """Return the etag of a file with that hash.

    It comes from the bytes alone. Size and times would spare the reading, but a same-sized edit
    within a clock tick, a restored modification time or a file system without stable inodes
    would hide a change, and a fresh checkout would make everything look changed.
    """
    return f'"{sha256}"'


def _read_text(folder: Folder, name: str) -> str | None:
    data = _read_optional(folder, name, _MAX_TEXT_BYTES)
    return None if data is None else data.decode("utf-8", "replace").rstrip("\r\n") or None


def _read_optional(folder: Folder, name: str, limit: int) -> bytes | None:
    try:
        return folder.read(name, limit)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CalendarError(f"cannot read {folder.path / name}: {reason(error)}") from error


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _typed(value: object, kind: type[_T]) -> _T:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{value!r:.60} is no {kind.__name__}")
    return value


def _optional(value: object, kind: type[_T]) -> _T | None:
    return None if value is None else _typed(value, kind)
