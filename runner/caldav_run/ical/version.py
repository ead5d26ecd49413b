"""An item without its bytes: what a plan compares."""

from caldav_run.errors import ItemError
from caldav_run.ical import wording
from caldav_run.ical.canonical import digest, digest_tree
from caldav_run.ical.describe import label
from caldav_run.ical.scan import scan
from caldav_run.ical.tree import parse
from caldav_run.model import Version


def version(body: bytes, href: str, etag: str | None) -> Version:
    """Return what a plan needs to know of one item; never fails.

    Args:
        body: The item's bytes, sound or not.
        href: Its name in its calendar.
        etag: Its etag at the destination; None for a wanted item or where unknown.
    """
    seen = scan(body)
    try:
        tree = parse(body)
    except ItemError:
        fingerprint, name = digest(body), label(body)
    else:
        fingerprint, name = digest_tree(tree), wording.label(tree)
    return Version(
        uid=seen.uid or "",
        href=href,
        etag=etag,
        digest=fingerprint,
        stamp=seen.stamp,
        scheduled=seen.scheduled,
        label=name or href,
    )
