"""Data objects: `tar | zstd | age`, named by the SHA-256 of the stored bytes."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from caldav_run.errors import DamageError, SetupError
from caldav_run.repository import age, names, tar, zstd
from caldav_run.repository.broken import FormatError

# Only what a trusted writer signed is unpacked; the limit is against accidents and stolen keys.
MAX_UNPACKED: Final = 4 << 30


class Envelope:
    """Builds one data object from plain files."""

    def __init__(self, mtime: int) -> None:
        """Start an empty object, whose files bear the given Unix time."""
        self._mtime = mtime
        self._compressor = zstd.Compressor()

    def add(self, name: str, content: bytes) -> None:
        """Add one file."""
        self.add_chunks(name, len(content), (content,))

    def add_chunks(self, name: str, size: int, chunks: Iterable[bytes]) -> None:
        """Add one file of a known size, whose content comes in pieces."""
        feed = self._compressor.feed
        feed(tar.header(name, size, self._mtime))
        for chunk in chunks:
            feed(chunk)
        feed(tar.padding(size))

    def seal(self, recipients: Sequence[str]) -> bytes:
        """Return the stored bytes; the envelope is used up."""
        self._compressor.feed(tar.END)
        return age.seal(zstd.padded(self._compressor.finish()), recipients)


def sha256(stored: bytes) -> str:
    """Return the hash that the object's name ends with."""
    return hashlib.sha256(stored).hexdigest()


def check_name(name: str, stored: bytes) -> None:
    """Compare an object with the hash in its name.

    Raises:
        DamageError: It was altered or cut off.
    """
    if sha256(stored) != names.sha256_of(name):
        raise DamageError(f"{name} is damaged: its content does not match its name")


def unseal(name: str, stored: bytes, identities: Sequence[age.Identity]) -> bytes:
    """Check an object against its name and decrypt it whole.

    Returns:
        The compressed archive.

    Raises:
        DamageError: It was altered or cut off.
        SetupError: None of the identities opens it.
    """
    check_name(name, stored)
    try:
        return age.unseal(stored, identities)
    except age.NoMatchingKeyError as error:
        raise SetupError(
            f"none of the given identities opens {name}",
            mend="give the identity of one of the repository's recipients with --identity",
        ) from error


def unpack(
    name: str, archive: bytes, wanted: Callable[[str, int], bool]
) -> Iterator[tuple[str, bytes]]:
    """Yield the wanted files of a decrypted object, in order.

    Args:
        name: The object's name, for errors.
        archive: What `unseal` returned.
        wanted: Told a file's name and size before its content is read.

    Raises:
        DamageError: The archive is broken.
    """
    return ((each, b"".join(content)) for each, content in pieces(name, archive, wanted))


def pieces(
    name: str, archive: bytes, wanted: Callable[[str, int], bool]
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield the wanted files as `unpack` does, but each in pieces: nothing is held of it.

    Raises:
        DamageError: The archive is broken; the pieces raise it too.
    """
    try:
        for each, content in tar.pieces(zstd.inflate(archive, MAX_UNPACKED), wanted):
            yield each, _named(name, content)
    except FormatError as error:
        raise _damaged(name, error) from error


def _named(name: str, content: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from content
    except FormatError as error:
        raise _damaged(name, error) from error


def _damaged(name: str, error: FormatError) -> DamageError:
    return DamageError(f"{name} is damaged: {error}")
