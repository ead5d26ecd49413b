"""The XML bodies of requests, written as text: small, fixed shapes, no tree to build."""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from caldav_run.dav import names
from caldav_run.model import Calendar

_HEAD: Final = '<?xml version="1.0" encoding="utf-8"?>\n'
_DECLARATIONS: Final = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in names.PREFIXES.items())
_PREFIX_OF: Final = {uri: prefix for prefix, uri in names.PREFIXES.items()}
# What XML 1.0 cannot carry in any spelling (section 2.2).
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def propfind(properties: Iterable[str]) -> bytes:
    """Return the body that asks for these properties (RFC 4918 section 14.20)."""
    asked = "".join(_empty(name) for name in properties)
    return _document("d:propfind", f"<d:prop>{asked}</d:prop>")


def multiget(hrefs: Iterable[str]) -> bytes:
    """Return the body of a calendar-multiget for these hrefs (RFC 4791 section 9.10).

    Args:
        hrefs: The members to give, each in the server's own spelling.
    """
    listed = "".join(f"<d:href>{_text(href)}</d:href>" for href in hrefs)
    return _document(
        "c:calendar-multiget", f"<d:prop><d:getetag/><c:calendar-data/></d:prop>{listed}"
    )


def sync_collection(token: str, properties: Iterable[str]) -> bytes:
    """Return the body that asks what changed since a token (RFC 6578 section 6.1).

    There is no DAV:limit in it: some servers lose changes with one.
    """
    asked = "".join(_empty(name) for name in properties)
    return _document(
        "d:sync-collection",
        f"<d:sync-token>{_text(token)}</d:sync-token><d:sync-level>1</d:sync-level>"
        f"<d:prop>{asked}</d:prop>",
    )


def query(properties: Iterable[str], component: str = "", uid: str = "") -> bytes:
    """Return the body of a calendar-query (RFC 4791 section 7.8).

    Args:
        properties: What to tell of each item.
        component: Which kind of items to give; all when empty.
        uid: What their UID must contain, where a component is named.
    """
    asked = "".join(_empty(name) for name in properties)
    match = f'<c:text-match collation="i;octet">{_text(uid)}</c:text-match>' if uid else ""
    wanted = f'<c:prop-filter name="UID">{match}</c:prop-filter>' if match else ""
    inner = f"<c:comp-filter name={quoteattr(component)}>{wanted}</c:comp-filter>"
    return _document(
        "c:calendar-query",
        f'<d:prop>{asked}</d:prop><c:filter><c:comp-filter name="VCALENDAR">'
        f"{inner if component else ''}</c:comp-filter></c:filter>",
    )


def mkcalendar(properties: Mapping[str, str]) -> bytes:
    """Return the body that creates a calendar with these properties (RFC 4791 section 9.2).

    Args:
        properties: The markup of each property's value, by Clark name.
    """
    return _document("c:mkcalendar", _set(properties))


def extended_mkcol(properties: Mapping[str, str]) -> bytes:
    """Return the body of an extended MKCOL that creates a calendar (RFC 5689 section 5.1)."""
    kind = {names.RESOURCETYPE: "<d:collection/><c:calendar/>"}
    return _document("d:mkcol", _set(kind | dict(properties)))


def proppatch(properties: Mapping[str, str]) -> bytes:
    """Return the body that sets these properties (RFC 4918 section 14.19)."""
    return _document("d:propertyupdate", _set(properties))


def availability(text: str) -> bytes:
    """Return the body that says when the user is available; empty for nothing any more."""
    if text:
        return proppatch({names.AVAILABILITY: _text(text)})
    removed = f"<d:remove><d:prop>{_empty(names.AVAILABILITY)}</d:prop></d:remove>"
    return _document("d:propertyupdate", removed)


def values(calendar: Calendar) -> dict[str, str]:
    """Return the markup of each property that a calendar has, by Clark name."""
    texts = {
        names.DISPLAYNAME: calendar.display_name,
        names.COLOR: calendar.color,
        names.ORDER: None if calendar.order is None else str(calendar.order),
        names.DESCRIPTION: calendar.description,
        names.TIMEZONE: calendar.timezone,
    }
    markup = {name: _text(text) for name, text in texts.items() if text is not None}
    if calendar.components:
        markup[names.COMPONENT_SET] = "".join(
            f"<c:comp name={quoteattr(name)}/>" for name in calendar.components
        )
    return markup


def _document(root: str, content: str) -> bytes:
    return f"{_HEAD}<{root}{_DECLARATIONS}>{content}</{root}>".encode()


def _text(text: str) -> str:
    """Return markup for a text; a CR is escaped, or the reader would see an LF."""
    return escape(_ILLEGAL.sub("", text), {"\r": "&#13;"})


def _set(properties: Mapping[str, str]) -> str:
    elements = "".join(
        f"<{_qualified(name)}>{markup}</{_qualified(name)}>" for name, markup in properties.items()
    )
    return f"<d:set><d:prop>{elements}</d:prop></d:set>"


def _empty(name: str) -> str:
    return f"<{_qualified(name)}/>"


def _qualified(name: str) -> str:
    """Return a Clark name as prefix and local name."""
    uri, _, local = name[1:].partition("}")
    return f"{_PREFIX_OF[uri]}:{local}"
