"""Reads back what was written, and says in what it is not what was meant."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from caldav_run.connectors.mirroring import Held, Mirror, Outcome, Target
from caldav_run.ical.deviations import Deviation, deviations
from caldav_run.model import Version

_BATCH: Final = 500
# Of a sample the first ones, for what a server does to every item, and one in twenty of the rest.
_SURELY: Final = 50
_ONE_IN: Final = 20


class Finding(NamedTuple):
    """What one written item is like at the destination.

    Attributes:
        outcome: What was written; `mirror.meant(outcome.order)` gives the bytes that were meant.
        seen: What lies there now; None where nothing does, or it cannot be read.
        deviations: Each way in which it differs from what was meant; none for one equal at L2.
        missing: Why there is nothing to compare, in words; None where there is.
    """

    outcome: Outcome
    seen: Version | None
    deviations: tuple[Deviation, ...] = ()
    missing: str | None = None

    @property
    def losses(self) -> tuple[Deviation, ...]:
        """The deviations that level L3 does not tolerate."""
        return tuple(each for each in self.deviations if each.rule is None)

    @property
    def loss(self) -> str | None:
        """What is lost, in words; None when nothing is."""
        if self.missing is not None:
            return self.missing
        return "; ".join(f"{each.place}: {each}" for each in self.losses) or None


def verify(mirror: Mirror, target: Target, done: Iterable[Outcome], how: str) -> Iterator[Finding]:
    """Read written items back and yield one finding for each that was to be read.

    Bodies are held one at a time. That each master and override (UID, RECURRENCE-ID) is there
    once follows from the comparison: one that is missing or added is a difference of its item.

    Args:
        mirror: The destination.
        target: The calendar.
        done: What was written there: each has an `href` and an order with a body.
        how: full, sample or none.

    Raises:
        ConnectorError: The destination cannot be read any more.
    """
    if how == "none":
        return
    left = iter(done) if how == "full" else _sample(done)
    while batch := list(islice(left, _BATCH)):
        yield from _compared(mirror, target, batch)


def _sample(done: Iterable[Outcome]) -> Iterator[Outcome]:
    """Yield some items; of the same ones the same some."""
    for number, each in enumerate(done):
        digest = hashlib.sha256((each.href or "").encode("utf-8", "surrogateescape")).digest()
        if number < _SURELY or digest[0] % _ONE_IN == 0:
            yield each


def _compared(mirror: Mirror, target: Target, batch: Sequence[Outcome]) -> Iterator[Finding]:
    by_href: defaultdict[str, list[Outcome]] = defaultdict(list)
    for each in batch:
        if each.href is not None:
            by_href[each.href].append(each)
    for held in mirror.reread(target, list(by_href)):
        # Two that were written to one place cannot both be there.
        yield from (_finding(mirror, outcome, held) for outcome in by_href.pop(held.href, ()))
    for outcome in (outcome for left in by_href.values() for outcome in left):
        yield Finding(outcome, None, missing="the destination says nothing of it after writing")


def _finding(mirror: Mirror, outcome: Outcome, held: Held) -> Finding:
    wanted, seen = outcome.order.wanted, held.version
    if seen is None or held.body is None:
        missing = "is not there after writing"
        if held.error:
            missing = f"cannot be read back: {held.error}"
        return Finding(outcome, None, missing=missing)
    if wanted is not None and seen.digest == wanted.digest:
        return Finding(outcome, seen)
    return Finding(outcome, seen, tuple(deviations(mirror.meant(outcome.order), held.body)))
