"""Bytes out of a repository for verbs that say something about them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from caldav_run.errors import ItemError

if TYPE_CHECKING:
    from caldav_run.repository.reader import Reader
    from caldav_run.repository.snapshots import ItemInfo

UNREADABLE: Final = "changed, but not both versions can be read"


def readable(reader: "Reader", wanted: Iterable["ItemInfo"]) -> dict[str, bytes]:
    """Return the bytes of versions by their hash; what is damaged is missing, and reported."""
    from caldav_run.model import Failed

    found: dict[str, bytes] = {}
    once = {each.sha256: each for each in wanted if each.sha256}
    for each in reader.bodies(once.values()):
        if isinstance(each, Failed):
            reader.report(ItemError(f"{each.calendar}/{each.href}: {each.reason}"))
        else:
            found[each.sha256] = each.body
    return found
