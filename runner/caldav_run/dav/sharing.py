"""Whose a calendar is, and who else has it: what three kinds of servers say, in one form."""

from collections.abc import Iterator
from typing import Final

from lxml import etree

from caldav_run.dav import hrefs, names
from caldav_run.dav.multistatus import Response

ASKED: Final = (names.OC_INVITE, names.CS_INVITE, names.DAV_INVITE)
_SHAREES: Final = (names.OC_USER, names.CS_USER, names.DAV_SHAREE)
_ACCESS: Final = (names.OC_ACCESS, names.CS_ACCESS, names.SHARE_ACCESS)


def told(response: Response, owner: str | None) -> str | None:
    """Return what a server says of who has a calendar, sorted; None where it says nothing.

    Args:
        response: What describes the calendar, and who asks.
        owner: The href of its owner's principal, as spelled.
    """
    found = set(_sharees(response))
    asking = response.properties.get(names.CURRENT_USER_PRINCIPAL)
    myself = None if asking is None else (asking.findtext(names.HREF) or "").strip()
    if owner and myself and hrefs.key(hrefs.path_of(owner)) != hrefs.key(hrefs.path_of(myself)):
        found.add(f"owner {owner}")
    return ", ".join(sorted(found)) or None


def _sharees(response: Response) -> Iterator[str]:
    for name in ASKED:
        element = response.properties.get(name)
        for person in () if element is None else element.iter(*_SHAREES):
            href = (person.findtext(names.HREF) or "").strip()
            if href:
                yield f"{_access(person)} {href}"


def _access(person: etree._Element) -> str:
    """Return what somebody may do: `read`, `read-write`, or what else the server calls it."""
    for name in _ACCESS:
        element = person.find(name)
        for child in () if element is None else element:
            return etree.QName(child).localname
    return "shared"
