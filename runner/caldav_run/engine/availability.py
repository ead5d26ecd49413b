"""When the user is available (RFC 7953): said to a destination, and unsaid again."""

from collections.abc import Sequence
from typing import Final, Protocol

from caldav_run import shelf
from caldav_run.connectors.mirroring import Mirror
from caldav_run.engine.events import Level
from caldav_run.engine.mirror import MirrorRecipient
from caldav_run.engine.plan import Verb
from caldav_run.engine.recipient import Tally
from caldav_run.engine.remembering import Remembered
from caldav_run.engine.trail import Availability
from caldav_run.errors import CalendarError, ItemError
from caldav_run.ical.version import version
from caldav_run.model import Version

PLACE: Final = "Account"
LABEL: Final = "when the user is available"
# Nothing in it tells which is newer.
_STAYS: Final = {
    "newest": (Level.WARNING, "neither is newer, and the destination's is kept"),
    "keep_destination": (Level.INFO, "the destination's is kept"),
}


class Kept(Protocol):
    """What a destination said before the run."""

    def available(self) -> str:
        """Return when the user was available; empty for nothing."""


def digest(text: str) -> bytes | None:
    """Return what is equal for two texts that mean the same (L2); None for an empty one."""
    return _seen(text).digest if text.strip() else None


def _seen(text: str) -> Version:
    return version(text.encode(), "", None)


def settle(
    mirror: Mirror, feeds: Sequence[MirrorRecipient], memory: Remembered, tally: Tally
) -> None:
    """Say to a destination what the sources say, unless it says something else already.

    Nothing is ever removed, and what the destination does not keep is told as it is for a property
    of a calendar.

    Args:
        mirror: The destination.
        feeds: The sources.
        memory: What the destination made of what was said.
        tally: Where to count.
    """
    wanted = {digest(text): text for each in feeds if (text := each.available or "").strip()}
    if not wanted:
        return
    if len(wanted) > 1:
        text = "the sources have several, and none of them is written"
        tally.note(Level.WARNING, f"{PLACE}: {LABEL}: {text}")
        return
    try:
        _settle(mirror, next(iter(wanted.values())), memory, tally)
    except CalendarError as error:
        tally.note(Level.WARNING, f"{PLACE}: {LABEL}: not written: {error}")
    except ItemError as error:
        tally.fail(error, f"{PLACE}: {LABEL}")


def _settle(mirror: Mirror, wanted: str, memory: Remembered, tally: Tally) -> None:
    there = mirror.available()
    if there is None:
        tally.note(Level.INFO, f"{PLACE}: {LABEL}: the destination has no place for that")
        return
    made = memory.says(shelf.ACCOUNT, _seen(wanted), _seen(there))
    if digest(there) == digest(wanted) or made:
        return
    rule = mirror.options.on_conflict
    if there.strip() and rule != "keep_source":
        _let_be(tally, rule)
        return
    if not tally.dry:
        kept = _say(mirror, wanted, there, tally)
        memory.remember(shelf.ACCOUNT, _seen(wanted), _seen(kept))
    if there.strip():
        tally.count("changed", Verb.REPLACE, PLACE, LABEL)
    else:
        tally.count("added", Verb.ADD, PLACE, LABEL)


def _let_be(tally: Tally, rule: str) -> None:
    if rule not in _STAYS:
        raise ItemError("not written: the destination has another one")
    level, why = _STAYS[rule]
    tally.stood["kept"] += 1
    tally.note(level, f"{PLACE}: {LABEL}: the destination has another one; {why}")


def _say(mirror: Mirror, text: str, over: str, tally: Tally) -> str:
    """Say it, and return what became of it.

    Raises:
        CalendarError: The destination refused, or did not keep it.
        ItemError: What it had could not be saved.
    """
    kept = mirror.say_available(text, over)
    if digest(kept) != digest(text):
        if digest(kept) in {None, digest(over)}:
            raise CalendarError("the destination did not keep it")
        tally.note(Level.WARNING, f"{PLACE}: {LABEL}: the destination made something else of it")
    return kept


def put_back(said: Availability | None, mirror: Mirror, kept: Kept | None, tally: Tally) -> None:
    """Have a destination say again what it said before a run, unless somebody changed it since.

    Args:
        said: What the run did about it; None for nothing.
        mirror: The destination.
        kept: What it said before; None where it was not saved.
        tally: Where to count.
    """
    if said is None:
        return
    try:
        _put_back(said, mirror, kept, tally)
    except (CalendarError, ItemError) as error:
        tally.tell("!", PLACE, LABEL)
        tally.fail(ItemError(f"left as it is: {error}"), f"{PLACE}: {LABEL}")


def _put_back(said: Availability, mirror: Mirror, kept: Kept | None, tally: Tally) -> None:
    there = mirror.available() or ""
    if digest(there) == said.before:
        return
    if digest(there) not in said.after:
        raise ItemError("it was changed after the run")
    old = kept.available() if kept is not None and said.before is not None else ""
    if digest(old) != said.before:
        raise ItemError("its old version was not saved before the run")
    if not tally.dry:
        _say(mirror, old, there, tally)
    if old:
        tally.count("changed", Verb.REPLACE, PLACE, LABEL)
    else:
        tally.count("deleted", Verb.DELETE, PLACE, LABEL)
