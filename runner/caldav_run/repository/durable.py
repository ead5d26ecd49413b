"""Small files that survive a power cut, written whole or not at all."""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from caldav_run.errors import SetupError

_PRIVATE: Final = 0o600


def write_new(path: Path, text: str) -> None:
    """Write a file that nobody else may read.

    Raises:
        FileExistsError: It exists.
        OSError: The disk refused.
    """
    _write(path, text, _PRIVATE)
    sync_folder(path.parent)


def replace(path: Path, text: str) -> None:
    """Put a new content in the place of a file's old one, in one instant; mode and owner stay.

    Raises:
        OSError: There is no such file, or the disk refused; the file is as before.
    """
    # A link is followed: what it leads to is the file.
    path = path.resolve()
    before = path.stat()
    temporary = path.with_name(f".tmp-{secrets.token_hex(8)}")
    try:
        _write(temporary, text, before.st_mode & 0o777)
        os.chown(temporary, before.st_uid, before.st_gid)
        temporary.replace(path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    sync_folder(path.parent)


def text_of(lines: Sequence[str]) -> str:
    """Return lines as a file holds them."""
    return "\n".join((*lines, ""))


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn what goes wrong with key files into an error that names their folder.

    Raises:
        SetupError: The disk refused.
    """
    try:
        yield
    except OSError as error:
        raise SetupError(f"cannot write keys to {folder}: {error.strerror}") from error


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(path: Path, text: str, mode: int) -> None:
    # The mode is given at creation: nobody may read the file for an instant either.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
