"""Where an account's homes are, as these homes say themselves while they are listed."""

from typing import Final

from caldav_run.dav import names
from caldav_run.dav.multistatus import Response

ASKED: Final = (names.CURRENT_USER_PRINCIPAL, names.CALENDAR_HOME_SET)


class Signpost:
    """Collects what the homes of one account say.

    Every resource knows who asks (RFC 5397). Of the homes only principals have to know (RFC 4791
    section 6.2.1), but many a server says it of the home as well.
    """

    def __init__(self) -> None:
        """Begin with nothing said."""
        self._told: set[str] = set()

    @property
    def told(self) -> tuple[str, ...]:
        """What was said, in a form to be compared with what is said another time."""
        return tuple(sorted(self._told))

    def look(self, home: Response) -> None:
        """Take what a home says of itself."""
        for name in ASKED:
            element = home.properties.get(name)
            for href in () if element is None else element.iter(names.HREF):
                self._told.add(f"{name} {(href.text or '').strip()}")


def leads_home(told: tuple[str, ...]) -> bool:
    """Return whether it was said where the homes are, so that another one would be noticed."""
    return any(each.startswith(names.CALENDAR_HOME_SET) for each in told)
