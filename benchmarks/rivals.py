"""Backing up a folder of events, beside restic and borg, in one run on the same files.

Usage: python -m benchmarks.rivals [EVENTS [ROUNDS]]

Each works as it does by default, encrypted, into a folder on the same disk: restic with its own
compression, borg with zstd, as `borg create` has none that strong by default. In each round one
more event is changed, and the order of the three moves on by one. What is compared is how long the
whole process took and, in two ways, what it stored: by how much its repository grew, and how large
the files are that are new or written anew, which is what a copy of the repository has to fetch.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import corpus
from benchmarks.program import Desk, Figures, measure

_OURS = "caldav-run"


@dataclass
class Contender:
    """One program with its repository.

    Attributes:
        repository: The folder of its repository.
        backup: Backs the folder up.
        grown: How many bytes the repository grew by at each backup.
        written: How many bytes the files have that each backup made or replaced.
        took: What each backup took.
    """

    repository: Path
    backup: Callable[[], Figures]
    grown: list[int] = field(default_factory=list)
    written: list[int] = field(default_factory=list)
    took: list[Figures] = field(default_factory=list)

    def run(self) -> None:
        """Back up once."""
        before = _files(self.repository)
        self.took.append(self.backup())
        after = _files(self.repository)
        self.grown.append(sum(map(_size, after.values())) - sum(map(_size, before.values())))
        fresh = (each for path, each in after.items() if _mark(before.get(path)) != _mark(each))
        self.written.append(sum(map(_size, fresh)))

    def seconds(self) -> float:
        """Return the median of all backups but the first one."""
        return median(each.seconds for each in self.took[1:])

    def row(self, title: str, ours: "Contender") -> str:
        """Return the line of the table that tells of it, with ratios to our figures."""
        grown, written = median(self.grown[1:]), median(self.written[1:])
        return (
            f"{title:>10} {self.grown[0]:>11,} ({self.grown[0] / ours.grown[0]:.1f})"
            f" {self.took[0].seconds:5.2f} s"
            f" {grown:>9,.0f} ({grown / median(ours.grown[1:]):4.0f})"
            f" {written:>11,.0f} ({written / median(ours.written[1:]):4.0f})"
            f" {self.seconds():6.2f} s ({self.seconds() / ours.seconds():.1f})"
            f" {median(each.cpu for each in self.took[1:]):5.2f} s"
        )


def contenders(place: Path, events: Path) -> dict[str, Contender]:
    """Make a repository for each program."""
    desk = Desk.of_folder(place / "desk", events)
    desk.new_vault()
    secret = {"RESTIC_PASSWORD": "benchmark", "BORG_PASSPHRASE": "benchmark"}
    restic = {**os.environ, **secret, "RESTIC_CACHE_DIR": str(place / "restic-cache")}
    borg = {**os.environ, **secret, "BORG_BASE_DIR": str(place / "borg-base")}
    made = {_OURS: Contender(desk.vault, desk.run)}
    restic_at, borg_at = place / "restic", place / "borg"
    measure(["restic", "-r", str(restic_at), "init"], restic)
    measure(["borg", "init", "--encryption", "repokey", str(borg_at)], borg)
    folder = [str(events)]
    made["restic"] = _other(restic_at, ["restic", "-r", str(restic_at), "backup", *folder], restic)
    archive = f"{borg_at}::{{now:%Y-%m-%dT%H:%M:%S.%f}}"
    made["borg"] = _other(borg_at, ["borg", "create", "-C", "zstd", archive, *folder], borg)
    return made


def _other(repository: Path, command: Sequence[str], environment: Mapping[str, str]) -> Contender:
    return Contender(repository, lambda: measure(command, environment))


def compete(events: Path, count: int, rounds: int, programs: dict[str, Contender]) -> None:
    """Back up, then change one event and back up again, round by round."""
    order = list(programs.values())
    for turn in range(rounds + 1):
        if turn:
            corpus.write(corpus.event(turn * 7 % count, version=1), events)
        for each in order[turn % len(order) :] + order[: turn % len(order)]:
            each.run()


def main(count: int = 20_000, rounds: int = 7) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        events = place / "events"
        corpus.main(count, events)
        programs = contenders(place, events)
        compete(events, count, rounds, programs)
    ours = programs[_OURS]
    print(f"first backup, then one change (medians of {rounds}); times ours in brackets")
    print(
        f"{'':>10} {'stored':>17} {'':7} {'grown by':>17} {'files written':>18} {'process':>14} CPU"
    )
    for title, each in programs.items():
        print(each.row(title, ours))
    print("targets: at least 3 times the space, 50 times the bytes, 5 times the time of ours")


def _files(folder: Path) -> dict[Path, os.stat_result]:
    return {each: each.stat() for each in folder.rglob("*") if each.is_file()}


def _mark(status: os.stat_result | None) -> tuple[int, int, int] | None:
    return status and (status.st_ino, status.st_size, status.st_mtime_ns)


def _size(status: os.stat_result) -> int:
    return status.st_size


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
