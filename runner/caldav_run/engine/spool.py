"""Bodies that wait for their plan, outside of memory."""

import tempfile
from types import TracebackType
from typing import NamedTuple, Self


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
        """Append a body and return where it lies."""
        self._file.seek(self._end)
        self._file.write(body)
        slot = Slot(self._end, len(body))
        self._end += len(body)
        return slot

    def get(self, slot: Slot) -> bytes:
        """Return the body that lies there."""
        self._file.seek(slot.offset)
        return self._file.read(slot.size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
