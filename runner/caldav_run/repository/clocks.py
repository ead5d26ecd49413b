"""Whether the store's clock and this machine's agree: retention goes by the store's."""

from datetime import datetime, timedelta
from typing import Final

from caldav_run.repository.survey import Listed

TOLERANCE: Final = timedelta(minutes=5)
# One deviation may be a copied or rewritten object; the same one hours apart is a clock.
_APART: Final = timedelta(hours=1)
# A clock that was put right is not complained about until the next change, however late that is.
_RECENT: Final = timedelta(days=7)


def deviation(listed: Listed, now: datetime) -> timedelta | None:
    """Return how far the store's clock is ahead of this machine's, where that is certain.

    A segment's name bears the time of its writer, and the listing that of the store. In a copied
    repository every object is as old as the copy: the differences are then no longer equal.

    Args:
        listed: A generation that this machine wrote, as a run lists it anyway.
        now: The time by this machine's clock.

    Returns:
        The difference, negative for a store that is behind; None for none of more than five
        minutes, and where it cannot be told.
    """
    ahead = max(listed.modified.values()) - now
    if ahead > TOLERANCE:
        return ahead
    # A name that lies ahead is what a clock of ours once said.
    differences = [
        (each.time, listed.modified[each.name] - each.time)
        for each in listed.segments.values()
        if each.time <= now
    ]
    if not differences:
        return None
    newest, difference = differences[-1]
    before = [other for time, other in differences if newest - time >= _APART]
    if now - newest > _RECENT or abs(difference) <= TOLERANCE or not before:
        return None
    return difference if abs(before[-1] - difference) <= TOLERANCE else None


def in_words(difference: timedelta) -> str:
    """Return by how much a clock is off, such as `12 minutes behind`, to go before the other."""
    minutes = round(abs(difference).total_seconds() / 60)
    return f"{minutes} minutes {'ahead of' if difference > timedelta(0) else 'behind'}"
