"""Guards: what must hold of a source before anything but an append may follow."""

from dataclasses import dataclass


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
