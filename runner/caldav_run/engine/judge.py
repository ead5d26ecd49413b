"""Ask a chain of filters about one item."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from caldav_run.connectors.protocol import Filter
from caldav_run.ical.view import ItemView


@dataclass(slots=True)
class Link:
    """One filter of a chain, and what it did in this run."""

    name: str
    filter: Filter
    kept: int = 0
    dropped: int = 0


class Verdict(NamedTuple):
    """What a chain says of an item.

    Attributes:
        keep: Whether every filter keeps it.
        valid_until: Unix time in seconds until which that holds; None for ever.
        problems: What filters could not tell, in words.
    """

    keep: bool
    valid_until: float | None
    problems: tuple[str, ...] = ()


KEEP = Verdict(keep=True, valid_until=None)


def judge(chain: Sequence[Link], view: ItemView, now: datetime, before: Verdict = KEEP) -> Verdict:
    """Ask one filter after the other until one drops the item.

    Args:
        chain: The filters, in order; their counts move.
        view: The item.
        now: The start of the run.
        before: What an earlier chain said of the item.

    Returns:
        A kept item's verdict holds as long as all answers do; a dropped one's as long as the
        answer that dropped it, whatever the others would say later.
    """
    if not before.keep:
        return before
    until, problems = before.valid_until, before.problems
    for link in chain:
        answer = link.filter.judge(view, now)
        expires = _expiry(answer.valid_until, now)
        if answer.problem is not None:
            problems = (*problems, f"{link.name}: {answer.problem}")
        if not answer.keep:
            link.dropped += 1
            return Verdict(keep=False, valid_until=expires, problems=problems)
        link.kept += 1
        until = expires if until is None else until if expires is None else min(until, expires)
    return Verdict(keep=True, valid_until=until, problems=problems)


def _expiry(valid_until: datetime | None, now: datetime) -> float | None:
    """Return the Unix time until which an answer holds; 0 for one that does not outlast the run.

    That one is the same in every run, and must not look like news each time.
    """
    if valid_until is None:
        return None
    return valid_until.timestamp() if valid_until > now else 0.0
