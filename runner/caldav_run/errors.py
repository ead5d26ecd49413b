"""The errors that callers can act on, grouped by what can be done about them.

The exit status stands on the class, so that no table elsewhere can disagree with it.
"""

from typing import ClassVar


class CaldavRunError(Exception):
    """Something a person must know about; never shown as a traceback.

    Args:
        message: What was found and where, in one sentence without a final full stop.
        mend: What to do about it, or None when there is nothing to advise.
    """

    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, mend: str | None = None) -> None:
        """Keep the message and its mend apart, so that a report can lay them out."""
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        """Return the message, followed by the mend when there is one."""
        return f"{self.message}; {self.mend}" if self.mend else self.message


class ConnectorError(CaldavRunError):
    """A whole source or sink cannot be used; the others go on."""

    exit_status = 1


class DamageError(CaldavRunError):
    """Stored data is missing, altered or not signed by a trusted signer."""

    exit_status = 1


class UsageError(CaldavRunError):
    """The command line asks for something that does not exist."""

    exit_status = 2


class ItemError(CaldavRunError):
    """One calendar item cannot be used; the run goes on without it."""

    exit_status = 3


class MovedError(ItemError):
    """The destination is no more as the plan saw it: what to do has to be decided anew."""


class UnsureError(ItemError):
    """It is not known whether the destination did what it was told to do with an item."""


class CalendarError(CaldavRunError):
    """One calendar cannot be used; the run goes on without it."""

    exit_status = 3


class TemporaryError(ConnectorError):
    """The other side is unreachable, busy or locked; trying again later may help."""

    exit_status = 75


class AccessError(ConnectorError):
    """The other side refuses the credentials, or the operation for this user."""

    exit_status = 77


class SetupError(CaldavRunError):
    """A pipeline, a key or a repository is not as a run needs it."""

    exit_status = 78
