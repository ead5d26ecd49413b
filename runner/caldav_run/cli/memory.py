"""Memory that is free again goes back to the system."""

import contextlib
import ctypes
from typing import Final

# Of <malloc.h>.
_M_ARENA_MAX: Final = -8
_M_MMAP_THRESHOLD: Final = -3
_LARGE: Final = 1 << 20


def give_back() -> None:
    """Have the C library return each large block at once, and give all threads one place.

    By itself glibc stops returning them once a few were freed, and a run that goes through packs
    of megabytes keeps tens of them; and it gives each thread a place of its own, which grows to
    the largest answer that was read in it. Other C libraries have no such settings, or need none.
    """
    # Nothing to look up by name: on Windows, say.
    with contextlib.suppress(AttributeError, OSError, TypeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE)
        library.mallopt(_M_ARENA_MAX, 1)
