"""One destination calendar: its folder, what it holds, and writing into it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from caldav_run.connectors import vdir
from caldav_run.connectors.vdir_folder import Folder, Kind, reason
from caldav_run.connectors.vdir_names import hashed_item_name, plain_item_name
from caldav_run.errors import CalendarError, ItemError
from caldav_run.ical.version import version
from caldav_run.model import Calendar, Version


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
        self._rows = {name: rows[name] for name in items if name in rows}
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

        Raises:
            ItemError: The file changed or appeared meanwhile, or no name is free.
            OSError: The file system refused.
        """
        name = self._free_name(wanted.href) if replaces is None else self._unchanged(replaces)
        self._folder.write(name, body)
        self._used.add(name.casefold())
        self._rows[name] = vdir.Row(wanted.href, wanted.etag, _sha256(body))
        self.unsaved = True

    def save(self, calendar: Calendar) -> None:
        """Write what stands beside the items, as far as it differs, and make it durable.

        Raises:
            OSError: The file system refused.
        """
        files = {
            vdir.DISPLAY_NAME: (calendar.display_name or "").encode(),
            vdir.COLOR: (calendar.color or "").encode(),
            vdir.INDEX: vdir.Index(calendar, self._rows).to_json(),
        }
        for name, data in files.items():
            # What the source does not tell is not taken away: this is a merge.
            if data and not self._holds(name, data):
                self._folder.write(name, data)
                self.unsaved = True
        if self.unsaved:
            self._folder.sync()
        self.unsaved = False

    def close(self) -> None:
        """Close the folder; safe to call twice."""
        self._folder.close()

    def _holds(self, name: str, data: bytes) -> bool:
        try:
            return self._folder.read(name, len(data)) == data
        except OSError:
            return False

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


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
