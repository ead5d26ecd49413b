"""Reading 5,000 events from a Radicale: our source beside the same requests made by hand.

Usage: python benchmarks/raw_read.py [ITEMS]

The by-hand script sends the very PROPFINDs and multigets of the source, takes the answers as bytes
and throws them away. Both run in processes of their own, alternating, on one Radicale.
"""

import http.client
import json
import resource
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from lxml import etree

from caldav_run.connectors.baseline import Nothing
from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sources.caldav import CaldavSource
from caldav_run.dav import bodies, names
from caldav_run.dav.collections import properties
from caldav_run.dav.pace import FIRST_BATCH, next_size
from caldav_run.model import Changed
from caldav_run.secret import Secret
from caldav_run.testing.servers import Server, embedded_radicale

Figures = tuple[int, float, float, float]
"""Items, seconds, CPU seconds, peak megabytes."""

ROUNDS = 3
PASSWORD = "benchmark"  # noqa: S105 - of a server that lives for a minute
EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//caldav-run//benchmark//EN
BEGIN:VEVENT
UID:{number:06}@benchmark
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Berlin:20260501T120000
DTEND;TZID=Europe/Berlin:20260501T130000
SUMMARY:Meeting number {number}
LOCATION:Room {number}
DESCRIPTION:An agenda that is as long as agendas are\\, with some words about
  each of its points and a link https://example.org/agenda/{number}
CATEGORIES:work,meeting
END:VEVENT
END:VCALENDAR
"""


def fill(folder: Path, items: int) -> None:
    """Write the items straight into the storage folder: a PUT each would take minutes."""
    calendar = folder / "collections" / "collection-root" / "alice" / "work"
    calendar.mkdir(parents=True)
    (calendar / ".Radicale.props").write_text(json.dumps({"tag": "VCALENDAR"}))
    for number in range(items):
        text = EVENT.format(number=number).replace("\n", "\r\n")
        (calendar / f"{number:06}.ics").write_bytes(text.encode())


def raw(url: str) -> int:
    """Read by hand; returns how many items came."""
    host = url.split("/")[2]
    token = b64encode(f"alice:{PASSWORD}".encode()).decode()

    def send(method: str, path: str, body: bytes, depth: int) -> bytes:
        connection = http.client.HTTPConnection(host)
        headers = {"Authorization": f"Basic {token}", "Depth": str(depth)}
        connection.request(method, path, body, {**headers, "Content-Type": "application/xml"})
        answer = connection.getresponse().read()
        connection.close()
        return answer

    send("PROPFIND", "/alice/", bodies.propfind([names.CURRENT_USER_PRINCIPAL]), 0)
    send("PROPFIND", "/alice/", properties(), 1)
    listing = bodies.propfind([names.GETETAG, names.RESOURCETYPE, names.GETCONTENTTYPE])
    tree = etree.fromstring(send("PROPFIND", "/alice/work/", listing, 1))
    hrefs = [href.text or "" for href in tree.iter(names.HREF)][1:]
    start, size, count = 0, FIRST_BATCH, 0
    while start < len(hrefs):
        batch = hrefs[start : start + size]
        answer = send("REPORT", "/alice/work/", bodies.multiget(batch), 1)
        count += answer.count(b"BEGIN:VCALENDAR")
        start += size
        size = next_size(size, len(answer) // len(batch))
    return count


def ours(url: str) -> int:
    """Read through the source; returns how many items came."""
    context = Context(
        name="cloud",
        pipeline="benchmark",
        timezone=UTC,
        now=datetime.now(UTC),
        state_dir=Path(tempfile.gettempdir()),
    )
    options = {"url": url, "username": "alice", "password": Secret.of(PASSWORD)}
    source = CaldavSource.from_options(options, context)
    return sum(isinstance(each, Changed) for each in source.read(Nothing()))


def child(kind: str, url: str) -> None:
    """Read once and print what it took: items, seconds, CPU seconds, peak megabytes."""
    begun = time.perf_counter()
    count = raw(url) if kind == "raw" else ours(url)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    took = time.perf_counter() - begun
    print(json.dumps([count, took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]))


def measure(kind: str, server: Server) -> Figures:
    """Run one reading in a process of its own; returns its figures, with whole-process time."""
    begun = time.perf_counter()
    command = [sys.executable, __file__, kind, server.url]
    done = subprocess.run(command, check=True, capture_output=True)
    count, _, cpu, peak = json.loads(done.stdout)
    return count, time.perf_counter() - begun, cpu, peak


def main(items: int) -> None:
    """Measure both, alternating, and print them side by side."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder, items)
        with embedded_radicale(folder, {"alice": PASSWORD}) as server:
            measure("raw", server)  # fills the server's cache
            rounds: dict[str, list[Figures]] = {kind: [] for kind in ("raw", "ours")}
            for _ in range(ROUNDS):
                for kind, figures in rounds.items():
                    figures.append(measure(kind, server))
    seconds = {}
    for kind, figures in rounds.items():
        count = figures[0][0]
        seconds[kind] = median(each[1] for each in figures)
        cpu = median(each[2] for each in figures)
        print(
            f"{kind:>4}: {count} items in {seconds[kind]:.2f} s"
            f" ({count / seconds[kind]:.0f}/s), CPU {cpu / count * 1e6:.0f} µs an item,"
            f" peak {max(each[3] for each in figures):.0f} MB"
        )
    print(f"ratio ours/raw: {seconds['ours'] / seconds['raw']:.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] in (["raw"], ["ours"]):
        child(sys.argv[1], sys.argv[2])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
