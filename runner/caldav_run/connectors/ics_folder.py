"""Read the calendars of a folder: `path`, `path/*` and `path/*/*`, each with its `.ics` files."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

from caldav_run.connectors import vdir
from caldav_run.connectors.protocol import Baseline
from caldav_run.connectors.selection import Selection
from caldav_run.connectors.vdir_folder import Entry, Folder, Kind, reason
from caldav_run.connectors.vdir_names import hashed_folder_name, plain_folder_name
from caldav_run.errors import CalendarError, ConnectorError
from caldav_run.model import (
    Calendar,
    CalendarDone,
    CalendarExcluded,
    CalendarStart,
    Changed,
    Failed,
    Item,
    Provenance,
    Reading,
    Unchanged,
)

# A destination's folder holds sources, which hold calendars. Without an end, a path such as `/`
# would have the whole disk searched.
_DEPTH = 2


class FolderReading:
    """One reading of a folder and its subfolders."""

    def __init__(self, root: Folder, selection: Selection, baseline: Baseline) -> None:
        """Take an open folder; the caller closes it."""
        self._root = root
        self._selection = selection
        self._baseline = baseline
        self._taken: set[str] = set()
        self._unread: list[str] = []

    def readings(self) -> Iterator[Reading]:
        """Yield every calendar below the root.

        Raises:
            ConnectorError: There is none, or a folder cannot be read, so that which calendars
                are missing cannot be told.
        """
        yield from self._folder(self._root, ())
        if self._unread:
            raise ConnectorError(
                f"not every folder below {self._root.path} can be read: {self._unread[0]}",
                mend="make it readable, or move it elsewhere",
            )
        if not self._taken:
            raise ConnectorError(
                f"{self._root.path} holds no calendar: no .ics file, no displayname",
                mend="check `path`; its disk may not be mounted",
            )

    def _folder(self, folder: Folder, above: tuple[str, ...]) -> Iterator[Reading]:
        try:
            entries = folder.entries()
            if _is_calendar(folder, entries):
                names = [each.name for each in entries if _may_be_item(each)]
                # A large calendar's files need not be in memory twice.
                entries = [each for each in entries if each.kind is not Kind.FILE]
                yield from self._calendar(folder, names, above)
        except OSError as error:
            self._unread.append(f"{folder.path}: {reason(error)}")
            return
        except CalendarError as error:
            self._unread.append(str(error))
            return
        if len(above) < _DEPTH:
            for entry in entries:
                yield from self._below(folder, entry, above)

    def _below(self, folder: Folder, entry: Entry, above: tuple[str, ...]) -> Iterator[Reading]:
        path = (*above, entry.name)
        if entry.kind is Kind.LINK and folder.links_to_folder(entry.name):
            yield Failed(
                self._claim(path, None),
                None,
                "it is a symbolic link, and links are not followed; name its target as a source",
            )
        if entry.kind is not Kind.FOLDER:
            return
        try:
            subfolder = folder.enter(entry.name)
        except OSError as error:
            self._unread.append(f"{folder.path / entry.name}: {reason(error)}")
            return
        with subfolder:
            yield from self._folder(subfolder, path)

    def _calendar(
        self, folder: Folder, names: list[str], above: tuple[str, ...]
    ) -> Iterator[Reading]:
        index = vdir.load_index(folder)
        calendar = vdir.with_texts(index.calendar if index else Calendar(id=""), folder)
        if index is None and calendar.display_name is None:
            calendar = replace(calendar, display_name=folder.path.name or None)
        calendar = replace(calendar, id=self._claim(above, index))
        if not self._selection.selects(calendar):
            yield CalendarExcluded(calendar)
            return
        yield CalendarStart(calendar)
        yield from self._members(folder, calendar.id, vdir.hrefs(names, index))
        yield CalendarDone(calendar.id)

    def _members(
        self, folder: Folder, calendar: str, hrefs: Mapping[str, str]
    ) -> Iterator[Reading]:
        for name in sorted(hrefs):
            href = hrefs[name]
            try:
                body = folder.read(name, vdir.MAX_ITEM_BYTES)
            except FileNotFoundError:
                continue  # deleted since the folder was listed
            except OSError as error:
                yield Failed(calendar, href, f"{folder.path / name}: {reason(error)}")
                continue
            yield file_reading(calendar, href, body, self._baseline)

    def _claim(self, path: tuple[str, ...], index: vdir.Index | None) -> str:
        """Return an id that no other folder has.

        The index's id counts only where it explains the folder's name: a copied folder brings
        its `.calendar.json` along and is another calendar all the same.
        """
        name = path[-1] if path else self._root.path.resolve().name
        above = "".join(f"{vdir.spelled(each)}/" for each in path[:-1])
        candidates = [vdir.spelled(name), hashed_folder_name(name)]
        if index is not None:
            listed = index.calendar.id
            if not path or name in {plain_folder_name(listed), hashed_folder_name(listed)}:
                candidates.insert(0, listed)
        free = next(each for each in candidates if above + each not in self._taken)
        self._taken.add(above + free)
        return above + free


def file_reading(calendar: str, href: str, body: bytes, baseline: Baseline) -> Reading:
    """Return what to say of an item whose bytes come from a file."""
    etag = vdir.etag(hashlib.sha256(body).hexdigest())
    if baseline.etag(calendar, href) == etag:
        return Unchanged(calendar, href)
    return Changed(Item(calendar, href, etag, body, Provenance.FILE))


def _is_calendar(folder: Folder, entries: list[Entry]) -> bool:
    return folder.exists(vdir.INDEX) or any(
        _may_be_item(each) or (each.kind is Kind.FILE and each.name in vdir.MARKERS)
        for each in entries
    )


def _may_be_item(entry: Entry) -> bool:
    # A link or a pipe with such a name is named as unreadable rather than passed over.
    return entry.kind is not Kind.FOLDER and vdir.is_item(entry.name)
