"""Plain requests to a server, and its answers as they are, without the client under test."""

import base64
import ssl
from collections.abc import Iterable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from types import TracebackType
from typing import Final, NamedTuple, Self
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape

from lxml import etree

from caldav_run.testing.servers import Server

DAV: Final = "{DAV:}"
CALDAV: Final = "{urn:ietf:params:xml:ns:caldav}"
SERVER: Final = "{http://calendarserver.org/ns/}"
_NAMESPACES: Final = (
    'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
    ' xmlns:s="http://calendarserver.org/ns/" xmlns:i="http://apple.com/ns/ical/"'
)
_XML: Final = {"Content-Type": "application/xml; charset=utf-8"}
_CALENDAR: Final = {"Content-Type": "text/calendar; charset=utf-8"}
_LIMIT_S: Final = 120.0
_OK: Final = 200


class Answer(NamedTuple):
    """One answer; `headers` are by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def good(self) -> bool:
        """Whether the server did what it was asked to."""
        return 200 <= self.status < 300


class Resource(NamedTuple):
    """What a multistatus says of one resource: its href as spelled, and properties by Clark name.

    `status` is that of the resource as a whole, 200 where only properties are listed.
    """

    href: str
    status: int
    properties: Mapping[str, etree._Element]

    def text(self, name: str) -> str:
        """Return a property's text; empty where there is none."""
        found = self.properties.get(name)
        return "" if found is None else found.text or ""

    def kinds(self) -> frozenset[str]:
        """Return what DAV:resourcetype names."""
        found = self.properties.get(f"{DAV}resourcetype")
        return frozenset() if found is None else frozenset(str(each.tag) for each in found)


class Raw:
    """One connection to one account.

    Paths are as the server spells them, percent-encoded.
    """

    def __init__(self, account: Server) -> None:
        """Take the account; nothing is sent yet."""
        self.account = account
        parts = urlsplit(account.url)
        self._connection = (
            HTTPSConnection(parts.netloc, timeout=_LIMIT_S, context=ssl.create_default_context())
            if parts.scheme == "https"
            else HTTPConnection(parts.netloc, timeout=_LIMIT_S)
        )
        pair = base64.b64encode(f"{account.username}:{account.password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {pair}"} if account.password else {}

    def __enter__(self) -> Self:
        """Give the connection."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of it; it opens again when something is sent."""
        self._connection.close()

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request; once more where the kept connection turns out to be closed."""
        try:
            return self._once(method, path, body, headers or {})
        except (OSError, HTTPException):
            self._connection.close()
            return self._once(method, path, body, headers or {})

    def _once(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        target = quote(path, safe="/%:@!$&'()*+,;=~-._?")
        self._connection.request(method, target, body, {**self._headers, **headers})
        found = self._connection.getresponse()
        data = found.read()
        return Answer(
            found.status, {name.lower(): value for name, value in found.getheaders()}, data
        )

    # ------------------------------------------------------------------ items

    def get(self, path: str) -> Answer:
        """Ask for one item."""
        return self.send("GET", path)

    def put(self, path: str, body: bytes) -> Answer:
        """Store one item."""
        return self.send("PUT", path, body, _CALENDAR)

    def delete(self, path: str) -> Answer:
        """Delete an item, or a calendar and all trace of it."""
        return self.send("DELETE", path, headers={"X-NC-CalDAV-No-Trashbin": "1"})

    # ------------------------------------------------------------------ calendars

    def make_calendar(self, path: str, title: str, components: Iterable[str] = ()) -> Answer:
        """Make a calendar, for some components only where these are named."""
        comps = "".join(f'<c:comp name="{each}"/>' for each in components)
        kinds = f"<c:supported-calendar-component-set>{comps}</c:supported-calendar-component-set>"
        text = (
            f"<c:mkcalendar {_NAMESPACES}><d:set><d:prop><d:displayname>{escape(title)}"
            f"</d:displayname>{kinds if comps else ''}</d:prop></d:set></c:mkcalendar>"
        )
        return self.send("MKCALENDAR", path, text.encode(), _XML)

    def rename(self, path: str, title: str) -> Answer:
        """Give a calendar another display name."""
        text = (
            f"<d:propertyupdate {_NAMESPACES}><d:set><d:prop><d:displayname>{escape(title)}"
            "</d:displayname></d:prop></d:set></d:propertyupdate>"
        )
        return self.send("PROPPATCH", path, text.encode(), _XML)

    def propfind(self, path: str, depth: int, *properties: str) -> Answer:
        """Ask for properties, written with the prefixes d, c, s and i."""
        asked = "".join(f"<{each}/>" for each in properties)
        text = f"<d:propfind {_NAMESPACES}><d:prop>{asked}</d:prop></d:propfind>"
        return self.send("PROPFIND", path, text.encode(), {**_XML, "Depth": str(depth)})

    def report(self, path: str, kind: str, inner: str, depth: int = 1) -> Answer:
        """Ask for a report, such as `c:calendar-query`, with the given XML in it."""
        text = f"<{kind} {_NAMESPACES}>{inner}</{kind}>"
        return self.send("REPORT", path, text.encode(), {**_XML, "Depth": str(depth)})

    def multiget(self, path: str, hrefs: Iterable[str]) -> Answer:
        """Ask a calendar for the data of some members."""
        asked = "".join(f"<d:href>{escape(href)}</d:href>" for href in hrefs)
        wanted = "<d:prop><d:getetag/><c:calendar-data/></d:prop>"
        return self.report(path, "c:calendar-multiget", wanted + asked)

    def sync(self, path: str, token: str, properties: str = "<d:getetag/>") -> Answer:
        """Ask a calendar for what has changed since a token."""
        inner = (
            f"<d:sync-token>{escape(token)}</d:sync-token><d:sync-level>1</d:sync-level>"
            f"<d:prop>{properties}</d:prop>"
        )
        # RFC 6578 section 3.2 asks for depth 0.
        return self.report(path, "d:sync-collection", inner, depth=0)

    def members(self, path: str) -> list[Resource]:
        """Return what lies in a calendar, without the calendar itself and other collections."""
        answer = self.propfind(path, 1, "d:getetag", "d:resourcetype")
        assert answer.status == 207, answer
        return [each for each in resources(answer.body) if f"{DAV}collection" not in each.kinds()]


def resources(body: bytes) -> list[Resource]:
    """Read a multistatus.

    Raises:
        XMLSyntaxError: It is not well-formed.
    """
    parser = etree.XMLParser(huge_tree=True, resolve_entities=False, no_network=True)
    return [_resource(each) for each in etree.fromstring(body, parser).iterfind(f"{DAV}response")]


def _resource(response: etree._Element) -> Resource:
    properties = {
        str(each.tag): each
        for propstat in response.iterfind(f"{DAV}propstat")
        if _status(propstat) == _OK
        for prop in propstat.iterfind(f"{DAV}prop")
        for each in prop
    }
    href = (response.findtext(f"{DAV}href") or "").strip()
    return Resource(href, _status(response), properties)


def _status(element: etree._Element) -> int:
    words = (element.findtext(f"{DAV}status") or "").split()
    return int(words[1]) if len(words) > 1 else _OK
