"""A server read with plain HTTP, so that the client under test does not judge itself."""

import base64
from http.client import HTTPConnection
from typing import Final
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from lxml import etree

from caldav_run.testing.servers import Server

Key = tuple[str, str]
"""A calendar's id and an item's name, as the server spells them."""

_DAV: Final = "{DAV:}"
_CAL: Final = "{urn:ietf:params:xml:ns:caldav}"
_ICAL: Final = "{http://apple.com/ns/ical/}"
_NAMESPACES: Final = (
    'xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:i="http://apple.com/ns/ical/"'
)
_PROPERTIES: Final = {
    "name": f"{_DAV}displayname",
    "colour": f"{_ICAL}calendar-color",
    "order": f"{_ICAL}calendar-order",
    "description": f"{_CAL}calendar-description",
    "zone": f"{_CAL}calendar-timezone",
}
_ASKED: Final = (
    "<resourcetype/><displayname/><i:calendar-color/><i:calendar-order/><c:calendar-description/>"
    "<c:calendar-timezone/><c:supported-calendar-component-set/>"
)


def send(server: Server, method: str, path: str, body: str = "") -> bytes:
    """Send one request, with Depth 1, and return the answer's body; it has to be a good one."""
    pair = base64.b64encode(f"{server.username}:{server.password}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}", "Depth": "1", "Content-Type": "text/xml"}
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    try:
        connection.request(method, path, body.encode(), headers)
        answer = connection.getresponse()
        assert answer.status in {200, 201, 207}, (method, path, answer.status)
        return answer.read()
    finally:
        connection.close()


def _responses(server: Server, method: str, path: str, body: str) -> dict[str, etree._Element]:
    root = etree.fromstring(send(server, method, path, body), etree.XMLParser(huge_tree=True))
    return {each.findtext(f"{_DAV}href", ""): each for each in root}


def calendars(server: Server) -> dict[str, dict[str, str]]:
    """Return the properties of every calendar, by path."""
    asked = f"<propfind {_NAMESPACES}><prop>{_ASKED}</prop></propfind>"
    found = _responses(server, "PROPFIND", server.home, asked)
    return {
        path: {
            **{
                name: _comparable(name, each.findtext(f".//{tag}"))
                for name, tag in _PROPERTIES.items()
            },
            "components": ",".join(
                sorted(comp.get("name", "") for comp in each.iter(f"{_CAL}comp"))
            ),
        }
        for path, each in found.items()
        if each.find(f".//{_DAV}resourcetype/{_CAL}calendar") is not None
    }


def _comparable(name: str, text: str | None) -> str:
    text = (text or "").replace("\r\n", "\n").strip()
    # A server may add the alpha channel that a colour lacks.
    return text.upper().ljust(9, "F") if name == "colour" and text else text


_OBJECTS: Final = {"text/calendar", "application/octet-stream"}


def items(server: Server) -> dict[Key, bytes]:
    """Return what the server gives in a report, else to a GET, by calendar and name as spelled."""
    found: dict[Key, bytes] = {}
    listing = f"<propfind {_NAMESPACES}><prop><getcontenttype/></prop></propfind>"
    for calendar in calendars(server):
        for path, about in _responses(server, "PROPFIND", calendar, listing).items():
            # A calendar names itself too, and some servers keep other files beside the objects; one
            # types what is called otherwise than `.ics` as bytes of any kind.
            kind = about.findtext(f".//{_DAV}getcontenttype", "")
            if path != calendar and _OBJECTS & set(kind.split(";")):
                place = calendar.removeprefix(server.home).strip("/"), path.removeprefix(calendar)
                found[place] = _given(server, calendar, path)
    return found


def _given(server: Server, calendar: str, path: str) -> bytes:
    props = "<prop><getetag/><c:calendar-data/></prop>"
    report = f"<href>{escape(path)}</href>"
    report = f"<c:calendar-multiget {_NAMESPACES}>{props}{report}</c:calendar-multiget>"
    try:
        (each,) = _responses(server, "REPORT", calendar, report).values()
        return each.findtext(f".//{_CAL}calendar-data", "").encode() or send(server, "GET", path)
    except etree.XMLSyntaxError:
        return send(server, "GET", path)
