"""Calendars into files: `<path>/<source>/<calendar>/<name>.ics`, the vdir layout."""

import contextlib
import errno
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

from caldav_run.connectors import vdir
from caldav_run.connectors.mirroring import Held, MirrorOptions, Order, Outcome, Target
from caldav_run.connectors.mirroring_options import mirror_options
from caldav_run.connectors.protocol import Context
from caldav_run.connectors.vdir_calendar import CalendarFolder
from caldav_run.connectors.vdir_folder import Folder, reason
from caldav_run.connectors.vdir_names import folder_name, hashed_folder_name, plain_folder_name
from caldav_run.errors import (
    AccessError,
    CaldavRunError,
    CalendarError,
    ConnectorError,
    TemporaryError,
)
from caldav_run.model import Calendar, Options, Version

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class IcsSink:
    """Writes calendars into a folder; see `schemas/sinks/ics.schema.json` for the options."""

    def __init__(self, path: Path, options: MirrorOptions, names: Mapping[str, str]) -> None:
        """Take the options, without touching anything.

        Args:
            path: The folder; made when the first calendar is, its parent must exist.
            options: How to write.
            names: What to call calendars instead, by display name or id.
        """
        self.options = options
        self._path = path
        self._names = names
        self._wanted: dict[str, Calendar] = {}
        self._open: dict[str, CalendarFolder] = {}

    @classmethod
    def from_options(cls, options: Options, context: Context) -> Self:
        """Make a sink from checked options."""
        del context
        rename = options.get("rename")
        return cls(
            Path(str(options["path"])),
            mirror_options(options),
            {str(old): str(new) for old, new in rename.items()}
            if isinstance(rename, Mapping)
            else {},
        )

    def origin(self) -> str:
        """Return the path with its links resolved.

        Raises:
            ConnectorError: It is no folder, or the folder that it would be made in is missing.
        """
        try:
            path = self._path.resolve()
            if not (path if path.exists() else path.parent).is_dir():
                raise NotADirectoryError(errno.ENOTDIR, "not a folder, or its parent is missing")
        except OSError as error:
            raise _refused(self._path, error) from error
        return str(path)

    def target(self, source: str, calendar: Calendar, siblings: Iterable[Calendar] = ()) -> Target:
        """Return the calendar's folder, which goes by its id: `<source>/<folder>`.

        Raises:
            CalendarError: Something else is in the folder's place, or its index is damaged.
        """
        del siblings
        new = self._names.get(calendar.display_name or "") or self._names.get(calendar.id)
        wanted = replace(calendar, id=new, display_name=new) if new else calendar
        above = folder_name(source)
        with contextlib.ExitStack() as stack:
            try:
                folder = self._enter(above, stack)
                name = self._folder_name(folder, above, wanted.id)
                place = f"{above}/{name}"
                present = _present(folder, name)
            except OSError as error:
                raise CalendarError(
                    f"cannot use {self._path / above} for {calendar.title}: {reason(error)}"
                ) from error
        # Where calendars meet, the first one's properties stay, at every run alike.
        self._wanted.setdefault(place, wanted)
        found = replace(present or wanted, id=place, token=None)
        return Target(found, exists=present is not None, mapped=new is not None)

    def create(self, target: Target) -> Sequence[str]:
        """Make the folder, and the ones above it up to `path`."""
        above, name = target.calendar.id.split("/")
        try:
            with contextlib.suppress(FileExistsError):
                self._path.mkdir()
            with Folder.open(self._path) as root, root.make(above) as folder:
                folder.make(name).close()
            self._calendar(target).save(self._wanted[target.calendar.id])
        except OSError as error:
            raise _refused(self._path / target.calendar.id, error) from error
        return ()

    def present(self, target: Target) -> Sequence[Version]:
        """Return what the folder holds, whoever put it there."""
        self._drop(target.calendar.id)
        try:
            return list(self._calendar(target).versions())
        except OSError as error:
            place = self._path / target.calendar.id
            raise CalendarError(f"cannot read {place}: {reason(error)}") from error

    def objection(
        self, target: Target, wanted: Version | None, replaces: Version | None, size: int
    ) -> str | None:
        """Refuse to delete what another program put there."""
        del size
        deleted = None if wanted is not None else replaces
        if deleted is None or self._calendar(target).lists(deleted.href):
            return None
        return "another program put it there"

    def mailed(self, wanted: Version | None, replaces: Version | None) -> Collection[str]:
        """Return nobody."""
        del wanted, replaces
        return ()

    def meant(self, order: Order) -> bytes:
        """Return the item as it is."""
        return order.body()

    def apply(self, target: Target, orders: Iterable[Order]) -> Iterator[Outcome]:
        """Write and delete files; new ones are made durable together.

        Raises:
            ConnectorError: The file system refuses; it would refuse the next file as well.
        """
        try:
            yield from self._calendar(target).apply(orders)
        except OSError as error:
            raise _refused(self._path / target.calendar.id, error) from error

    def reread(self, target: Target, hrefs: Collection[str]) -> Iterator[Held]:
        """Look at the files again."""
        return self._calendar(target).reread(hrefs)

    def calendars(self) -> Sequence[Calendar]:
        """Return none: a folder's calendars are never deleted as a whole."""
        return ()

    def owns(self, calendar: Calendar) -> bool:
        """Return True: a folder is nobody else's."""
        del calendar
        return True

    def remove(self, calendar: Calendar) -> None:
        """Delete the folder of a calendar that is empty.

        Raises:
            CalendarError: It holds anything.
        """
        above, name = calendar.id.split("/")
        open_folder = self._open.pop(calendar.id, None)
        if open_folder is not None:
            open_folder.close()
        try:
            with Folder.open(self._path) as root, root.enter(above) as folder:
                folder.remove(name, {*vdir.MARKERS, vdir.INDEX})
        except OSError as error:
            raise CalendarError(
                f"{self._path / calendar.id} is not deleted: {reason(error)}"
            ) from error

    def available(self) -> str | None:
        """Return None: a folder has calendars only."""

    def say_available(self, text: str, over: str) -> str:
        """Refuse."""
        del text, over
        raise CalendarError("a folder has calendars only")

    def finish(self, target: Target) -> None:
        """Write `displayname`, `color` and `.calendar.json` where they are not so already."""
        try:
            self._calendar(target).save(self._wanted[target.calendar.id])
        except OSError as error:
            raise _refused(self._path / target.calendar.id, error) from error

    def close(self) -> None:
        """Save the indexes of calendars that were broken off, and let go of the folders."""
        for place, calendar in self._open.items():
            if calendar.unsaved:
                # Why it was broken off is told already; the files themselves are whole.
                with contextlib.suppress(OSError, CaldavRunError):
                    calendar.save(self._wanted[place])
            calendar.close()
        self._open.clear()

    def _enter(self, above: str, stack: contextlib.ExitStack) -> Folder | None:
        try:
            root = stack.enter_context(Folder.open(self._path))
            return stack.enter_context(root.enter(above))
        except FileNotFoundError:
            return None

    def _folder_name(self, folder: Folder | None, above: str, calendar: str) -> str:
        """Return the folder that holds the calendar already, else a free name."""
        plain, hashed = plain_folder_name(calendar), hashed_folder_name(calendar)
        names = {each.name for each in folder.entries()} if folder else set()
        if plain is None or hashed in names:
            return hashed
        key = f"{above}/{plain}".casefold()
        rivals = {each.id for place, each in self._wanted.items() if place.casefold() == key}
        if folder and plain in names:
            with folder.enter(plain) as found:
                index = vdir.load_index(found)
            rivals |= {index.calendar.id} if index else set()
        elif plain.casefold() in {name.casefold() for name in names}:
            return hashed
        return plain if rivals <= {calendar} else hashed

    def _calendar(self, target: Target) -> CalendarFolder:
        place = target.calendar.id
        if place not in self._open:
            self._drop_saved()
            above, name = place.split("/")
            with Folder.open(self._path) as root, root.enter(above) as folder:
                inner = folder.enter(name)
            try:
                self._open[place] = CalendarFolder(inner)
            except BaseException:
                inner.close()
                raise
        return self._open[place]

    def _drop_saved(self) -> None:
        """Let go of folders that are done with: each takes a descriptor and its index's memory."""
        for place in [place for place, calendar in self._open.items() if not calendar.unsaved]:
            self._drop(place)

    def _drop(self, place: str) -> None:
        calendar = self._open.pop(place, None)
        if calendar is not None:
            calendar.close()


def _present(folder: Folder | None, name: str) -> Calendar | None:
    if folder is None or not folder.exists(name):
        return None
    with folder.enter(name) as found:
        index = vdir.load_index(found)
        return vdir.with_texts(index.calendar if index else Calendar(id=name), found)


def _refused(place: Path, error: OSError) -> ConnectorError:
    message = f"cannot write {place}: {reason(error)}"
    if error.errno in _FULL:
        return TemporaryError(message, mend="make room; what was written stays and is whole")
    if isinstance(error, PermissionError):
        return AccessError(message, mend="check the folder's owner and mode")
    return ConnectorError(message, mend="check `path`; its disk may not be mounted")
