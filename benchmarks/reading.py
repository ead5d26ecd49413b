"""Backups of five calendars beside the least that their requests take, and beside vdirsyncer.

Usage: python -m benchmarks.reading [SERVER ...]

Starts Radicale, Cyrus and Nextcloud, or the servers of `tests/integration/servers` that are named,
fills them with 2,000 and then 5,000 events, and measures whole processes, alternating, with 0 and
with 50 ms of added latency. By hand is `by_hand.py`: reports of 100 items or one a calendar, over
one or four connections. ROUNDS, ITEMS ("2000 5000") and VDIRSYNCER (a program) in the environment
change what is done. Without VDIRSYNCER it is installed into a folder that goes again; with an empty
one it is left out. Last, `growth` tells how it goes on from there to 100,000 items.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks import growth
from benchmarks.filling import Filled, body_of, empty
from benchmarks.program import Desk, Figures, measure
from benchmarks.proxy import Proxy, delayed

from caldav_run.testing.servers import Server

SERVERS: Final = ("radicale", "cyrus", "nextcloud")
LATENCIES_S: Final = (0.0, 0.05)
_EACH: Final = 1_000_000
_WAYS: Final = {
    f"{name}, c{connections}": (size, connections)
    for name, size in (("by 100", 100), ("one each", _EACH))
    for connections in (1, 4)
}
_VDIRSYNCER: Final = """
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


@dataclass
class Cell:
    """What was measured on one server, with one number of items, at one distance.

    Attributes:
        name: The server.
        items: How many events it had.
        latency_s: How much further away it was.
        found: What each way took, round by round.
        asked: How many requests a run of ours made, by what there was to do.
    """

    name: str
    items: int
    latency_s: float
    found: dict[str, list[Figures]] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)

    def add(self, what: str, figures: Figures) -> None:
        """Take one more measurement."""
        self.found.setdefault(what, []).append(figures)

    def seconds(self, what: str) -> float:
        """Return the median of a way; nothing where it was not measured."""
        found = self.found.get(what)
        return median(each.seconds for each in found) if found else 0.0


def by_hand(server: Server, size: int, connections: int) -> Figures:
    """Read by hand, in a process of its own; with a size of 0 the home only."""
    script = str(Path(__file__).with_name("by_hand.py"))
    account = (server.url, server.username, server.password, server.home)
    return measure([sys.executable, script, *account, str(size), str(connections)])


def vdirsyncer(program: str, server: Server, cell: Cell) -> None:
    """Synchronise into an empty folder, and once more."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config"
        url = server.url.rstrip("/") + "/"
        words = {"folder": folder, "user": server.username, "password": server.password}
        config.write_text(_VDIRSYNCER.format(url=url, **words))
        command = [program, "-c", str(config)]
        subprocess.run([*command, "discover"], input=b"y\n" * 20, check=True, capture_output=True)
        cell.add("vdirsyncer, full", measure([*command, "sync"]))
        cell.add("vdirsyncer, same", measure([*command, "sync"]))


def measured(filled: Filled, latency_s: float, rounds: int, program: str) -> Cell:
    """Measure everything on one server, alternating."""
    cell = Cell(filled.name, filled.items, latency_s)
    with tempfile.TemporaryDirectory() as folder, delayed(filled.server.url, latency_s) as proxy:
        near = filled.server
        server = replace(near, url=proxy.url) if latency_s else near
        desk = Desk.of_server(Path(folder) / "desk", server)
        for _ in range(rounds):
            for what, (size, connections) in _WAYS.items():
                cell.add(what, by_hand(server, size, connections))
            cell.add("home", by_hand(server, 0, 1))
            _ours(cell, desk, proxy, near)
            if program:
                vdirsyncer(program, server, cell)
    return cell


def _ours(cell: Cell, desk: Desk, proxy: Proxy, near: Server) -> None:
    """Back up an account that was never seen, and one whose place is known; then once more."""
    desk.new_vault()
    desk.forget()
    steps = [("first ever", desk.run)]
    steps += [("full", desk.run), ("same", desk.run), ("one change", desk.run)]
    for what, step in steps:
        if what == "full":
            desk.new_vault()
        if what == "one change":
            near.put("c0/000000.ics", body_of(0).replace(b"Room", os.urandom(4).hex().encode()))
        before = proxy.asked
        cell.add(what, step())
        cell.asked[what] = proxy.asked - before


def head() -> None:
    """Print the head of the table."""
    print(
        "| server, items, latency | best by hand | full | target | first ever | vdirsyncer"
        " | home by hand | no change | target | one change | vdirsyncer |"
    )
    print("|" + "---|" * 11, flush=True)


def line(cell: Cell) -> None:
    """Print one line of it, with what is missed in bold."""
    way = min(_WAYS, key=cell.seconds)
    most = 1.25 * cell.seconds(way) + 0.4
    least = cell.seconds("home") + 0.4
    columns = [
        f"{cell.name}, {cell.items:,}, {cell.latency_s * 1000:.0f} ms",
        f"{cell.seconds(way):.2f} ({way})",
        _held(cell.seconds("full"), most),
        f"{most:.2f}",
        f"{cell.seconds('first ever'):.2f}",
        _told(cell.seconds("vdirsyncer, full")),
        f"{cell.seconds('home'):.2f}",
        _held(cell.seconds("same"), least),
        f"{least:.2f}",
        f"{cell.seconds('one change'):.2f}",
        _told(cell.seconds("vdirsyncer, same")),
    ]
    print(f"| {' | '.join(columns)} |", flush=True)


def requests(cells: Sequence[Cell]) -> None:
    """Print how many requests were made, which the proxy has counted."""
    print("\n| requests | first ever | full | no change (target 3) | one change (target 5) |")
    print("|---|---|---|---|---|")
    for each in cells:
        if each.latency_s:
            print(f"| {each.name}, {each.items:,} | {' | '.join(map(str, each.asked.values()))} |")


def _held(seconds: float, target: float) -> str:
    return f"{seconds:.2f}" if seconds <= target else f"**{seconds:.2f}**"


def _told(seconds: float) -> str:
    return f"{seconds:.2f}" if seconds else "-"


@contextlib.contextmanager
def rival() -> Iterator[str]:
    """Give vdirsyncer's program; nothing where it is not wanted."""
    if (given := os.environ.get("VDIRSYNCER")) is not None:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        pip = [f"{folder}/bin/pip", "-qq", "--disable-pip-version-check", "install", "vdirsyncer"]
        subprocess.run(pip, check=True)
        yield f"{folder}/bin/vdirsyncer"


def main(*names: str) -> None:
    """Fill the servers, measure them one after the other, and print."""
    rounds = int(os.environ.get("ROUNDS", "2"))
    cells: list[Cell] = []
    with contextlib.ExitStack() as stack, ThreadPoolExecutor() as pool:
        program = stack.enter_context(rival())
        servers = [stack.enter_context(empty(each)) for each in names or SERVERS]
        head()
        for items in map(int, os.environ.get("ITEMS", "2000 5000").split()):
            # What is new has to be read once before a server is as fast as it gets.
            list(pool.map(lambda each, items=items: _fill(each, items), servers))
            for latency_s in LATENCIES_S:
                for each in servers:
                    cells.append(measured(each, latency_s, rounds, program))
                    line(cells[-1])
        requests(cells)
    if not names:
        print()
        growth.main()


def _fill(filled: Filled, items: int) -> None:
    filled.fill(items)
    by_hand(filled.server, _EACH, 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
