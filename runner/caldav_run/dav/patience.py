"""Asking again where a failure may pass by itself."""

from collections.abc import Callable
from time import sleep as pause
from typing import Final, TypeVar

from caldav_run.dav.failures import BrokenOffError, StatusError

T = TypeVar("T")

_WAITS_S: Final = (1.0, 4.0)
_PASSING: Final = frozenset({500, 502, 504})


def patiently(ask: Callable[[], T]) -> T:
    """Return what was asked for; a server that fails for a moment is asked again.

    For lists, on which much depends. One item that fails is no reason to wait: a server may fail
    at it for ever. What `Connection.send` has waited for already is not waited for here.

    Args:
        ask: Asks, and takes the whole answer.
    """
    for wait_s in _WAITS_S:
        try:
            return ask()
        except BrokenOffError:
            pause(wait_s)
        except StatusError as error:
            if error.status not in _PASSING:
                raise
            pause(wait_s)
    return ask()
