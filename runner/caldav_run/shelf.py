"""Where the files of managed attachments (RFC 8607) lie in a reading and in a repository.

They are the members of a calendar that no server has: `#` never stands in the path of a URL.
"""

from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from caldav_run.model import Calendar

ID: Final = "#attachments"
CALENDAR: Final = Calendar(id=ID, display_name="Attachments", read_only=True)


ACCOUNT: Final = "#account"
"""The id of what is no calendar either: its properties are those of the account as a whole."""


def is_calendar(identity: str) -> bool:
    """Return whether this is the id of a real calendar."""
    return identity not in {ID, ACCOUNT}


class Place(NamedTuple):
    """Where a file belongs.

    Attributes:
        calendar: The id of the calendar.
        href: The name of the item there that refers to the file.
        managed_id: What the item calls it (RFC 8607 section 4.3).
    """

    calendar: str
    href: str
    managed_id: str

    @property
    def owner(self) -> tuple[str, str]:
        """The item that the file belongs to."""
        return self.calendar, self.href

    @property
    def name(self) -> str:
        """What the file is called on the shelf."""
        return "/".join(quote(part, safe="", errors="surrogateescape") for part in self)


def place(name: str) -> Place | None:
    """Return where a file of the shelf belongs; None for a name that is none of ours."""
    parts = name.split("/")
    if len(parts) != len(Place._fields):
        return None
    return Place(*(unquote(part, errors="surrogateescape") for part in parts))
