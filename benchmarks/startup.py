"""How long the program takes to say what it can do.

Usage: python -m benchmarks.startup [ROUNDS]
"""

import sys
from statistics import median

from benchmarks.program import measure

TARGET_S = 0.2


def main(rounds: int = 10) -> None:
    """Measure, alternating with an interpreter that does nothing, and print medians."""
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "caldav-run --help": [sys.executable, "-m", "caldav_run", "--help"],
        "caldav-run --version": [sys.executable, "-m", "caldav_run", "--version"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            seconds[name].append(measure(command).seconds)
    for name, taken in seconds.items():
        print(f"{name:>20}: {median(taken):.3f} s ({min(taken):.3f} to {max(taken):.3f})")
    print(f"target: --help under {TARGET_S} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
