"""Time, memory and processor time of a first backup as an account grows.

Usage: python -m benchmarks.growth [ITEMS ...]

All items lie in one calendar of a server that makes them up. What an item takes is told from how
much more a larger account takes, so that the start is no part of it.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.plain_server import plain_server
from benchmarks.program import Desk, Figures

SIZES = (25_000, 50_000, 100_000)
TARGET_MB = 150
TARGET_US = 60


class Size(NamedTuple):
    """What was measured at one size.

    Attributes:
        items: How many.
        first: The first backup.
        same: One that finds nothing new, though it has to list all members.
        own: Processor seconds of the first one without zstd, age and parsing XML.
    """

    items: int
    first: Figures
    same: Figures
    own: float


def measured(items: int) -> Size:
    """Back up an account of that size: once as it is, once while its time is split."""
    with tempfile.TemporaryDirectory() as folder, plain_server(items) as server:
        desk = Desk.of_server(Path(folder) / "desk", server)
        desk.new_vault()
        first, same = desk.run(), desk.run()
        desk.new_vault()
        times = Path(folder) / "times"
        desk.run_module("benchmarks.own_cpu", str(times))
        whole, others = json.loads(times.read_text())
    return Size(items, first, same, whole - others)


def report(sizes: list[Size]) -> None:
    """Print a table, and what each further item takes."""
    print("| items | first backup | further item | its CPU | own CPU | peak | listed again |")
    print("|" + "---|" * 7)
    nothing = Figures(0, 0, 0)
    before = Size(0, nothing, nothing, 0)
    for each in sizes:
        peak = max(each.first.peak, each.same.peak)
        more = [
            f"{(mine - its) / (each.items - before.items) * 1e6:.0f} µs"
            for mine, its in (
                (each.first.seconds, before.first.seconds),
                (each.first.cpu, before.first.cpu),
                (each.own, before.own),
            )
        ]
        print(
            f"| {each.items:,} | {each.first.seconds:.2f} s | {' | '.join(more)}"
            f" | {peak:.0f} MB | {each.same.seconds:.2f} s |"
        )
        before = each
    print(
        "\nAn item of the first line bears the start, too."
        f" Targets: own CPU {TARGET_US} µs, {TARGET_MB} MB, each further item as long as the last."
    )


def main(*sizes: int) -> None:
    """Measure and print."""
    report([measured(each) for each in sizes or SIZES])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
