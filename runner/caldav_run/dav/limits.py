"""What a server takes of what is written, beyond what it says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

UNSUPPORTED: Final = frozenset({"VFREEBUSY", "VAVAILABILITY"})
"""What hardly any server keeps as an item, whatever its calendars are made for."""


class Uids(StrEnum):
    """Where a server has each UID only once (RFC 4791 section 5.3.2.1).

    Attributes:
        FREE: Nowhere, or it is not known.
        CALENDAR: In a calendar.
        ACCOUNT: In an account.
    """

    FREE = "free"
    CALENDAR = "calendar"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a server takes.

    Attributes:
        conditions: Whether it heeds If-Match and If-None-Match; where not, one has to look first.
        strict_components: Whether it refuses what a calendar's component set does not name.
        never: Components that it keeps in no calendar.
        largest: How many bytes an item may have, where the server says another number.
        uids: Where it has each UID only once.
        needs_uid: Whether it refuses an item without a UID.
        refuses_method: Whether it refuses an item with a METHOD (RFC 4791 section 4.1).
        trash: Whether what is deleted stays in a bin, and is in the way there.
    """

    conditions: bool = True
    strict_components: bool = False
    never: frozenset[str] = frozenset()
    largest: int | None = None
    uids: Uids = Uids.FREE
    needs_uid: bool = False
    refuses_method: bool = False
    trash: bool = False


_CYRUS: Final = Limits(
    strict_components=True, uids=Uids.ACCOUNT, needs_uid=True, refuses_method=True
)
_UNKNOWN: Final = Limits()
_LIMITS: Final[Mapping[str, Limits]] = MappingProxyType(
    {
        "cyrus": _CYRUS,
        "davical": Limits(never=UNSUPPORTED),
        "fastmail": _CYRUS,
        # It heeds If-Match, and nothing else.
        "google": Limits(
            conditions=False,
            never=UNSUPPORTED | {"VTODO", "VJOURNAL"},
            uids=Uids.CALENDAR,
            needs_uid=True,
        ),
        "icloud": Limits(strict_components=True, never=UNSUPPORTED | {"VJOURNAL"}, needs_uid=True),
        "nextcloud": Limits(
            strict_components=True,
            never=UNSUPPORTED,
            largest=10_485_760,
            uids=Uids.CALENDAR,
            refuses_method=True,
            trash=True,
        ),
        "baikal": Limits(strict_components=True, never=UNSUPPORTED),
        "radicale": Limits(never=UNSUPPORTED, uids=Uids.CALENDAR, needs_uid=True),
        "sogo": Limits(conditions=False, never=UNSUPPORTED | {"VJOURNAL"}, uids=Uids.CALENDAR),
        "xandikos": Limits(strict_components=True, uids=Uids.CALENDAR),
        "zimbra": Limits(conditions=False),
    }
)


def limits_of(profile: str) -> Limits:
    """Return what is known of the servers of a profile, by its name."""
    return _LIMITS.get(profile, _UNKNOWN)
