"""What a run writes into one destination with, and how it counts what it did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from caldav_run.connectors.mirroring import Mirror
from caldav_run.engine.agenda import Agenda
from caldav_run.engine.meeting import Destination
from caldav_run.engine.mirror import MirrorRecipient
from caldav_run.engine.plan import Verb
from caldav_run.engine.readback import Readback
from caldav_run.engine.recipient import Tally
from caldav_run.engine.rejecting import Rejected
from caldav_run.engine.remembering import Remembered
from caldav_run.errors import CaldavRunError
from caldav_run.model import Version


@dataclass(slots=True)
class Saving:
    """Saves what a destination holds, once, before anything of it is lost.

    Attributes:
        protect: Does it; None to save nothing.
    """

    protect: Callable[[], None] | None
    _failure: str | None = None
    _done: bool = False

    def failure(self) -> str | None:
        """Return why it could not be saved, in words, and nothing may be lost; else None."""
        if not self._done and self.protect is not None:
            try:
                self.protect()
            except CaldavRunError as error:
                self._failure = f"what is there could not be saved before: {error}"
        self._done = True
        return self._failure


class Aside(NamedTuple):
    """An item as it was before it made room: where it lay, what it was, its bytes."""

    place: Destination
    version: Version
    body: bytes


@dataclass(frozen=True, slots=True)
class Means:
    """What a run writes with.

    Attributes:
        mirror: The destination.
        feeds: The sources, as the agenda numbers them.
        agenda: What is to be written.
        memory: What the destination made of what was written.
        saving: Saves what is there.
        readback: Reads back what was written.
        tally: Where to count.
        rejected: Keeps what is refused.
        leaving: The UIDs of what is to be deleted.
        unwritten: The UIDs of what the source has and the destination does not have in its place.
        aside: What was deleted to make room for the same event elsewhere, by UID.
    """

    mirror: Mirror
    feeds: Sequence[MirrorRecipient]
    agenda: Agenda
    memory: Remembered
    saving: Saving
    readback: Readback
    tally: Tally
    rejected: Rejected
    leaving: set[str] = field(default_factory=set)
    unwritten: set[str] = field(default_factory=set)
    aside: dict[str, Aside] = field(default_factory=dict)


def count(
    tally: Tally,
    place: Destination,
    wanted: Version | None,
    over: Version | None,
    words: Sequence[str] = (),
) -> None:
    """Count one change, and tell it where details are wanted.

    Args:
        tally: Where to count.
        place: The calendar.
        wanted: What is written; None for a deletion.
        over: What is written over, or deleted.
        words: In what it changes, a phrase each.
    """
    named = wanted or over
    label = named.label if named else ""
    if wanted is None:
        tally.count("deleted", Verb.DELETE, place.title, label, words)
    elif over is None:
        tally.count("added", Verb.ADD, place.title, label, words)
    else:
        tally.count("changed", Verb.REPLACE, place.title, label, words)
