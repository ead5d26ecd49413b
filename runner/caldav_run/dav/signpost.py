"""Where an account's homes are, as these homes say themselves while they are listed."""

from typing import Final

from caldav_run.dav import hrefs, names
from caldav_run.dav.multistatus import Response

ASKED: Final = (names.CURRENT_USER_PRINCIPAL, names.CALENDAR_HOME_SET)


class Signpost:
    """Collects what the homes of one account say.

    Every resource knows who asks (RFC 5397). Of the homes only principals have to know (RFC 4791
    section 6.2.1), but many a server says it of the home as well.

    Attributes:
        availability: When the user is available, a whole VCALENDAR as text: what the scheduling
            inbox says (RFC 7953 section 7.2), else the home; None where neither does.
        withheld: The status by which that is refused; 0 for none.
        inbox: The URL of the scheduling inbox; None where none is listed.
    """

    def __init__(self) -> None:
        """Begin with nothing said."""
        self.availability: str | None = None
        self.withheld = 0
        self.inbox: str | None = None
        self._told: set[str] = set()

    @property
    def told(self) -> tuple[str, ...]:
        """What was said, in a form to be compared with what is said another time."""
        return tuple(sorted(self._told))

    def look(self, found: Response) -> None:
        """Take what a home says of itself, and what is said of the inbox in it."""
        itself = hrefs.relative(found.href, found.base) == ""
        kinds = found.properties.get(names.RESOURCETYPE)
        inbox = kinds is not None and kinds.find(names.SCHEDULE_INBOX) is not None
        if inbox:
            self.inbox = self.inbox or found.url
        if itself or inbox:
            said = found.text(names.AVAILABILITY)
            self.availability = said if inbox and said else self.availability or said
            self.withheld = self.withheld or found.refused.get(names.AVAILABILITY, 0)
        for name in ASKED if itself else ():
            element = found.properties.get(name)
            for href in () if element is None else element.iter(names.HREF):
                self._told.add(f"{name} {(href.text or '').strip()}")


def leads_home(told: tuple[str, ...]) -> bool:
    """Return whether it was said where the homes are, so that another one would be noticed."""
    return any(each.startswith(names.CALENDAR_HOME_SET) for each in told)
