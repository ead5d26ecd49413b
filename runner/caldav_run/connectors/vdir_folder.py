"""Folders reached through their descriptors, so that no link leads out of the root."""

import contextlib
import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Final, NamedTuple, Self

_FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Without O_NONBLOCK, opening a named pipe that nobody writes to would hang the run.
_FILE_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_TEMP_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK_BYTES: Final = 1 << 20
_LEAST_BYTES: Final = 1 << 12
_STAGED: Final = re.compile(r"\.caldav-run-[0-9a-f]{16}\.tmp")
_ABANDONED_S: Final = 86_400
# From so many files on, one flush of the whole system costs less than one for each of them.
_MANY: Final = 32


class Kind(Enum):
    """What an entry of a folder is."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


class Entry(NamedTuple):
    """One entry of a folder."""

    name: str
    kind: Kind


class Folder:
    """One open folder.

    Every method but `open` works relative to the descriptor and follows no symbolic link;
    every method raises OSError as the operating system reports it.

    Attributes:
        path: Where it lies, for messages only.
    """

    def __init__(self, descriptor: int, path: Path) -> None:
        """Take over an open descriptor."""
        self._descriptor = descriptor
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a root; a link to it is followed, since the user named it."""
        return cls(os.open(path, _FOLDER_FLAGS), path)

    def enter(self, name: str) -> "Folder":
        """Open a subfolder."""
        flags = _FOLDER_FLAGS | os.O_NOFOLLOW
        return Folder(os.open(name, flags, dir_fd=self._descriptor), self.path / name)

    def make(self, name: str) -> "Folder":
        """Open a subfolder, which is created where it does not exist."""
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=self._descriptor)
            os.fsync(self._descriptor)
        return self.enter(name)

    def entries(self) -> list[Entry]:
        """Return the entries without the hidden ones, sorted by name."""
        with os.scandir(self._descriptor) as found:
            visible = (entry for entry in found if not entry.name.startswith("."))
            return sorted(Entry(entry.name, _kind(entry)) for entry in visible)

    def links_to_folder(self, name: str) -> bool:
        """Tell whether a link leads to a folder, without entering it."""
        try:
            return stat.S_ISDIR(os.stat(name, dir_fd=self._descriptor).st_mode)
        except OSError:
            return False

    def remove(self, name: str, known: Iterable[str]) -> None:
        """Delete a subfolder that holds nothing but these files; all of it stays otherwise."""
        with self.enter(name) as folder, os.scandir(folder._descriptor) as found:  # noqa: SLF001
            names = [each.name for each in found]
            if set(names) <= set(known):
                folder.discard(names)
        os.rmdir(name, dir_fd=self._descriptor)

    def exists(self, name: str) -> bool:
        """Tell whether an entry of that name is there, a dangling link too."""
        try:
            os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def read(self, name: str, limit: int) -> bytes:
        """Return a regular file's bytes.

        Args:
            name: The file's name in this folder.
            limit: The most bytes to take.

        Raises:
            OSError: It cannot be read; `EFBIG` above the limit, `EINVAL` for what is no file.
        """
        descriptor = os.open(name, _FILE_FLAGS, dir_fd=self._descriptor)
        # Without a file object, which costs a tenth of a run over 20,000 files.
        try:
            return read_bounded(descriptor, limit)
        finally:
            os.close(descriptor)

    def holds(self, name: str, pieces: Iterable[bytes]) -> bool:
        """Tell whether there is a file of that name with just these bytes."""
        try:
            descriptor = os.open(name, _FILE_FLAGS, dir_fd=self._descriptor)
            with os.fdopen(descriptor, "rb") as file:
                return all(file.read(len(each)) == each for each in pieces) and not file.read(1)
        except OSError:
            return False

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """Replace or make a file so that a crash leaves the old one or the new one whole."""
        temporary = self.stage(pieces)
        try:
            self.harden([temporary])
            self.put(temporary, name)
        except BaseException:
            self.discard([temporary])
            raise

    def stage(self, pieces: Iterable[bytes]) -> str:
        """Write a hidden temporary file, not durable yet, and return its name."""
        temporary = f".caldav-run-{secrets.token_hex(8)}.tmp"
        descriptor = os.open(temporary, _TEMP_FLAGS, 0o666, dir_fd=self._descriptor)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(pieces)
        except BaseException:
            self.discard([temporary])
            raise
        return temporary

    def harden(self, temporaries: Sequence[str]) -> None:
        """Make staged files durable, before `put` gives them their names."""
        if len(temporaries) >= _MANY:
            # Written out at once, so that the disk need not be waited for at each file. It makes
            # no promise and tells no failure; the loop does both.
            os.sync()
        for temporary in temporaries:
            descriptor = os.open(temporary, _FILE_FLAGS, dir_fd=self._descriptor)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def put(self, temporary: str, name: str) -> None:
        """Give a staged file its name, whatever had that name before."""
        os.rename(temporary, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)

    def discard(self, temporaries: Iterable[str]) -> None:
        """Remove staged files, as far as they are there."""
        for temporary in temporaries:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=self._descriptor)

    def delete(self, name: str) -> None:
        """Delete a file; one that is gone already is as good as deleted."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._descriptor)

    def sweep(self) -> None:
        """Remove what runs that were killed have staged more than a day ago."""
        limit = time.time() - _ABANDONED_S
        with os.scandir(self._descriptor) as entries:
            found = [each.name for each in entries if _STAGED.fullmatch(each.name)]
        for name in found:
            # Another run may be giving one of its own its name just now.
            with contextlib.suppress(FileNotFoundError):
                status = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
                if status.st_mtime < limit:
                    self.discard([name])

    def sync(self) -> None:
        """Make the names that were written durable."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the descriptor; safe to call twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_bounded(descriptor: int, limit: int) -> bytes:
    """Return what an open regular file holds.

    Raises:
        OSError: As `Folder.read`.
    """
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    data = b"".join(_chunks(descriptor, status.st_size + 1, limit + 1))
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"larger than {limit >> 20} MiB")
    return data


def reason(error: OSError) -> str:
    """Return what went wrong in the operating system's words, without the path."""
    if error.errno == errno.ELOOP:
        return "it is a symbolic link, and links are not followed"
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def _chunks(descriptor: int, expected: int, limit: int) -> Iterator[bytes]:
    # Counted while reading: the size that fstat tells may be outdated by a writer. It only says
    # how large a buffer is worth while: one for any file costs as much as reading a small one.
    size, left = min(max(expected, _LEAST_BYTES), _CHUNK_BYTES), limit
    while left and (chunk := os.read(descriptor, min(left, size))):
        left -= len(chunk)
        yield chunk


def _kind(entry: os.DirEntry[str]) -> Kind:
    if entry.is_symlink():
        return Kind.LINK
    if entry.is_dir(follow_symlinks=False):
        return Kind.FOLDER
    return Kind.FILE if entry.is_file(follow_symlinks=False) else Kind.OTHER
