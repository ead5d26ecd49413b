"""Just as much of tar as the repository's objects are made of: plain files with ustar headers.

The writer is several times as fast as `tarfile`; the reader refuses everything that the writer
would not have written, never holds more than one member, and never touches the disk.

Source: POSIX.1-2017, pax, "ustar Interchange Format".
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from caldav_run.repository.broken import FormatError

BLOCK: Final = 512
END: Final = bytes(2 * BLOCK)
_NAME_BYTES: Final = 100
_PREFIX_BYTES: Final = 155
_SIZE_LIMIT: Final = 8**11
_MODE_AND_OWNER: Final = b"0000644\x000000000\x000000000\x00"
_OWNER_NAMES: Final = bytes(32 + 32) + b"0000000\x000000000\x00"


def header(name: str, size: int, mtime: int) -> bytes:
    """Return the 512-byte header of a plain file.

    Args:
        name: ASCII, with `/` between folders.
        size: Bytes of content.
        mtime: Unix time in seconds.

    Raises:
        ValueError: The name or the size does not fit into a ustar header.
    """
    prefix, base = _split(name.encode("ascii"))
    if not 0 <= size < _SIZE_LIMIT:
        raise ValueError(f"{size} bytes do not fit into a tar member")
    front = base.ljust(_NAME_BYTES, b"\0") + _MODE_AND_OWNER + b"%011o\0%011o\0" % (size, mtime)
    back = b"0" + bytes(100) + b"ustar\x0000" + _OWNER_NAMES + prefix.ljust(_PREFIX_BYTES, b"\0")
    checksum = sum(front) + sum(back) + 8 * 0x20
    return b"%b%06o\0 %b%b" % (front, checksum, back, bytes(12))


def padding(size: int) -> bytes:
    """Return the zeros that fill a member's last block."""
    return bytes(-size % BLOCK)


def _split(name: bytes) -> tuple[bytes, bytes]:
    if len(name) <= _NAME_BYTES:
        return b"", name
    prefix, slash, base = name.rpartition(b"/")
    if not slash or len(base) > _NAME_BYTES or len(prefix) > _PREFIX_BYTES:
        raise ValueError(f"{name!r} does not fit into a tar header")
    return prefix, base


def members(
    chunks: Iterable[bytes], wanted: Callable[[str, int], bool]
) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the wanted members, in order; see `pieces`."""
    return ((name, b"".join(content)) for name, content in pieces(chunks, wanted))


def pieces(
    chunks: Iterable[bytes], wanted: Callable[[str, int], bool]
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield name and content of the wanted members, in order; nothing is held of them.

    Args:
        chunks: The archive, in pieces of any size.
        wanted: Told a member's name and size before its content is read; may raise.

    Yields:
        A name, and the content in pieces, which have to be taken before the next member is.

    Raises:
        FormatError: The archive is cut off or holds anything but plain files; the pieces raise
            it too.
    """
    stream = _Stream(chunks)
    while (block := stream.take(BLOCK)) != bytes(BLOCK):
        name, size = _parse(block)
        if wanted(name, size):
            content = stream.parts(size)
            yield name, content
            deque(content, maxlen=0)
            stream.skip(-size % BLOCK)
        else:
            stream.skip(size + -size % BLOCK)


def _parse(block: bytes) -> tuple[str, int]:
    size = _octal(block[124:136])
    checksum = sum(block[:148]) + sum(block[156:]) + 8 * 0x20
    if _octal(block[148:156]) != checksum or block[257:263] != b"ustar\0":
        raise FormatError("it holds a broken tar header")
    if block[156:157] != b"0":
        raise FormatError("it holds a tar member that is no plain file")
    base = block[:100].rstrip(b"\0")
    prefix = block[345:500].rstrip(b"\0")
    try:
        return (prefix + b"/" + base if prefix else base).decode("ascii"), size
    except UnicodeDecodeError as error:
        raise FormatError("it holds a tar member with a foreign name") from error


def _octal(field: bytes) -> int:
    digits = field.rstrip(b"\0 ")
    if not digits or digits.strip(b"01234567"):
        raise FormatError("it holds a broken tar header")
    return int(digits, 8)


class _Stream:
    """Exact reads from an iterable of chunks."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._buffer = b""
        self._at = 0

    def _available(self) -> int:
        """Return how many bytes are at hand, after asking for more if there are none."""
        if self._at == len(self._buffer):
            # A decompressor may yield empty chunks.
            self._buffer = next((chunk for chunk in self._chunks if chunk), b"")
            self._at = 0
            if not self._buffer:
                raise FormatError("its tar archive is cut off")
        return len(self._buffer) - self._at

    def _next(self, size: int) -> bytes:
        size = min(size, self._available())
        part = self._buffer[self._at : self._at + size]
        self._at += size
        return part

    def take(self, size: int) -> bytes:
        return b"".join(self.parts(size))

    def parts(self, size: int) -> Iterator[bytes]:
        while size:
            part = self._next(size)
            size -= len(part)
            yield part

    def skip(self, size: int) -> None:
        while size:
            step = min(size, self._available())
            self._at += step
            size -= step
