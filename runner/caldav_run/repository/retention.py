"""Which generations have expired: decided from values alone, without a store.

Only the store's clock counts, and only age: neither a burst of snapshots nor a host whose clock
runs ahead pushes anything out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Final

from caldav_run.repository.names import GenerationName
from caldav_run.repository.tombstone import Grave

REST: Final = timedelta(hours=72)
"""How long a generation rests before it gets a tombstone, and again before it is deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """What a pipeline says of how long to keep.

    Attributes:
        within: How old a snapshot gets before it may go; None for ever.
        min_generations: How many complete full backups stay whatever their age.
        auto: Whether a run deletes what has expired.
    """

    within: timedelta | None = None
    min_generations: int = 2
    auto: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A generation as retention sees it; times are the store's.

    Attributes:
        name: Which.
        account: Whose it is, where known.
        base: When its base was stored; None when it has none.
        newest_segment: When its newest snapshot was stored; None without any.
        newest_object: When its newest object was stored; None when only a tombstone is left.
        whole: Whether all that its snapshots need is there.
        pinned_by: The name of a generation that takes from it what it could not read itself.
        grave: The tombstone that counts.
        unreplaced: How many of its readable snapshots no other one stands for.
        stand_ins: Where those lie that stand for its snapshots.
    """

    name: GenerationName
    account: str | None = None
    base: datetime | None = None
    newest_segment: datetime | None = None
    newest_object: datetime | None = None
    whole: bool = True
    pinned_by: str | None = None
    grave: Grave | None = None
    unreplaced: int = 0
    stand_ins: tuple[GenerationName, ...] = ()


class Stage(StrEnum):
    """What becomes of a generation now."""

    KEPT = "kept"
    MARK = "mark"
    """It has expired: it gets a tombstone."""
    WAITS = "waits"
    """Its tombstone is too young."""
    DELETE = "delete"
    BLOCKED = "blocked"
    """It would go, but what takes its place is damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of one generation, and why.

    Attributes:
        generation: The generation.
        stage: What becomes of it.
        why: The reason, in words.
        successors: What has to be whole before anything is done to it.
    """

    generation: Kept
    stage: Stage
    why: str
    successors: tuple[GenerationName, ...] = ()


def decide(generations: Sequence[Kept], keep: Keep, now: datetime) -> list[Verdict]:
    """Say what becomes of one account's generations.

    Args:
        generations: All of the writer's for this account, oldest first.
        keep: The policy.
        now: The store's present.
    """
    living = [each for each in generations if each.whole and each.grave is None]
    verdicts: list[Verdict] = []
    for each in generations:
        if each.grave is not None and each.grave.tombstone.rewritten:
            verdicts.append(_rewritten(each, each.grave, now))
            continue
        verdicts.append(_expired(each, living, keep, now))
        if verdicts[-1].stage is Stage.MARK:
            living = [other for other in living if other is not each]
    return [_succeeded(each, living) for each in verdicts]


def ripe(generations: Sequence[Kept], keep: Keep, now: datetime) -> bool:
    """Return whether any is old enough to go, by nothing but what a listing tells."""
    return any(not _young(each, generations, keep, now) for each in generations)


def _expired(each: Kept, living: Sequence[Kept], keep: Keep, now: datetime) -> Verdict:
    others = [other for other in living if other is not each]
    later = [other for other in others if other.name > each.name]
    why = _young(each, later, keep, now) or _needed(each, others, keep)
    if why:
        marked = "marked for deletion, but stays: " if each.grave else ""
        return Verdict(generation=each, stage=Stage.KEPT, why=marked + why)
    if each.grave is None:
        return Verdict(generation=each, stage=Stage.MARK, why="expired")
    return _marked(each, each.grave, now)


def _succeeded(verdict: Verdict, living: Sequence[Kept]) -> Verdict:
    """Name what has to be whole for it: what was rewritten, else the next one that stays."""
    each = verdict.generation
    if each.grave is not None and each.grave.tombstone.rewritten:
        return replace(verdict, successors=each.stand_ins)
    later = (other.name for other in living if other.name > each.name)
    return replace(verdict, successors=tuple(islice(later, 1)))


def _rewritten(each: Kept, grave: Grave, now: datetime) -> Verdict:
    why = ""
    if each.unreplaced:
        why = f"{each.unreplaced} of its snapshots were not rewritten: run caldav-run rewrite again"
    elif not each.stand_ins and each.newest_segment is not None:
        why = "what it was rewritten to is not there"
    if why:
        return Verdict(generation=each, stage=Stage.KEPT, why=f"rewritten, but stays: {why}")
    return _marked(each, grave, now)


def _marked(each: Kept, grave: Grave, now: datetime) -> Verdict:
    since = f"{grave.tombstone.reason}, marked {grave.stored:%Y-%m-%d %H:%M} UTC"
    if now - grave.stored >= REST:
        return Verdict(generation=each, stage=Stage.DELETE, why=since)
    until = grave.stored + REST
    why = f"{since}: goes once something is stored after {until:%Y-%m-%d %H:%M} UTC"
    return Verdict(generation=each, stage=Stage.WAITS, why=why)


def _young(each: Kept, others: Sequence[Kept], keep: Keep, now: datetime) -> str:
    if keep.within is None:
        return "everything is kept"
    horizon = now - keep.within
    later = (other.base for other in others if other.name > each.name and other.base is not None)
    if not any(base <= horizon for base in later):
        return f"no later full backup is older than {horizon:%Y-%m-%d %H:%M} UTC"
    if each.newest_segment is not None and each.newest_segment > horizon:
        return f"a snapshot of it is younger than {horizon:%Y-%m-%d %H:%M} UTC"
    if each.newest_object is not None and each.newest_object > now - REST:
        return "something was stored in it less than 72 hours ago"
    return ""


def _needed(each: Kept, others: Sequence[Kept], keep: Keep) -> str:
    if len(others) < keep.min_generations:
        return f"min_generations: {keep.min_generations} complete full backups have to remain"
    if each.pinned_by is not None:
        return f"{each.pinned_by} takes from it what could not be read when that was begun"
    return ""
