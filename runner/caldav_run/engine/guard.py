"""Guards: what must hold of a source before anything but an append may follow."""

from dataclasses import dataclass

from caldav_run.connectors.mirroring import Deletions


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a pipeline expects of each of its sources, counted before filters.

    Attributes:
        min_items: The fewest items a source may have; None for any number.
        max_shrink: The largest share (0 to 1) of its items that an account may have lost since
            its last snapshot; None for any.
    """

    min_items: int | None = None
    max_shrink: float | None = None

    def objection(self, items: int, before: int | None) -> str | None:
        """Return why the guard trips, in words, or None when all is as expected.

        Args:
            items: How many items the source has now.
            before: How many it had at its last snapshot; None when that is not known.
        """
        if self.min_items is not None and items < self.min_items:
            return f"{items} items, but expect.min_items is {self.min_items}"
        if self.max_shrink is None or not before:
            return None
        lost = (before - items) / before
        if lost > self.max_shrink:
            limit = f"expect.max_shrink allows {self.max_shrink:.0%}"
            return f"{items} items where the last snapshot had {before} (-{lost:.0%}; {limit})"
        return None


def too_many(deletions: int, present: int, limits: Deletions) -> str | None:
    """Return why so much is not deleted, in words, or None when it may be.

    Args:
        deletions: How many items would be deleted.
        present: How many there are at the destination.
        limits: How many may be.
    """
    if not deletions:
        return None
    words = f"{deletions:,} of {present:,} items would be deleted"
    if deletions > limits.max:
        return f"{words}, but delete.max is {limits.max}"
    if deletions > limits.max_ratio * present:
        return f"{words}, but delete.max_ratio is {limits.max_ratio:.0%}"
    return None
