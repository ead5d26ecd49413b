"""The least that reading an account takes: requests by hand, the answers thrown away.

Usage: python benchmarks/by_hand.py URL USER PASSWORD HOME SIZE CONNECTIONS

Lists the calendars of a home, then the members of each, then asks for all of them in reports of
SIZE over so many connections, each kept as long as the server keeps it, with its cookies. With a
SIZE of 0 it asks for the home only. Prints how many items came. Nothing but the standard library is
imported, since its start is measured as well.
"""

import http.client
import re
import sys
import threading
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

_NAMES = (
    'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:s="http://calendarserver.org/ns/"'
)
_ASK = f"<d:propfind {_NAMES}><d:prop>{{}}</d:prop></d:propfind>"
_HOME = _ASK.format("<d:resourcetype/><d:sync-token/><s:getctag/>")
_LIST = _ASK.format("<d:getetag/>")
_HREF = re.compile(r"<(?:\w+:)?href>([^<]+\.ics)</")


class Account:
    """One account, asked by several threads."""

    def __init__(self, url: str, user: str, password: str) -> None:
        """Connect to nobody yet."""
        self._host = url.split("/")[2]
        token = b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/xml"}
        self._own = threading.local()

    def send(self, method: str, path: str, body: str, depth: int) -> bytes:
        """Return the body of an answer."""
        if not hasattr(self._own, "connection"):
            self._own.connection, self._own.cookies = http.client.HTTPConnection(self._host), {}
        connection, cookies = self._own.connection, self._own.cookies
        headers = {**self._headers, "Depth": str(depth)}
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        connection.request(method, path, body.encode(), headers)
        answer = connection.getresponse()
        for each in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = each.partition(";")[0].partition("=")
            cookies[name] = value
        found: bytes = answer.read()
        if answer.status != http.client.MULTI_STATUS:
            raise SystemExit(f"{method} {path}: {answer.status}")
        return found


def main(url: str, user: str, password: str, home: str, size: str, connections: str) -> None:
    """Read."""
    account, most = Account(url, user, password), int(size)

    def calendar(path: str) -> int:
        found = _HREF.findall(account.send("PROPFIND", path, _LIST, 1).decode())
        count = 0
        for at in range(0, len(found), most):
            asked = "".join(f"<d:href>{href}</d:href>" for href in found[at : at + most])
            body = (
                f"<c:calendar-multiget {_NAMES}><d:prop><d:getetag/><c:calendar-data/></d:prop>"
                f"{asked}</c:calendar-multiget>"
            )
            count += account.send("REPORT", path, body, 1).count(b"BEGIN:VCALENDAR")
        return count

    listing = account.send("PROPFIND", home, _HOME, 1).decode()
    calendars = re.findall(rf"<(?:\w+:)?href>({re.escape(home)}c[0-9]/)</", listing)
    if not most:
        print(len(calendars))
        return
    with ThreadPoolExecutor(int(connections)) as pool:
        print(sum(pool.map(calendar, calendars)))


if __name__ == "__main__":
    main(*sys.argv[1:])
