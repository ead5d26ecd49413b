"""An item without its bytes: what a plan compares."""

from caldav_run.errors import ItemError
from caldav_run.ical import schedule_agent, wording
from caldav_run.ical.canonical import digest, digest_tree
from caldav_run.ical.describe import label
from caldav_run.ical.scan import scan
from caldav_run.ical.tree import Component, parse
from caldav_run.model import Version


def version(body: bytes, href: str, etag: str | None) -> Version:
    """Return what a plan needs to know of one item; never fails.

    Args:
        body: The item's bytes, sound or not.
        href: Its name in its calendar.
        etag: Its etag at the destination; None for a wanted item or where unknown.
    """
    seen = scan(body)
    tree = _tree(body)
    return Version(
        uid=seen.uid or "",
        href=href,
        etag=etag,
        digest=digest(body) if tree is None else digest_tree(tree),
        stamp=seen.stamp,
        scheduled=seen.scheduled,
        label=(label(body) if tree is None else wording.label(tree)) or href,
        people=() if tree is None else schedule_agent.people(tree),
        hushed=tree is not None and schedule_agent.hushed(tree),
        components=seen.components,
        method=tree is not None and tree.first("METHOD") is not None,
        broken=tree is None,
    )


def _tree(body: bytes) -> Component | None:
    try:
        return parse(body)
    except ItemError:
        return None
