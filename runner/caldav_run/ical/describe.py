"""Human words for an item and for what changed in it."""

from caldav_run.errors import ItemError
from caldav_run.ical import wording
from caldav_run.ical.scan import scan
from caldav_run.ical.tree import parse


def label(body: bytes) -> str:
    """Return what to call an item: `Dentist (Mon 4 May 2026, 10:00)`; never fails.

    A broken item gets its title or UID; the answer is empty when it has neither.
    """
    try:
        return wording.label(parse(body))
    except ItemError:
        seen = scan(body)
        return wording.shorten(seen.summary or seen.uid or "")
