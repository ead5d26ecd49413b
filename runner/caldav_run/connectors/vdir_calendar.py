"""One destination calendar: its folder, what it holds, and writing into it."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from caldav_run.connectors import vdir
from caldav_run.connectors.mirroring import Held, Order, Outcome
from caldav_run.connectors.vdir_folder import Folder, Kind, reason
from caldav_run.connectors.vdir_names import hashed_item_name, plain_item_name
from caldav_run.errors import CalendarError, ItemError, MovedError
from caldav_run.ical.version import version
from caldav_run.model import Calendar, Version

# Enough to share the cost of the disk, and little to lose when a run is killed.
_MOST_WAITING: Final = 1000


class _Waiting(NamedTuple):
    """A new file that has neither its name nor durability yet."""

    order: Order
    staged: str
    row: vdir.Row


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

    def apply(self, orders: Iterable[Order]) -> Iterator[Outcome]:
        """Do the orders; new items wait for others to be made durable together.

        Raises:
            OSError: The file system refused.
        """
        for order in orders:
            try:
                outcome = self._do(order)
            except ItemError as error:
                outcome = Outcome(order, error=error, moved=isinstance(error, MovedError))
            except OSError:
                yield from self._settle()
                raise
            if outcome is not None:
                yield outcome
            if len(self._waiting) >= _MOST_WAITING:
                yield from self._settle()
        yield from self._settle()

    def reread(self, hrefs: Collection[str]) -> Iterator[Held]:
        """Yield what is there by these names now."""
        for href in hrefs:
            name = self._present.get(href)
            try:
                body = None if name is None else self._folder.read(name, vdir.MAX_ITEM_BYTES)
            except FileNotFoundError:
                body = None
            except OSError as error:
                yield Held(href, None, None, ItemError(reason(error)))
                continue
            seen = None if body is None else version(body, href, vdir.etag(_sha256(body)))
            yield Held(href, seen, body)

    def lists(self, href: str) -> bool:
        """Tell whether an item was written by a run, and not by another program."""
        return self._present.get(href) in self._rows

    def save(self, calendar: Calendar) -> None:
        """Write what stands beside the items, and make all of it durable.

        Raises:
            OSError: The file system refused.
        """
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

    def _do(self, order: Order) -> Outcome | None:
        """Do one order; a new item waits, and nothing is returned yet."""
        self.unsaved = True
        if order.wanted is None:
            return self._delete(order)
        body = order.body()
        row = vdir.Row(order.wanted.href, order.wanted.etag, _sha256(body))
        if order.replaces is None:
            name = self._free_name(row.href)
            self._waiting[name] = _Waiting(order, self._folder.stage([body]), row)
            self._used.add(name.casefold())
            return None
        name = self._unchanged(order.replaces)
        self._folder.write(name, [body])
        del self._present[order.replaces.href]
        return Outcome(order, self._remember(name, row), vdir.etag(row.sha256))

    def _delete(self, order: Order) -> Outcome:
        if order.replaces is not None:
            name = self._unchanged(order.replaces)
            try:
                self._folder.delete(name)
            except OSError as error:
                raise ItemError(f"{self.path / name} is not deleted: {reason(error)}") from error
            self._used.discard(name.casefold())
            self._rows.pop(name, None)
            del self._present[order.replaces.href]
        return Outcome(order)

    def _settle(self) -> Iterator[Outcome]:
        """Make the files that wait durable, then give them their names."""
        self._folder.harden([each.staged for each in self._waiting.values()])
        for name in tuple(self._waiting):
            order, staged, row = self._waiting.pop(name)
            if self._folder.exists(name):
                self._folder.discard([staged])
                yield Outcome(order, error=self._appeared(name, row.href), moved=True)
                continue
            self._folder.put(staged, name)
            yield Outcome(order, self._remember(name, row), vdir.etag(row.sha256))

    def _remember(self, name: str, row: vdir.Row) -> str:
        """Take a file that was written into the index, and return the item's name."""
        taken = row.href in self._present
        href = vdir.unclaimed(name, self._present) if taken else row.href
        # As it is called now, or the index gives one href to two files.
        self._rows[name] = _packed(name, row._replace(href=href))
        self._present[href] = name
        return href

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
        if name is None:
            raise ItemError(f"{self.path / hashed} holds another item")
        if self._folder.exists(name):
            raise self._appeared(name, href)
        return name

    def _appeared(self, name: str, href: str) -> MovedError:
        """Take notice of a file that another program has made, so that it is looked at."""
        self._present.setdefault(href, name)
        self._used.add(name.casefold())
        return MovedError(f"{self.path / name} appeared meanwhile")

    def _unchanged(self, replaces: Version) -> str:
        name = self._present.get(replaces.href)
        if name is None:
            raise MovedError(f"{replaces.href} is not in {self.path} any more")
        try:
            body = self._folder.read(name, vdir.MAX_ITEM_BYTES)
        except FileNotFoundError as error:
            raise MovedError(f"{self.path / name} was deleted meanwhile") from error
        if vdir.etag(_sha256(body)) != replaces.etag:
            raise MovedError(f"{self.path / name} was changed meanwhile")
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
