"""Bodies that wait for their plan, outside of memory."""

import os
import tempfile
from types import TracebackType
from typing import NamedTuple, Self

from caldav_run.errors import TemporaryError


class Slot(NamedTuple):
    """Where a body lies in the spool."""

    offset: int
    size: int


class Spool:
    """A nameless temporary file: nobody else can open it, and it is gone with the process."""

    def __init__(self) -> None:
        """Open an empty spool."""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 -- closed by __exit__
        self._end = 0

    def put(self, body: bytes) -> Slot:
        """Append a body and return where it lies.

        Raises:
            TemporaryError: The disk refuses.
        """
        try:
            self._write(body)
        except OSError as error:
            raise TemporaryError(
                f"cannot keep items in {tempfile.gettempdir()}: {error.strerror}",
                mend="make room there, or set TMPDIR to a folder that has some",
            ) from error
        slot = Slot(self._end, len(body))
        self._end += len(body)
        return slot

    def get(self, slot: Slot) -> bytes:
        """Return the body that lies there."""
        return os.pread(self._file.fileno(), slot.size, slot.offset)

    def _write(self, body: bytes) -> None:
        # Past the buffers, so that a full disk shows here and not again when the file is closed.
        end = self._end
        rest = memoryview(body)
        while rest:
            written = os.pwrite(self._file.fileno(), rest, end)
            end, rest = end + written, rest[written:]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
