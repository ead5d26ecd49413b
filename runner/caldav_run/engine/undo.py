"""What undoing a run means for each item that it touched, decided without doing it."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from caldav_run.engine.trail import Sure, Touched, spelled_out
from caldav_run.model import Version


class Way(StrEnum):
    """What becomes of an item."""

    REPLACE = "~"
    DELETE = "-"
    ADD = "+"
    NOTHING = "="
    CONFLICT = "!"


class Step(NamedTuple):
    """One decision: what to do with an item, over which version, and why not more."""

    way: Way
    item: Touched
    present: Version | None = None
    reason: str | None = None


def decide(item: Touched, present: Sequence[Version]) -> Step:
    """Decide about one item that a run touched.

    Args:
        item: What the run did with it.
        present: What its calendar holds now.
    """
    there = _there(item, present)
    if item.before is None:
        return _added(item, there)
    if there is not None and there.digest == item.before:
        return Step(Way.NOTHING, item, there)
    if there is None:
        if not item.after and item.sure is not Sure.FAILED:
            return Step(Way.NOTHING if _is_back(item, present) else Way.ADD, item)
        return _left(item, there, "it was deleted after the run")
    if item.after and _is_ours(item, there):
        return Step(Way.REPLACE, item, there)
    return _left(item, there, "it was changed after the run")


def _added(item: Touched, there: Version | None) -> Step:
    if there is None:
        return Step(Way.NOTHING, item)
    if _is_ours(item, there):
        return Step(Way.DELETE, item, there)
    return _left(item, there, "it was changed after the run")


def _left(item: Touched, there: Version | None, reason: str) -> Step:
    """Leave an item alone; where the run's write had failed, it is nobody's conflict."""
    if item.sure is Sure.FAILED:
        return Step(Way.NOTHING, item, there)
    return Step(Way.CONFLICT, item, there, reason)


def _there(item: Touched, present: Sequence[Version]) -> Version | None:
    if item.href is not None:
        same = next((each for each in present if each.href == item.href), None)
        if same is not None:
            return same
        name = spelled_out(item.href)
        return next((each for each in present if spelled_out(each.href) == name), None)
    # Nobody knows under which name it was written, if it was.
    mine = (each for each in present if each.uid == item.uid and _is_ours(item, each))
    return next(mine, None)


def _is_back(item: Touched, present: Sequence[Version]) -> bool:
    """Return whether a deleted item is there again, under another name."""
    return any((each.uid, each.digest) == (item.uid, item.before) for each in present if item.uid)


def _is_ours(item: Touched, there: Version) -> bool:
    """Return whether an item is as the run left it."""
    same_etag = item.etag is not None and there.etag == item.etag
    return same_etag or there.digest in item.after
