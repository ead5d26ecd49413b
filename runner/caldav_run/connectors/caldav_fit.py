"""Whether an item fits a server, said before anything is sent."""

from dataclasses import dataclass
from typing import Final

from caldav_run.connectors.mirroring import Clash
from caldav_run.dav.collections import Collection
from caldav_run.dav.limits import Limits
from caldav_run.dav.profiles import Profile
from caldav_run.model import Calendar, Version

_KINDS: Final = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"})


@dataclass(frozen=True, slots=True)
class Slot:
    """Where an item is to go.

    Attributes:
        profile: How the server is treated.
        calendar: The calendar, as it is or as it would be made.
        collection: The same on the server; None for one that is not there yet.
    """

    profile: Profile
    calendar: Calendar
    collection: Collection | None

    def unfit(self, wanted: Version, size: int) -> str | None:
        """Return why the server will not take an item; None where nothing is known against it.

        Args:
            wanted: The item.
            size: How many bytes it has.
        """
        limits, title = self.profile.limits, self.profile.title
        if limits.refuses_method and wanted.method:
            return f"it has a METHOD, as messages have; {title} takes none (RFC 4791 section 4.1)"
        if limits.needs_uid and not wanted.uid:
            return f"it has no UID, and {title} takes nothing without one"
        if (largest := self._largest(limits)) is not None and size > largest:
            return f"it has {size:,} bytes, and {title} takes {largest:,} at most"
        return self._unfit_kind(wanted, limits)

    def _largest(self, limits: Limits) -> int | None:
        told = None if self.collection is None else self.collection.largest
        return limits.largest or told

    def _unfit_kind(self, wanted: Version, limits: Limits) -> str | None:
        kinds = _KINDS.intersection(wanted.components)
        if never := sorted(kinds & limits.never):
            return f"it is a {', '.join(never)}, which {self.profile.title} keeps in no calendar"
        taken = self.calendar.components
        if limits.strict_components and taken and (others := sorted(kinds - {*taken})):
            return f"it is a {', '.join(others)}, and the calendar takes {', '.join(taken)} only"
        return None


def doubled(title: str, here: str | None, elsewhere: str | None) -> str | None:
    """Return why an item is not taken beside another one with its UID; None where there is none.

    Args:
        title: What the server is called.
        here: The name of such an item in its calendar.
        elsewhere: The name of another calendar that has such an item.
    """
    if here is not None:
        return Clash(f"{here} has its UID already, and {title} takes each UID once in a calendar")
    if elsewhere is not None:
        return Clash(
            f'an item of the calendar "{elsewhere}" has its UID already, and {title} takes each UID'
            " once in an account"
        )
    return None
