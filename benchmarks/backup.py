"""Backing up an account from a Radicale, beside the same requests made by hand.

Usage: python -m benchmarks.backup [ITEMS [ROUNDS]]

Whole processes, alternating, on one server. The by-hand script is that of `raw_read`: it sends the
same PROPFINDs and multigets, takes the answers as bytes and throws them away.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.program import Desk, Figures, measure
from benchmarks.raw_read import PASSWORD, fill

from caldav_run.testing.servers import Server, embedded_radicale

TARGET = 1.3


def raw(server: Server) -> Figures:
    """Read by hand, in a process of its own."""
    return measure([sys.executable, "-m", "benchmarks.raw_read", "raw", server.url])


def main(items: int = 5000, rounds: int = 5) -> None:
    """Measure, alternating, and print medians."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder / "server", items)
        with embedded_radicale(folder / "server", {"alice": PASSWORD}) as server:
            desk = Desk.of_server(folder / "desk", server)
            raw(server)  # fills the server's cache
            found: dict[str, list[Figures]] = {"by hand": [], "backup": [], "no change": []}
            for _ in range(rounds):
                found["by hand"].append(raw(server))
                desk.new_vault()
                found["backup"].append(desk.run())
                found["no change"].append(desk.run())
            print(f"{items:,} items, {rounds} rounds, {desk.stored():,} bytes stored")
    base = [each.seconds for each in found["by hand"]]
    for what, figures in found.items():
        ratios = [each.seconds / by_hand for each, by_hand in zip(figures, base, strict=True)]
        print(
            f"{what:>9}: {median(each.seconds for each in figures):5.2f} s"
            f" (CPU {median(each.cpu for each in figures):5.2f} s,"
            f" peak {max(each.peak for each in figures):3.0f} MB),"
            f" ratio {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )
    print(f"target: backup at most {TARGET} times by hand")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
