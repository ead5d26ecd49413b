"""A first backup of five calendars, beside the best way to make its requests by hand.

Usage: python -m benchmarks.reading [ITEMS [ROUNDS]]

By hand means a script that lists the members of each calendar and takes its reports as bytes and
throws them away: reports of 100 items or one a calendar, over one or four connections. Also timed:
a run without changes beside the PROPFIND of the home, and vdirsyncer where VDIRSYNCER names it:

    python3 -m venv ~/vdirsyncer && ~/vdirsyncer/bin/pip install vdirsyncer
    VDIRSYNCER=~/vdirsyncer/bin/vdirsyncer python -m benchmarks.reading 2000

URL, USER and PASSWORD in BENCH_URL, BENCH_USER and BENCH_PASSWORD name another server than the
Radicale that it starts; BENCH_HOME is then the path of its home. It needs five calendars c0 to c4.
"""

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from benchmarks.program import Desk, Figures, measure
from benchmarks.proxy import delayed
from benchmarks.raw_read import EVENT

from caldav_run.dav import bodies, names
from caldav_run.dav.collections import properties
from caldav_run.testing.servers import Server, embedded_radicale

CALENDARS = 5
_VDIRSYNCER = """
[general]
status_path = "{folder}/status"
[pair pair]
a = "there"
b = "here"
collections = ["from a"]
[storage there]
type = "caldav"
url = "{url}"
username = "{user}"
password = "{password}"
[storage here]
type = "filesystem"
path = "{folder}/items"
fileext = ".ics"
"""


def by_hand(url: str, user: str, password: str, home: str, size: int, connections: int) -> int:
    """Read the five calendars; returns how many items came."""
    token = b64encode(f"{user}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": "application/xml"}

    def send(method: str, path: str, body: bytes, depth: int) -> bytes:
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        connection.request(method, path, body, {**headers, "Depth": str(depth)})
        answer = connection.getresponse().read()
        connection.close()
        return answer

    def calendar(number: int) -> int:
        path = f"{home}c{number}/"
        listing = send("PROPFIND", path, bodies.propfind([names.GETETAG]), 1).decode()
        found = re.findall(r"<(?:\w+:)?href>([^<]+\.ics)</", listing)
        batches = [found[at : at + size] for at in range(0, len(found), size)]
        answers = (send("REPORT", path, bodies.multiget(each), 1) for each in batches)
        return sum(each.count(b"BEGIN:VCALENDAR") for each in answers)

    send("PROPFIND", home, properties(), 1)
    if not size:
        return 0
    with ThreadPoolExecutor(connections) as pool:
        return sum(pool.map(calendar, range(CALENDARS)))


def raw(server: Server, size: int, connections: int) -> Figures:
    """Read by hand, in a process of its own; with a size of 0 the home only."""
    arguments = [server.url, server.username, server.password, server.home, size, connections]
    command = [sys.executable, "-m", "benchmarks.reading", "--by-hand", json.dumps(arguments)]
    return measure(command)


def vdirsyncer(program: str, server: Server) -> dict[str, Figures]:
    """Synchronise into an empty folder, and once more."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config"
        url = server.url + server.home[1:]
        config.write_text(
            _VDIRSYNCER.format(
                folder=folder, url=url, user=server.username, password=server.password
            )
        )
        command = [program, "-c", str(config)]
        subprocess.run([*command, "discover"], input=b"y\n" * 20, check=True, capture_output=True)
        return {
            "vdirsyncer, full": measure([*command, "sync"]),
            "vdirsyncer, no change": measure([*command, "sync"]),
        }


@contextlib.contextmanager
def filled(items: int) -> Iterator[Server]:
    """Give a server with so many events in five calendars."""
    if "BENCH_URL" in os.environ:
        given = (os.environ[f"BENCH_{name}"] for name in ("URL", "USER", "PASSWORD", "HOME"))
        server = Server(*given)
        fill(server, items)
        yield server
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded_radicale(Path(folder), {"alice": "benchmark"}) as server,
    ):
        fill(server, items)
        yield server


def fill(server: Server, items: int) -> None:
    """Put the events."""
    for number in range(CALENDARS):
        server.send("MKCALENDAR", f"c{number}/")
    for number in range(items):
        body = EVENT.format(number=number).replace("\n", "\r\n").encode()
        server.put(f"c{number % CALENDARS}/{number:06}.ics", body)


def compare(server: Server, rounds: int) -> None:
    """Measure everything, alternating, and print medians."""
    found: dict[str, list[Figures]] = {}
    ways: dict[str, Callable[[], Figures]] = {
        f"by hand, {what}, {connections} connections": (
            lambda size=size, connections=connections: raw(server, size, connections)  # type: ignore[misc]
        )
        for what, size in (("reports of 100", 100), ("one report a calendar", 1_000_000))
        for connections in (1, 4)
    }
    program = os.environ.get("VDIRSYNCER")
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk.of_server(Path(folder) / "desk", server)
        for _ in range(rounds):
            for what, way in ways.items():
                found.setdefault(what, []).append(way())
            found.setdefault("by hand, home only", []).append(raw(server, 0, 1))
            desk.new_vault()
            found.setdefault("caldav-run, full", []).append(desk.run())
            found.setdefault("caldav-run, no change", []).append(desk.run())
            for what, figures in (vdirsyncer(program, server) if program else {}).items():
                found.setdefault(what, []).append(figures)
    for what, each in found.items():
        print(f"  {what:>46}: {median(one.seconds for one in each):6.2f} s")
    best = min(median(one.seconds for one in found[what]) for what in ways)
    ours = median(one.seconds for one in found["caldav-run, full"])
    print(f"  full: {ours:.2f} s, target {1.25 * best + 0.4:.2f} s (1.25 x the best by hand + 0.4)")
    home = median(one.seconds for one in found["by hand, home only"])
    same = median(one.seconds for one in found["caldav-run, no change"])
    print(f"  no change: {same:.2f} s, target {home + 0.4:.2f} s (the home by hand + 0.4)")


def main(items: int = 2000, rounds: int = 3) -> None:
    """Measure with 0 and with 50 ms of added latency."""
    with filled(items) as server:
        raw(server, 100, 1)  # fills the server's cache
        for latency_ms in (0, 50):
            print(f"{items:,} items in {CALENDARS} calendars, {latency_ms} ms of added latency")
            with delayed(server.url, latency_ms / 1000) as url:
                compare(replace(server, url=url) if latency_ms else server, rounds)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--by-hand"]:
        by_hand(*json.loads(sys.argv[2]))
    else:
        main(*map(int, sys.argv[1:]))
