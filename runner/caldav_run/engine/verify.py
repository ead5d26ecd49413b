"""Reads back what was written, and says in what it is not what was meant."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from caldav_run.connectors.mirroring import Held, Mirror, Outcome, Target
from caldav_run.ical.deviations import deviations
from caldav_run.model import Version

_BATCH: Final = 500


class Finding(NamedTuple):
    """What one written item is like at the destination.

    Attributes:
        outcome: What was written; `outcome.order.body()` gives the bytes that were meant.
        seen: What lies there now; None where nothing does, or it cannot be read.
        deviations: In what it differs though nothing is lost, in words (level L3).
        loss: What is lost, in words; None when nothing is.
    """

    outcome: Outcome
    seen: Version | None
    deviations: tuple[str, ...] = ()
    loss: str | None = None


def verify(mirror: Mirror, target: Target, done: Iterable[Outcome], how: str) -> Iterator[Finding]:
    """Read written items back and yield one finding for each that was read.

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
    left = iter(done)
    while batch := list(islice(left, _BATCH)):
        yield from _compare(mirror, target, batch)
        if how == "sample":
            return


def _compare(mirror: Mirror, target: Target, batch: Sequence[Outcome]) -> Iterator[Finding]:
    by_href = {each.href: each for each in batch if each.href is not None}
    for held in mirror.reread(target, list(by_href)):
        if (outcome := by_href.get(held.href)) is not None:
            yield _finding(outcome, held)


def _finding(outcome: Outcome, held: Held) -> Finding:
    wanted, seen = outcome.order.wanted, held.version
    if seen is None or held.body is None:
        loss = f"cannot be read back: {held.error}" if held.error else "is not there after writing"
        return Finding(outcome, None, loss=loss)
    if wanted is not None and seen.digest == wanted.digest:
        return Finding(outcome, seen)
    found = deviations(outcome.order.body(), held.body)
    told = tuple(
        f"{each.place}: {each.before or 'nothing'} became {each.after or 'nothing'}"
        for each in found
    )
    lost = [words for each, words in zip(found, told, strict=True) if each.rule is None]
    return Finding(outcome, seen, told, "; ".join(lost) or None)
