"""Names for new items and calendars, which every server takes."""

import hashlib
import re
from collections.abc import Container
from typing import Final

from caldav_run.dav import hrefs

# What every server in the field takes as a name: no leading dot, nothing to escape.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@-]{0,95}\.ics")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_]+")
_SLUG_LENGTH: Final = 40


def slug(text: str) -> str:
    """Return letters, digits, `_` and single `-` that remind of a text; may be empty."""
    return _UNSAFE.sub("-", text).strip("-")[:_SLUG_LENGTH].rstrip("-")


def digest(text: str) -> str:
    """Return eight hexadecimal digits that tell one text from another."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def new_href(href: str, uid: str, taken: Container[str]) -> str:
    """Return the name for an item that is not there yet.

    Args:
        href: Its name at the source, kept where it is plain.
        uid: Its UID; may be empty.
        taken: The keys (`hrefs.key`) of names in use: some servers overwrite in spite of
            If-None-Match.
    """
    if _PLAIN.fullmatch(href) and hrefs.key(href) not in taken:
        return href
    stem = slug(href.removesuffix(".ics")) or "item"
    hashed = f"{stem}-{digest(href)}.ics"
    if hrefs.key(hashed) not in taken:
        return hashed
    return f"{stem}-{digest(f'{href} {uid}')}.ics"
