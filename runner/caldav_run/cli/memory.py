"""Memory that is free again goes back to the system."""

import contextlib
import ctypes
from typing import Final

# Of <malloc.h>.
_M_MMAP_THRESHOLD: Final = -3
_LARGE: Final = 1 << 20


def give_back() -> None:
    """Have the C library return each large block as soon as it is freed.

    By itself glibc stops doing so once a few were freed, and a run that goes through packs of
    megabytes keeps tens of them. Other C libraries have no such setting, or need none.
    """
    # Nothing to look up by name: on Windows, say.
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
