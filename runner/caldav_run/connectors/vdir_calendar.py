"""One destination calendar: its folder, what it holds, and writing into it."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from caldav_run.connectors import vdir
from caldav_run.connectors.vdir_folder import Folder, Kind, reason
from caldav_run.connectors.vdir_names import hashed_item_name, plain_item_name
from caldav_run.errors import CalendarError, ItemError
from caldav_run.ical.version import version
from caldav_run.model import Calendar, Version

# Enough to share the cost of the disk, and little to lose when a run is killed.
_MOST_WAITING: Final = 1000


class _Waiting(NamedTuple):
    """A new file that has neither its name nor durability yet."""

    staged: str
    row: bytes


class CalendarFolder:
    """An open folder with its index; files that other programs put there are items too."""

    def __init__(self, folder: Folder) -> None:
        """Take over an open folder and list it.

        Raises:
            CalendarError: Its index cannot be read.
            OSError: It cannot be listed.
        """
        self._folder = folder
        index = vdir.load_index(folder)
        entries = folder.entries()
        names = [each.name for each in entries if each.kind is not Kind.FOLDER]
        items = [name for name in names if vdir.is_item(name)]
        self._present = {href: name for name, href in vdir.hrefs(items, index).items()}
        self._used = {each.name.casefold() for each in entries}
        rows = index.rows if index else {}
        self._rows = {name: _packed(name, rows[name]) for name in items if name in rows}
        self._waiting: dict[str, _Waiting] = {}
        self.unsaved = False

    @property
    def path(self) -> Path:
        """Where the folder lies, for messages."""
        return self._folder.path

    def versions(self) -> Iterator[Version]:
        """Yield what the folder holds.

        Raises:
            CalendarError: A file cannot be read.
        """
        for href, name in self._present.items():
            try:
                body = self._folder.read(name, vdir.MAX_ITEM_BYTES)
            except OSError as error:
                raise CalendarError(f"cannot read {self.path / name}: {reason(error)}") from error
            yield version(body, href, vdir.etag(_sha256(body)))

    def write(self, wanted: Version, body: bytes, replaces: Version | None) -> None:
        """Write one item; its file keeps its name when it is replaced.

        A new one may wait for others to be made durable together: until `save` at most.

        Raises:
            ItemError: The file changed or appeared meanwhile, or no name is free.
            CalendarError: A file appeared in the place of one that waited.
            OSError: The file system refused.
        """
        said = vdir.Row(wanted.href, wanted.etag, _sha256(body))
        self.unsaved = True
        if replaces is not None:
            name = self._unchanged(replaces)
            self._folder.write(name, [body])
            self._rows[name] = _packed(name, said)
            return
        name = self._free_name(wanted.href)
        self._waiting[name] = _Waiting(self._folder.stage([body]), _packed(name, said))
        self._used.add(name.casefold())
        if len(self._waiting) >= _MOST_WAITING:
            self._settle()

    def save(self, calendar: Calendar) -> None:
        """Write what waits and what stands beside the items, and make all of it durable.

        Raises:
            CalendarError: A file appeared in the place of one that waited.
            OSError: The file system refused.
        """
        self._settle()
        # What the source does not tell is not taken away: this is a merge.
        if calendar.display_name:
            self._keep(vdir.DISPLAY_NAME, lambda: [(calendar.display_name or "").encode()])
        if calendar.color:
            self._keep(vdir.COLOR, lambda: [(calendar.color or "").encode()])
        self._keep(vdir.INDEX, lambda: self._index(calendar))
        if self.unsaved:
            self._folder.sync()
        self._folder.sweep()
        self.unsaved = False

    def close(self) -> None:
        """Close the folder and forget what still waits; safe to call twice."""
        self._folder.discard(each.staged for each in self._waiting.values())
        self._waiting.clear()
        self._folder.close()

    def _settle(self) -> None:
        """Make the files that wait durable, then give them their names."""
        self._folder.harden([each.staged for each in self._waiting.values()])
        taken = [name for name in self._waiting if self._folder.exists(name)]
        for name in taken:
            self._folder.discard([self._waiting.pop(name).staged])
        for name in tuple(self._waiting):
            self._folder.put(self._waiting[name].staged, name)
            self._rows[name] = self._waiting.pop(name).row
        if taken:
            raise CalendarError(f"{self.path / taken[0]} appeared meanwhile", mend="run it again")

    def _keep(self, name: str, pieces: Callable[[], Iterable[bytes]]) -> None:
        """Write a file that stands beside the items, where it is not so already."""
        if not self._folder.holds(name, pieces()):
            self._folder.write(name, pieces())
            self.unsaved = True

    def _index(self, calendar: Calendar) -> Iterator[bytes]:
        rows = ((name, _unpacked(name, self._rows[name])) for name in sorted(self._rows))
        return vdir.index_pieces(calendar, rows)

    def _free_name(self, href: str) -> str:
        plain, hashed = plain_item_name(href), hashed_item_name(href)
        # Compared without case: the folder may lie on, or be copied to, a system that ignores it.
        free = (name for name in (plain, hashed) if name and name.casefold() not in self._used)
        name = next(free, None)
        if name is None or self._folder.exists(name):
            raise ItemError(f"{self.path / (name or hashed)} holds another item")
        return name

    def _unchanged(self, replaces: Version) -> str:
        name = self._present[replaces.href]
        try:
            body = self._folder.read(name, vdir.MAX_ITEM_BYTES)
        except FileNotFoundError as error:
            raise ItemError(f"{self.path / name} was deleted meanwhile") from error
        if vdir.etag(_sha256(body)) != replaces.etag:
            raise ItemError(f"{self.path / name} was changed meanwhile")
        return name


def _packed(name: str, row: vdir.Row) -> bytes:
    """Return a row as it is kept: as objects, those of a large calendar would fill the memory."""
    href = None if row.href == name else row.href
    return json.dumps((href, row.etag, row.sha256)).encode()


def _unpacked(name: str, packed: bytes) -> vdir.Row:
    href, etag, sha256 = json.loads(packed)
    return vdir.Row(href or name, etag, sha256)


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
