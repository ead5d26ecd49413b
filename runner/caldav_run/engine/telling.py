"""What is told of decisions that write nothing."""

from collections.abc import Iterable, Sequence
from typing import Final

from caldav_run.connectors.mirroring import Outcome
from caldav_run.engine.events import Level
from caldav_run.engine.plan import Action, Verb
from caldav_run.engine.recipient import Tally
from caldav_run.errors import ItemError

# A decision by the rules is only told; where they could not decide, a person may want to.
_STAYS: Final = {Verb.KEEP: Level.INFO, Verb.UNDECIDED: Level.WARNING}


def tell(tally: Tally, title: str, action: Action) -> None:
    """Count and tell a decision by which nothing is written.

    Args:
        tally: Where to count.
        title: What to call the calendar.
        action: The decision; nothing that adds, replaces or deletes.
    """
    label = action.wanted.label if action.wanted else ""
    name = action.wanted.href if action.wanted else None
    if action.verb is Verb.SAME:
        tally.stood["unchanged"] += 1
    elif action.verb is Verb.REFUSE:
        tally.stood["refused"] += 1
        tally.fail(ItemError(f"not written: {action.reason}"), f"{title}: {label}", name)
    else:
        tally.stood["kept"] += 1
        tally.note(_STAYS[action.verb], f"{title}: {label}: {action.reason}", name)


def tell_anew(tally: Tally, title: str, action: Action) -> None:
    """Tell that an item is written over which changed since the plan, should it be so decided.

    No plan has shown that version, and it may have been written after the safety snapshot.
    """
    if action.verb is Verb.REPLACE and action.wanted is not None:
        why = f", {action.reason}" if action.reason else ""
        text = f"{title}: {action.wanted.label}: it changed meanwhile, and is replaced{why}"
        tally.note(Level.WARNING, text, action.wanted.href)


def tell_otherwise(tally: Tally, title: str, names: Sequence[str]) -> None:
    """Tell which properties of a calendar that was there are other than at the source."""
    if names:
        text = f"{title}: the destination has another {' and '.join(names)}, which stays"
        tally.note(Level.INFO, text)


def tell_notes(tally: Tally, title: str, outcome: Outcome) -> None:
    """Tell in what an item is otherwise than it was, though it was to come back as it was."""
    for note in outcome.notes:
        tally.note(Level.WARNING, f"{title}: {outcome.order.label}: {note}")


def tell_left(tally: Tally, title: str, names: Iterable[str]) -> None:
    """Tell which properties of a new calendar the destination did not keep."""
    for name in names:
        text = f"{title}: the destination did not keep the calendar's {name}"
        tally.note(Level.WARNING, text)
