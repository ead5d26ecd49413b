"""Restores from a snapshot into an empty calendar, beside the least that its requests take.

Usage: python -m benchmarks.writing [SERVER ...]

Starts Radicale, Cyrus and Nextcloud one after the other, or the servers of
`tests/integration/servers` that are named, and measures whole processes, alternating, each into a
calendar that is made for it and goes again: `put_by_hand.py` over one, four and eight connections,
and `caldav-run restore` with and without reading back. Cyrus is measured with 50 ms of added
latency too, beside vdirsyncer. ITEMS ("2000 radicale=800 nextcloud=600"), ROUNDS and VDIRSYNCER (as
`reading` has it) in the environment change what is done.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from benchmarks.corpus_zones import ZONES, definition
from benchmarks.filling import EVENT, body_of, empty
from benchmarks.program import Desk, Figures, measure
from benchmarks.proxy import delayed
from benchmarks.reading import SERVERS, Cell, rival
from tests.integration.servers.calendars import Made
from tests.integration.servers.raw import Raw

from caldav_run.testing.servers import Server

_ITEMS: Final = "2000 radicale=800 nextcloud=600"
_FAR: Final = "cyrus"
_LATENCY_S: Final = 0.05
_NO_READ_BACK, _READ_BACK, _RIVAL = "verify none", "read back", "vdirsyncer"
_ZONE: Final = "\n".join(definition(ZONES[0], ZONES[0].name))
_EVENT: Final = EVENT.replace("BEGIN:VEVENT", f"{_ZONE}\nBEGIN:VEVENT", 1)
_PIPELINE: Final = """
version: 1
name: writing
sources:
  vault: {type: snapshot, repository: "${env.VAULT}"}
sinks:
  there: {type: caldav, url: "${env.URL}", username: "${env.ACCOUNT}", password: {env: PASSWORD}}
"""
_VDIRSYNCER: Final = """
[general]
status_path = "{folder}/status"
[pair pair]
a = "here"
b = "there"
collections = [["pair", "items", "{calendar}"]]
[storage here]
type = "filesystem"
path = "{items}"
fileext = ".ics"
[storage there]
type = "caldav"
url = "{url}"
username = "{user}"
password = "{password}"
"""


@dataclass
class Place:
    """A server that is written, and what is written.

    Attributes:
        server: The account, as far away as it is measured.
        raw: A connection to it that is not delayed.
        folder: A folder with a folder `items` with the events, and the desk.
        cell: Where the figures go.
    """

    server: Server
    raw: Raw
    folder: Path
    cell: Cell
    _calendars: int = field(default=0, init=False)

    @property
    def items(self) -> Path:
        """The folder with the events."""
        return self.folder / "source" / "items"

    @contextlib.contextmanager
    def calendar(self) -> Iterator[Made]:
        """Have a calendar that was never there before, until the context ends."""
        self._calendars += 1
        made = Made(self.raw, f"w{self._calendars}-{self.cell.latency_s * 1000:.0f}")
        made.make(made.name)
        try:
            yield made
        finally:
            made.drop()

    def once(self, what: str, write: "Write") -> None:
        """Write into a calendar of its own, and count only what has written all of it."""
        name = f"{self.cell.name}, {what}"
        with self.calendar() as made:
            try:
                figures = write(self, made.name)
            except subprocess.CalledProcessError as error:
                # The others are still worth their time.
                _progress(f"{name} FAILED: {error}\n{error.output}")
                return
            there = len(self.raw.members(made.path))
        if there != self.cell.items:
            _progress(f"{name} FAILED: only {there} items are there")
            return
        self.cell.add(what, figures)
        _progress(f"{name}: {figures.seconds:.1f} s, CPU {figures.cpu:.1f} s")


Write = Callable[[Place, str], Figures]


def by_hand(connections: int) -> Write:
    """Return what writes by hand, in a process of its own."""
    script = str(Path(__file__).with_name("put_by_hand.py"))

    def write(place: Place, calendar: str) -> Figures:
        server = place.server
        account = (server.url, server.username, server.password, f"{server.home}{calendar}/")
        return measure([sys.executable, script, *account, str(place.items), str(connections)])

    return write


def restored(desk: Desk, verify: str, *further: str) -> Write:
    """Return what restores the desk's backup, on a machine that never saw the account."""

    def write(_: Place, calendar: str) -> Figures:
        desk.forget()
        pipeline = str(desk.folder / "restore.yaml")
        options = ("--rename", f"items={calendar}", "--verify", verify, "--yes")
        return desk.program("restore", pipeline, "--to", "there", *options, *further)

    return write


def vdirsyncer(program: str) -> Write:
    """Return what synchronises the folder with the calendar; finding it is not measured."""

    def write(place: Place, calendar: str) -> Figures:
        server = place.server
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "config"
            words = {"user": server.username, "password": server.password, "calendar": calendar}
            text = _VDIRSYNCER.format(
                folder=folder, items=place.items.parent, url=server.url.rstrip("/") + "/", **words
            )
            config.write_text(text)
            command = [program, "-c", str(config)]
            measure([*command, "discover"])
            return measure([*command, "sync"])

    return write


@contextlib.contextmanager
def prepared(server: Server, near: Server, cell: Cell) -> Iterator[tuple[Place, Desk]]:
    """Have the events in a folder, and in a snapshot."""
    with tempfile.TemporaryDirectory() as name, Raw(near) as raw:
        place = Place(server, raw, Path(name), cell)
        place.items.mkdir(parents=True)
        for number in range(cell.items):
            (place.items / f"{number:06}.ics").write_bytes(body_of(number, _EVENT))
        desk = Desk(
            place.folder / "desk",
            f'{{type: ics, path: "{place.items.parent}"}}',
            {"URL": server.url, "ACCOUNT": server.username, "PASSWORD": server.password},
        )
        (desk.folder / "restore.yaml").write_text(_PIPELINE)
        desk.new_vault()
        desk.run()
        yield place, desk


def measured(near: Server, cell: Cell, rounds: int, program: str) -> None:
    """Measure everything on one server, alternating; by eight only where it is far away."""
    with delayed(near.url, cell.latency_s) as proxy:
        server = replace(near, url=proxy.url) if cell.latency_s else near
        with prepared(server, near, cell) as (place, desk):
            steps = {
                "c1": by_hand(1),
                _NO_READ_BACK: restored(desk, "none"),
                "c4": by_hand(4),
                _READ_BACK: restored(desk, "full"),
                "c8": by_hand(8),
            }
            if cell.latency_s:
                del steps["c1"], steps["c4"]
                if program:
                    steps[_RIVAL] = vdirsyncer(program)
            # Its first restore compiles what it imports, which an installed program has done.
            with place.calendar() as made:
                restored(desk, "full", "--uid", "000000@benchmark")(place, made.name)
            for _ in range(rounds):
                for what, write in steps.items():
                    place.once(what, write)


def head() -> str:
    """Return the head of the table."""
    columns = (
        "server, items, latency",
        *("by hand, c1", "c4", "c8"),
        *("verify none", "times the best", "target", "read back", "times the best", "target"),
        *("vdirsyncer", "times ours"),
    )
    return f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}"


def line(cell: Cell) -> str:
    """Return one line of it, with what is missed in bold."""
    hand = [cell.seconds(each) for each in ("c1", "c4", "c8")]
    best = min((each for each in hand if each), default=0.0)
    none, back, other = map(cell.seconds, (_NO_READ_BACK, _READ_BACK, _RIVAL))
    columns = [
        f"{cell.name}, {cell.items:,}, {cell.latency_s * 1000:.0f} ms",
        *map(_seconds, (*hand, none)),
        *_beside(none, best, 1.2),
        _seconds(back),
        *_beside(back, best, 1.4),
        _seconds(other),
        _times(other, back, lambda times: times >= 2),
    ]
    return f"| {' | '.join(columns)} |"


def _beside(seconds: float, best: float, target: float) -> tuple[str, str]:
    return _times(seconds, best, lambda times: times <= target), f"{target:.1f}"


def _times(seconds: float, other: float, held: Callable[[float], bool]) -> str:
    if not (seconds and other):
        return "-"
    times = seconds / other
    return f"{times:.2f}" if held(times) else f"**{times:.2f}**"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds else "-"


def _progress(said: str) -> None:
    print(time.strftime("%X"), said, file=sys.stderr, flush=True)


def _items(name: str) -> int:
    """Return how many events a server gets: its own number, or that of all."""
    words = os.environ.get("ITEMS", _ITEMS).split()
    own = [each.partition("=")[2] for each in words if each.startswith(f"{name}=")]
    return int((own or [each for each in words if "=" not in each])[-1])


def main(*names: str) -> None:
    """Measure the servers one after the other, and print the table."""
    rounds = int(os.environ.get("ROUNDS", "1"))
    cells: list[Cell] = []
    with rival() as program:
        for name in names or SERVERS:
            _progress(f"{name} is started")
            with empty(name) as filled:
                for latency_s in (0.0, _LATENCY_S) if name == _FAR else (0.0,):
                    cells.append(Cell(name, _items(name), latency_s))
                    measured(filled.server, cells[-1], rounds, program)
                    _progress(line(cells[-1]))
    print(head(), *map(line, cells), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
