"""Events as people have them, made up: a thousand or a million, the same ones every time.

Usage: python -m benchmarks.corpus COUNT FOLDER

Event number n depends on the seed and on n alone, so that a larger corpus begins with a smaller
one. Nothing is held in memory.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from benchmarks.corpus_facts import changed, facts
from benchmarks.corpus_styles import STYLES

from caldav_run.ical.lines import fold

SEED: Final = 2026
CALENDARS: Final = ("personal", "work", "family", "travel", "club")
_OF_CALENDARS: Final = (30, 45, 15, 4, 6)
_PRODUCERS: Final = tuple(STYLES)


class Event(NamedTuple):
    """One version of one event.

    Attributes:
        number: Which event.
        version: How often it was changed since it was made.
        calendar: The id of its calendar.
        href: Its name in it, which is a file's name too.
        uid: Its UID.
        body: Its bytes.
    """

    number: int
    version: int
    calendar: str
    href: str
    uid: str
    body: bytes


def event(number: int, version: int = 0, seed: int = SEED) -> Event:
    """Return one event, as it is after so many changes."""
    random = Random(f"{seed}/{number}")
    calendar = random.choices(CALENDARS, _OF_CALENDARS)[0]
    style = STYLES[random.choice(_PRODUCERS)]
    uid = style.uid(random)
    href = style.href(random, uid)
    said = facts(random)
    for each in range(1, version + 1):
        said = changed(said, Random(f"{seed}/{number}/{each}"))
    # What the producer draws by itself is the same in all versions.
    own = Random(f"{seed}/{number}/{uid}")
    lines = (fold(line.encode()) for line in style.lines(said, uid, own))
    return Event(number, version, calendar, href, uid, b"\r\n".join(lines) + b"\r\n")


def change(before: Event, times: int = 1, seed: int = SEED) -> Event:
    """Return an event's later version."""
    return event(before.number, before.version + times, seed)


def events(count: int, seed: int = SEED) -> Iterator[Event]:
    """Yield the first events, by number."""
    return (event(number, seed=seed) for number in range(count))


def write(made: Event, folder: Path) -> Path:
    """Write one event into its calendar's subfolder; return where."""
    path = folder / made.calendar / made.href
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made.body)
    return path


def main(count: int, folder: Path) -> None:
    """Write the first events into a folder of `.ics` files, and say what they are."""
    size = 0
    for made in events(count):
        write(made, folder)
        size += len(made.body)
    print(f"{count:,} events, {size:,} bytes, {size / max(count, 1):,.0f} each, in {folder}")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
