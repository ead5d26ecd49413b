"""A store in a local folder, whose objects survive a power cut once `put` has returned."""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from caldav_run.errors import AccessError, ConnectorError
from caldav_run.repository.durable import sync_folder
from caldav_run.repository.store import MissingObjectError, Stored

_TEMPORARY: Final = ".tmp-"
# Ciphertext, but names, sizes and times are nobody else's business either.
_FILE_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700
_ABANDONED_AFTER_S: Final = 86_400
# File systems without hard links: exFAT and FAT (EPERM), some network shares.
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


class LocalStore:
    """Objects as files; see `Store` for the promises.

    A file appears under its name only when its bytes are on the disk: written to a temporary
    name, flushed, linked, and the folder flushed, its parents as well. What it makes is for its
    owner alone, whatever the umask says.
    """

    def __init__(self, root: Path) -> None:
        """Take the folder, without touching it."""
        self._root = root
        self._ready: set[Path] = set()
        self.location = str(root)

    def list(self, prefix: str = "", after: str = "") -> Iterator[Stored]:
        """Yield the objects of a folder by name; see `Store.list`."""
        try:
            yield from _walk(self._root / prefix, prefix, after)
        except OSError as error:
            raise self._refused("read", self._root, error) from error

    def get(self, name: str) -> bytes:
        """Return an object's bytes; see `Store.get`."""
        path = self._root / name
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise MissingObjectError(f"{name} is missing from {self.location}") from error
        except OSError as error:
            raise self._refused("read", path, error) from error

    def put(self, name: str, data: bytes) -> None:
        """Store an object durably; see `Store.put`.

        Raises:
            ConnectorError: The disk refused, or another object has this name.
        """
        path = self._root / name
        try:
            self._make_folders(path.parent)
            if not self._write(path, data) and path.read_bytes() != data:
                raise ConnectorError(
                    f"{path} exists with another content", mend="check the repository's disk"
                )
        except OSError as error:
            raise self._refused("write", path, error) from error

    def delete(self, name: str) -> None:
        """Delete an object durably; see `Store.delete`."""
        path = self._root / name
        try:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_folder(path.parent)
        except OSError as error:
            raise self._refused("delete", path, error) from error

    def leftovers(self) -> Iterator[Stored]:
        """Yield the unfinished files of interrupted runs, and of runs that write right now.

        A later `put` into the same folder removes those that are older than a day.
        """
        for folder, _, files in os.walk(self._root):
            for file in sorted(files):
                if file.startswith(_TEMPORARY):
                    path = Path(folder, file)
                    try:
                        yield _stored(path.relative_to(self._root).as_posix(), path.stat())
                    except FileNotFoundError:
                        continue  # its run has finished it meanwhile

    def _write(self, path: Path, data: bytes) -> bool:
        """Write a file that does not exist yet; return False when it does."""
        temporary = path.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")
        try:
            with open(temporary, "xb", opener=_private) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                now = os.fstat(file.fileno()).st_mtime
            self._sweep(path.parent, now)
            linked = _link(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        # Also when the file was there: whoever wrote it may have crashed before this.
        sync_folder(path.parent)
        return linked

    def _make_folders(self, folder: Path) -> None:
        """Make a folder and its parents durable; above the root only where they are missing."""
        inside = self._root in folder.parents
        if folder.is_dir() and (folder in self._ready or not inside):
            return
        self._make_folders(folder.parent)
        folder.mkdir(_FOLDER_MODE, exist_ok=True)
        # Also when the folder was there: whoever made it may have crashed before this.
        sync_folder(folder.parent)

    def _sweep(self, folder: Path, now: float) -> None:
        """Remove from a folder, once in a run, what runs of other days left unfinished.

        Args:
            folder: The folder.
            now: The time by the clock of the file system, as seconds since 1970.
        """
        if folder in self._ready:
            return
        self._ready.add(folder)
        with os.scandir(folder) as entries:
            for each in entries:
                if each.name.startswith(_TEMPORARY):
                    with contextlib.suppress(FileNotFoundError):
                        if now - each.stat().st_mtime > _ABANDONED_AFTER_S:
                            Path(each).unlink()

    def _refused(self, action: str, path: Path, error: OSError) -> ConnectorError:
        kind = AccessError if isinstance(error, PermissionError) else ConnectorError
        return kind(f"cannot {action} {path}: {error.strerror}")


def _walk(folder: Path, prefix: str, after: str) -> Iterator[Stored]:
    try:
        with os.scandir(folder) as entries:
            # A folder sorts by the names in it, which begin with its own and a slash.
            found = sorted((each.name + "/" * each.is_dir(), each) for each in entries)
    except FileNotFoundError:
        return
    for part, entry in found:
        name = prefix + part
        if part.endswith("/"):
            if name >= after[: len(name)]:
                yield from _walk(folder / part, name, after)
        elif name > after and not part.startswith(_TEMPORARY):
            # Deleted since, or a link to nothing: no object, and no reason to miss the others.
            with contextlib.suppress(FileNotFoundError):
                yield _stored(name, entry.stat())


def _stored(name: str, status: os.stat_result) -> Stored:
    return Stored(name, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, _FILE_MODE)


def _link(temporary: Path, path: Path) -> bool:
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if path.exists():
            return False
        temporary.rename(path)
    return True
