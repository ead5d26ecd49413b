"""Finding events in all that a repository holds, by name or by what they say."""

import shlex
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caldav_run.cli.repositories import Choice, Opened

if TYPE_CHECKING:
    from caldav_run.ical.describe import Outline
    from caldav_run.ical.search import Search
    from caldav_run.repository.reader import Reader
    from caldav_run.repository.snapshots import ItemInfo, SnapshotInfo
    from caldav_run.repository.tracks import Stop, Track


@dataclass(frozen=True, slots=True)
class Match:
    """An event that says what was looked for.

    Attributes:
        track: The event through time.
        stop: When its newest version that says so came.
        item: That version.
        outline: What that version is called.
    """

    track: "Track"
    stop: "Stop"
    item: "ItemInfo"
    outline: "Outline"

    @property
    def calendar(self) -> str:
        """The title of its calendar."""
        return self.stop.titles[self.item.calendar]

    @property
    def holder(self) -> "SnapshotInfo":
        """The last snapshot that holds this version."""
        at = self.track.stops.index(self.stop)
        after = self.track.stops[at + 1 : at + 2]
        # What a stop stands before holds what the stop before it says.
        return after[0].before or self.stop.snapshot if after else self.track.last

    @property
    def current(self) -> bool:
        """Whether the last snapshot that holds the event has it in this version."""
        held = [each for each in self.track.stops if each.items][-1]
        return self.item.sha256 in {each.sha256 for each in held.items}


def by_name(found: Opened, name: str) -> list["Track"]:
    """Return the events with a UID, or those at a place as `CALENDAR/HREF`, through time."""
    from caldav_run.repository.sightings import Wanted
    from caldav_run.repository.tracks import tracks

    slashes = [at for at, letter in enumerate(name) if letter == "/"]
    # A calendar's id and an href may hold a slash, too.
    places = {(name[:at], name[at + 1 :]) for at in slashes}
    wanted = Wanted(uids=frozenset({name}), places=places)
    return [each for account in found.accounts for each in tracks(found.reader, account, wanted)]


def by_text(found: Opened, text: str, names: Collection[str] | None = None) -> list[Match]:
    """Return the events of which some version says a text, oldest first.

    Args:
        found: The repository.
        text: What is looked for; see `caldav_run.ical.search`.
        names: The properties that are looked into; None for all that people write.
    """
    from caldav_run.ical.search import Search

    search = Search(text, names)
    return [each for some in found.accounts for each in _in_account(found.reader, some, search)]


def _in_account(reader: "Reader", account: str, search: "Search") -> Iterator[Match]:
    from caldav_run.ical.describe import outline
    from caldav_run.repository.sightings import Wanted
    from caldav_run.repository.tracks import tracks
    from caldav_run.repository.versions import versions

    # Not the bytes themselves: a word may be in all of them.
    found = (each for each in versions(reader, account) if search.finds(each.body))
    said = {each.sha256: outline(each.body) for each in found}
    for track in tracks(reader, account, Wanted(hashes=frozenset(said))) if said else ():
        stop, item = [(s, i) for s in track.stops for i in s.items if i.sha256 in said][-1]
        yield Match(track, stop, item, said[item.sha256 or ""])


def command(verb: str, choice: Choice, pipeline: str | None, *words: str) -> str:
    """Return a command line that opens the same repository, ready to be copied."""
    place = ["--repository", choice.repository] if choice.repository else [pipeline or ""]
    given = {
        "--sink": [choice.sink],
        "--source": [choice.source],
        "--account": [choice.account],
        "--set": choice.sets or (),
        "--identity": choice.identity or (),
        "--trust": choice.trust or (),
    }
    options = [f"{name}={each}" for name, values in given.items() for each in values if each]
    return shlex.join(["caldav-run", verb, *place, *words, *options])


def spelled(item: "ItemInfo") -> str:
    """Return how `cat` takes an item: by its UID, but where that is no plain word."""
    uid = item.uid or ""
    fit = uid.isprintable() and not uid.startswith("-")
    return uid if uid and fit else f"{item.calendar}/{item.href}"
