"""A limit on the work that one item may cause, whatever a stranger wrote into it."""

from typing import Final

STEPS: Final = 100_000


class TooLongError(Exception):
    """A rule would have to be walked for longer than an item may take."""


class Steps:
    """Counts the work on one item and ends it at a limit."""

    __slots__ = ("_left",)

    def __init__(self, limit: int = STEPS) -> None:
        """Allow `limit` steps of about a microsecond each."""
        self._left = limit

    def take(self, steps: int = 1) -> None:
        """Count steps.

        Raises:
            TooLongError: There have been too many.
        """
        self._left -= steps
        if self._left < 0:
            raise TooLongError("its recurrence rule takes too long to work out")
