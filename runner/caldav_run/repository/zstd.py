"""Zstandard behind one import place, with padding and with bounded decompression."""

import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from caldav_run.repository.broken import FormatError

if sys.version_info >= (3, 14):  # pragma: no cover
    from compression.zstd import (
        CompressionParameter,
        ZstdCompressor,
        ZstdDecompressor,
        ZstdError,
        compress,
    )
else:
    from backports.zstd import (
        CompressionParameter,
        ZstdCompressor,
        ZstdDecompressor,
        ZstdError,
        compress,
    )

# Measured on events: the longer search saves as much as level 11, and no table grows for it.
_OPTIONS: Final[Mapping[int, int]] = {
    CompressionParameter.compression_level: 9,
    CompressionParameter.search_log: 6,
}
# For so little input, the work of the highest level costs hundredths of a second.
_LITTLE: Final = 256 << 10
_LITTLE_LEVEL: Final = 19
_CHUNK: Final = 256 << 10
_ONE_SHOT: Final = 1 << 20
# RFC 8878 section 3.1.2: a frame that every decoder skips, magic and length before its content.
_SKIPPABLE_MAGIC: Final = b"\x50\x2a\x4d\x18"
_SKIPPABLE_HEADER: Final = 8


class Compressor:
    """Compresses what it is fed into one frame, while the caller goes on.

    A short input is kept and compressed at once: knowing its size, zstd picks tables that fit.
    """

    def __init__(self) -> None:
        """Start an empty frame."""
        self._waiting = bytearray()
        self._stream: ZstdCompressor | None = None
        self._worker = ThreadPoolExecutor(1)
        self._done: list[Future[bytes]] = []

    def feed(self, data: bytes) -> None:
        """Take more of the input."""
        self._waiting += data
        if len(self._waiting) >= _ONE_SHOT:
            if self._stream is None:
                self._stream = ZstdCompressor(options=_OPTIONS)
            if self._done:
                # One at a time is under way: what waits is in memory.
                self._done[-1].result()
            self._done.append(self._worker.submit(self._stream.compress, bytes(self._waiting)))
            self._waiting.clear()

    def finish(self) -> bytes:
        """Return the whole frame; the compressor is used up."""
        if self._stream is None:
            if len(self._waiting) <= _LITTLE:
                return compress(bytes(self._waiting), _LITTLE_LEVEL)
            return compress(bytes(self._waiting), options=_OPTIONS)
        self._worker.shutdown()
        parts = [each.result() for each in self._done]
        parts += [self._stream.compress(bytes(self._waiting)), self._stream.flush()]
        # Large, and still to be padded and sealed: one copy of it is enough.
        self._stream = None
        self._done.clear()
        return b"".join(parts)


def padme(size: int) -> int:
    """Return the next size that tells at most O(log log size) bits about the original.

    Source: Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication
    with PURBs", section 4 (the Padmé function).
    """
    if size <= 1:
        return size
    exponent = size.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (size + mask) & ~mask


def padded(frame: bytes) -> bytes:
    """Return the frame with a skippable one behind it, so that the sum is a Padmé size."""
    size = padme(len(frame))
    if size == len(frame):
        return frame
    # The shortest skippable frame is its header: a smaller gap is filled by the next size.
    size = padme(max(size, len(frame) + _SKIPPABLE_HEADER))
    content = size - len(frame) - _SKIPPABLE_HEADER
    return frame + _SKIPPABLE_MAGIC + content.to_bytes(4, "little") + bytes(content)


def inflate(data: bytes, limit: int) -> Iterator[bytes]:
    """Yield the content of all frames in chunks of at most 256 KiB.

    Args:
        data: Zstandard and skippable frames.
        limit: How many bytes the content may have.

    Raises:
        FormatError: The frames are broken or cut off, or hold more than `limit` bytes.
    """
    total = at = 0
    while at < len(data):
        decoder = ZstdDecompressor()
        while not decoder.eof:
            # Given all at once, the decoder would keep a copy of it.
            part = data[at : at + _CHUNK] if decoder.needs_input else b""
            at += len(part)
            chunk = _decompressed(decoder, part)
            total += len(chunk)
            if total > limit:
                raise FormatError(f"it unpacks to more than {limit} bytes")
            yield chunk
        at -= len(decoder.unused_data)


def _decompressed(decoder: ZstdDecompressor, part: bytes) -> bytes:
    if decoder.needs_input and not part:
        raise FormatError("its compressed data is cut off")
    try:
        return decoder.decompress(part, _CHUNK)
    except ZstdError as error:
        raise FormatError("its compressed data is broken") from error
