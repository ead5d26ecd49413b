"""The most memory that a backup takes, by the size of the account.

Usage: python -m benchmarks.memory [ITEMS ...]

All items lie in one calendar, which is the worst case: what is held in memory is held for one
calendar at a time.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks.plain_server import plain_server
from benchmarks.program import Desk

TARGET_MB = 150


def main(*sizes: int) -> None:
    """Back up accounts of these sizes, once all of it and once with nothing changed."""
    for items in sizes:
        with tempfile.TemporaryDirectory() as folder, plain_server(items) as server:
            desk = Desk.of_server(Path(folder) / "desk", server)
            desk.new_vault()
            figures = {"first backup": desk.run(), "no change": desk.run()}
        for what, each in figures.items():
            print(
                f"{items:>7,} items, {what:>12}: peak {each.peak:4.0f} MB,"
                f" {each.seconds:5.1f} s (CPU {each.cpu:5.1f} s)"
            )
    print(f"target: peak under {TARGET_MB} MB")


if __name__ == "__main__":
    main(*(map(int, sys.argv[1:]) if sys.argv[1:] else (5000, 50_000)))
