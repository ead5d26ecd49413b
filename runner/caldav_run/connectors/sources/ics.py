"""Calendars from files: a folder in the vdir layout, one merged `.ics` file, or one at a URL."""

import hashlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from caldav_run.connectors.ics_fetch import Feed
from caldav_run.connectors.ics_folder import FolderReading
from caldav_run.connectors.ics_merged import readings
from caldav_run.connectors.protocol import Baseline, Context
from caldav_run.connectors.selection import Selection
from caldav_run.connectors.vdir_folder import Folder, read_bounded, reason
from caldav_run.errors import AccessError, ConnectorError, SetupError
from caldav_run.model import Options, Reading
from caldav_run.secret import Secret

MAX_MERGED_BYTES: Final = 256 << 20


class IcsSource:
    """Reads calendars from files; see `schemas/sources/ics.schema.json` for the options."""

    as_of: datetime | None = None

    def __init__(self, place: Path | Feed, account: str, selection: Selection) -> None:
        """Take where the files are, without touching it."""
        self.account = account
        self.selection = selection.text
        self._place = place
        self._selection = selection

    @classmethod
    def from_options(cls, options: Options, context: Context) -> Self:
        """Make a source from checked options.

        Raises:
            SetupError: Neither or both of `path` and `url` are given, or the URL is unfit.
        """
        path, url = options.get("path"), options.get("url")
        if (path is None) == (url is None):
            raise SetupError(f"{context.name}: give either `path` or `url`")
        place = _feed(options, str(url)) if path is None else Path(str(path))
        return cls(
            place,
            str(options.get("account", context.name)),
            Selection.from_option(options.get("calendars")),
        )

    def origin(self) -> str:
        """Return the path with its links resolved, or the address.

        An address may be all that protects a calendar, so that it is only told apart, not told.
        """
        place = self._place
        if isinstance(place, Feed):
            return f"{place.shown}#{hashlib.sha256(place.url.encode()).hexdigest()[:16]}"
        try:
            return str(place.resolve(strict=True))
        except OSError as error:
            raise _unreadable(place, error) from error

    def read(self, baseline: Baseline) -> Iterator[Reading]:
        """Yield the calendars: those of the folder, or the one of the merged file."""
        place = self._place
        if isinstance(place, Feed):
            yield from readings(
                place.fetch(),
                PurePosixPath(unquote(urlsplit(place.url).path)).stem or "calendar",
                place.shown,
                self._selection,
                baseline,
            )
        elif place.is_dir():
            with _open(place) as folder:
                yield from FolderReading(folder, self._selection, baseline).readings()
        else:
            body = _read(place)
            yield from readings(body, place.stem, str(place), self._selection, baseline)

    def close(self) -> None:
        """Do nothing: a reading holds its folders only while it lasts."""


def _feed(options: Options, url: str) -> Feed:
    username, password = options.get("username"), options.get("password")
    if (username is None) != (password is None):
        raise SetupError("give `username` and `password` together, or neither")
    feed = Feed(
        url=url,
        username=None if username is None else str(username),
        password=password if isinstance(password, Secret) else None,
        insecure=options.get("insecure") is True,
        limit=MAX_MERGED_BYTES,
    )
    feed.check()
    return feed


def _open(path: Path) -> Folder:
    try:
        return Folder.open(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _read(path: Path) -> bytes:
    try:
        # O_NONBLOCK, so that a named pipe is refused instead of waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            return read_bounded(file.fileno(), MAX_MERGED_BYTES)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ConnectorError:
    message = f"cannot read {path}: {reason(error)}"
    if isinstance(error, PermissionError):
        return AccessError(message, mend="check its owner and mode")
    return ConnectorError(message, mend="check `path`; its disk may not be mounted")
