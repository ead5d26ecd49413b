"""How long the threads of a run wait for each other."""

import sys
from typing import Final

_TURN_S: Final = 0.0005


def shorten() -> None:
    """Have whoever computes let the others on after half a millisecond.

    An answer arrives in hundreds of pieces, and the thread that reads it needs a moment for each,
    while another one works on what came before: with Python's own 5 ms, most of the time of a large
    answer is waiting for that.
    """
    sys.setswitchinterval(_TURN_S)
