"""What a repository needs of the place where its objects lie."""

from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar, NamedTuple, Protocol

from caldav_run.errors import ConnectorError, DamageError


class MissingObjectError(DamageError):
    """An object that should be there is not."""


class PlaceError(ConnectorError):
    """The place is not set up as it is asked for: no such bucket, or another region."""

    exit_status: ClassVar[int] = 78


class Stored(NamedTuple):
    """An object as a listing shows it.

    Attributes:
        name: Its name.
        size: Its size in bytes.
        modified: When it was stored, by the store's own clock.
    """

    name: str
    size: int
    modified: datetime


class Store(Protocol):
    """Named objects that are written once and never changed.

    Every method raises `ConnectorError` when the place refuses or cannot be reached.
    """

    location: str
    """Where it is, for messages."""

    def list(self, prefix: str = "", after: str = "") -> Iterator[Stored]:
        """Yield the objects whose names begin with the prefix and sort behind `after`.

        Args:
            prefix: Empty, or the name of a folder with its final slash.
            after: Names up to and including this one are passed over.

        Yields:
            Objects by ascending name; nothing where there is no such place.
        """

    def get(self, name: str) -> bytes:
        """Return an object's bytes.

        Raises:
            MissingObjectError: There is no such object.
        """

    def put(self, name: str, data: bytes) -> None:
        """Store an object durably; doing so again with the same bytes changes nothing."""

    def delete(self, name: str) -> None:
        """Delete an object; one that is not there is no error."""
