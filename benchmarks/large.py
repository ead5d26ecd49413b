"""What a large account costs: memory, time and stored bytes of each verb, as whole processes.

Usage: python -m benchmarks.large [EVENTS]

All events lie in one calendar, which is the worst case: what is held in memory is held for one
calendar at a time. They come from a folder of `.ics` files and go back into one.
"""

import hashlib
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks import corpus
from benchmarks.program import Desk, Figures

TARGET_MB = 150
TARGET_BYTES = 5000
_RESTORE = """
version: 1
name: restore
sources:
  cloud: {type: snapshot, repository: "${env.VAULT}"}
sinks:
  folder: {type: ics, path: "RESTORED"}
"""


def fill(folder: Path, count: int) -> None:
    """Write the events, all into one calendar."""
    for each in corpus.events(count):
        corpus.write(each._replace(calendar="work"), folder)


def figures(place: Path, count: int) -> Iterator[tuple[str, Figures, int]]:
    """Do everything in turn; yield a name, what the process took, and the bytes it stored."""
    events = place / "events"
    fill(events, count)
    desk = Desk.of_folder(place / "desk", events)
    desk.new_vault()

    def backup(what: str) -> tuple[str, Figures, int]:
        before = desk.stored()
        return what, desk.run(), desk.stored() - before

    yield backup("first backup")
    yield backup("nothing changed")
    changed = corpus.event(count // 2, version=1)
    corpus.write(changed._replace(calendar="work"), events)
    yield backup("one change")
    place_of = ("--repository", str(desk.vault))
    for verb in (["snapshots"], ["show"], ["diff"], ["history", changed.uid], ["check", "--deep"]):
        yield " ".join(verb[:1]), desk.program(*verb, *place_of), 0
    restore = desk.folder / "restore.yaml"
    restore.write_text(_RESTORE.replace("RESTORED", str(place / "restored")))
    yield "restore", desk.program("run", str(restore)), 0
    _compare(events, place / "restored")


def _compare(events: Path, restored: Path) -> None:
    # Names of more than 100 bytes are restored as shorter ones.
    if _contents(events) != _contents(restored):
        raise SystemExit("what was restored is not what was backed up")


def _contents(folder: Path) -> Counter[bytes]:
    return Counter(hashlib.sha256(each.read_bytes()).digest() for each in folder.rglob("*.ics"))


def main(count: int = 100_000) -> None:
    """Measure and print."""
    print(f"{count:,} events in one calendar; targets: under {TARGET_MB} MB,", end=" ")
    print(f"one change at most {TARGET_BYTES:,} bytes")
    with tempfile.TemporaryDirectory() as name:
        for what, each, stored in figures(Path(name), count):
            size = f", {stored:,} bytes stored" if stored else ""
            print(
                f"{what:>16}: peak {each.peak:4.0f} MB, {each.seconds:6.2f} s"
                f" (CPU {each.cpu:6.2f} s){size}",
                flush=True,
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
