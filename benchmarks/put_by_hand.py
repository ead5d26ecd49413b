"""The least that writing a calendar takes: one PUT an item by hand.

Usage: python benchmarks/put_by_hand.py URL USER PASSWORD PATH FOLDER CONNECTIONS

Puts the `.ics` files of a folder into the calendar at a path over so many connections, each kept as
long as the server keeps it, with its cookies. An item that is answered with 500 "database is
locked" is put again at once. Prints how often that was. Nothing but the standard library is
imported, since its start is measured as well.
"""

import http.client
import sys
import threading
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_WRITTEN = {200, 201, 204}


class Calendar:
    """One calendar, written by several threads."""

    def __init__(self, url: str, user: str, password: str, path: str) -> None:
        """Connect to nobody yet."""
        self._host, self._path = url.split("/")[2], path
        token = b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "text/calendar"}
        self._own = threading.local()

    def put(self, file: Path) -> int:
        """Store an item, and return how often the server was not ready for it."""
        body, locked = file.read_bytes(), 0
        while True:
            status, words = self._send(file.name, body)
            if status in _WRITTEN:
                return locked
            if status != http.client.INTERNAL_SERVER_ERROR or b"locked" not in words:
                raise SystemExit(f"PUT {file.name}: {status} {words[:200]!r}")
            locked += 1

    def _send(self, name: str, body: bytes) -> tuple[int, bytes]:
        if not hasattr(self._own, "connection"):
            self._own.connection, self._own.cookies = http.client.HTTPConnection(self._host), {}
        connection, cookies = self._own.connection, self._own.cookies
        headers = dict(self._headers)
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        connection.request("PUT", self._path + name, body, headers)
        answer = connection.getresponse()
        for each in answer.headers.get_all("Set-Cookie") or ():
            key, _, value = each.partition(";")[0].partition("=")
            cookies[key] = value
        return answer.status, answer.read()


def main(url: str, user: str, password: str, path: str, folder: str, connections: str) -> None:
    """Write."""
    calendar = Calendar(url, user, password, path)
    with ThreadPoolExecutor(int(connections)) as pool:
        print(sum(pool.map(calendar.put, sorted(Path(folder).glob("*.ics")))))


if __name__ == "__main__":
    main(*sys.argv[1:])
