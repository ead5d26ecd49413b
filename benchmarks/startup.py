"""How long the program takes to say what it can do, and to check a pipeline of 3,000 lines.

Usage: python -m benchmarks.startup [ROUNDS]
"""

import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.program import measure

TARGET_S = 0.2


def main(rounds: int = 10) -> None:
    """Measure, alternating with an interpreter that does nothing."""
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Path(folder) / "long.yaml"
        pipeline.write_text(long_pipeline())
        report(rounds, pipeline)


def long_pipeline() -> str:
    """Return a sound pipeline of 3,000 lines."""
    sources = "".join(
        f"  s{n}:\n    type: caldav\n    url: https://x{n}.example.org\n    username: joe\n"
        f"    password: {{env: P}}\n    auth: basic\n    calendars:\n      include:\n"
        f"        - a{n}\n        - b*\n      exclude: [c]\n"
        for n in range(272)
    )
    return f"version: 1\nname: long\nsources:\n{sources}sinks:\n  out: {{type: ics, path: out}}\n"


def report(rounds: int, pipeline: Path) -> None:
    """Measure and print."""
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "caldav-run --help": [sys.executable, "-m", "caldav_run", "--help"],
        "caldav-run --version": [sys.executable, "-m", "caldav_run", "--version"],
        "caldav-run validate": [sys.executable, "-m", "caldav_run", "validate", str(pipeline)],
        "caldav-run demo": [sys.executable, "-m", "caldav_run", "demo"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            seconds[name].append(measure(command).seconds)
    for name, taken in seconds.items():
        print(f"{name:>20}: {median(taken):.3f} s ({min(taken):.3f} to {max(taken):.3f})")
    print(f"target: --help under {TARGET_S} s, validate well under 1 s, demo under 30 s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
