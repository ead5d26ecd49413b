"""What to do, decided without doing it: pure functions of what is wanted and what is there."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Final

from caldav_run.engine.judge import Verdict
from caldav_run.model import Calendar, Change, Entry, Item, Op, Stamp, Version

# ------------------------------------------------------------------ sinks that append


def changed_item(
    known: Entry | None, item: Item, verdict: Verdict, uid: str | None
) -> Change | None:
    """Return the row for an item that was read, or None when the history says so already."""
    if not verdict.keep:
        return _excluded(known, item, verdict)
    same = known is not None and not known.excluded and known.sha256 == item.sha256
    if known is not None and same:
        settled = not known.unread and known.valid_until == verdict.valid_until
        if settled and known.etag == item.etag:
            return None
    return Change(
        op=Op.SAME if same else Op.ADD,
        calendar=item.calendar,
        href=item.href,
        item=item,
        etag=item.etag,
        uid=uid,
        valid_until=verdict.valid_until,
    )


def _excluded(known: Entry | None, item: Item, verdict: Verdict) -> Change | None:
    said = Entry(item.etag, None, excluded=True, valid_until=verdict.valid_until)
    if known is not None and known._replace(sha256=None) == said:
        return None
    return Change(
        op=Op.EXCLUDED,
        calendar=item.calendar,
        href=item.href,
        etag=item.etag,
        valid_until=verdict.valid_until,
    )


def unread_item(
    known: Entry | None, calendar: str, href: str, reason: str, *, judged: bool
) -> Change | None:
    """Return the row that carries an unread item forward, or None when none is needed.

    Args:
        known: What is held of it.
        calendar: The id of its calendar.
        href: Its name.
        reason: Why it could not be read.
        judged: Whether what is held was judged as it would be today. An item that was left out
            then stays so; else it has to be asked for again, whatever its etag.
    """
    if known is not None and (known.unread or (known.excluded and judged)):
        return None
    return Change(op=Op.UNREAD, calendar=calendar, href=href, reason=reason)


def gone_items(
    known: Mapping[str, Entry], seen: AbstractSet[str], calendar: str
) -> Iterator[Change]:
    """Yield the rows for the items of a wholly read calendar that were not named."""
    # Not by a difference of sets: that would copy the names of a large calendar.
    for href in sorted(href for href in known if href not in seen):
        yield Change(op=Op.GONE, calendar=calendar, href=href)


def calendar_row(known: Calendar | None, calendar: Calendar) -> Change | None:
    """Return the row for a calendar that is there, or None when nothing about it is new.

    The token alone is no news: some servers hand out another one at every request.
    """
    if known is not None and replace(known, token=calendar.token) == calendar:
        return None
    return Change(op=Op.CALENDAR, calendar=calendar.id, properties=calendar)


# ------------------------------------------------------------------ sinks with a present state


class Verb(StrEnum):
    """What happens to one item."""

    ADD = "+"
    REPLACE = "~"
    DELETE = "-"
    SAME = "="
    KEEP = "k"
    UNDECIDED = "?"
    REFUSE = "!"


@dataclass(frozen=True, slots=True)
class Action:
    """One decision: what to do with a wanted item, over which present one, and why.

    A deletion has nothing that is wanted; every other decision has.
    """

    verb: Verb
    wanted: Version | None
    present: Version | None = None
    reason: str | None = None


def _no_objection(*_: object) -> None:
    return None


def _not_rewritten(*_: object) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Policy:
    """How a destination wants differences decided.

    Attributes:
        on_conflict: newest, keep_source, keep_destination or fail; or identical, which is
            keep_source where other bytes that say the same are a conflict too. That needs etags
            that are hashes on both sides: a snapshot's and a folder's.
        objection: Why an item will not be written over what is there, in words.
        rewritten: Whether what is there is what the destination made of the wanted item when it
            was written.
        exact: Whether what is not wanted goes. Only for a calendar of which all that is wanted is
            known.
    """

    on_conflict: str = "newest"
    objection: Callable[[Version, Version | None], str | None] = _no_objection
    rewritten: Callable[[Version, Version], bool] = _not_rewritten
    exact: bool = False


def order(version: Version) -> tuple[str, str]:
    """Return the key by which wanted and present items are sorted."""
    return version.uid, version.href


def plan(wanted: Iterable[Version], present: Iterable[Version], policy: Policy) -> Iterator[Action]:
    """Decide for every wanted item of one calendar, and with `exact` for what is only present.

    Args:
        wanted: The items to have, sorted by `order`.
        present: The items that are there, sorted by `order`.
        policy: How differences are decided.

    Yields:
        One action for each wanted item, in order, and deletions between them.
    """
    for here, there in _by_uid(wanted, present):
        pairs = _pair(here, there, policy)
        for each, match in zip(here, pairs, strict=True):
            yield _decide(each, match, policy)
        if policy.exact:
            taken = {match.href for match in pairs if match is not None}
            yield from (Action(Verb.DELETE, None, each) for each in there if each.href not in taken)


def _by_uid(
    wanted: Iterable[Version], present: Iterable[Version]
) -> Iterator[tuple[Sequence[Version], Sequence[Version]]]:
    """Yield what either side has under each UID, in order."""
    both = merge(
        ((each.uid, False, each) for each in wanted),
        ((each.uid, True, each) for each in present),
        key=itemgetter(0, 1),
    )
    for _, group in groupby(both, itemgetter(0)):
        sides: tuple[list[Version], list[Version]] = ([], [])
        for _, there, each in group:
            sides[there].append(each)
        yield sides


def _pair(
    wanted: Sequence[Version], present: Sequence[Version], policy: Policy
) -> list[Version | None]:
    """Return what each wanted item is over there; all of them have one UID, or none."""
    # One on each side with a UID is the same event, wherever it lies; doubled UIDs, and items
    # that have none, are told apart by their names.
    if len(wanted) == 1 and len(present) == 1 and wanted[0].uid:
        return [present[0]]
    left = {each.href: each for each in present}
    pairs = [left.pop(each.href, None) for each in wanted]
    for at, each in enumerate(wanted):
        if pairs[at] is None and (match := _likely(each, left.values(), policy)) is not None:
            pairs[at] = left.pop(match.href)
    return pairs


def _likely(wanted: Version, left: Iterable[Version], policy: Policy) -> Version | None:
    """Return which of several items with the same UID, or none, is the wanted one renamed.

    The one that says the same; where all others with the UID would go, any, so that it is written
    over and never deleted before another one is there.
    """
    alike = (each for each in left if _same(wanted, each, policy))
    return next(alike, next(iter(left), None) if policy.exact and wanted.uid else None)


def _decide(wanted: Version, present: Version | None, policy: Policy) -> Action:
    if present is not None and _same(wanted, present, policy):
        return Action(Verb.SAME, wanted, present)
    action = Action(Verb.ADD, wanted)
    if present is not None:
        action = _settle(wanted, present, policy.on_conflict)
    if action.verb in {Verb.ADD, Verb.REPLACE}:
        reason = policy.objection(wanted, present)
        if reason is not None:
            return Action(Verb.REFUSE, wanted, present, reason)
    return action


def _same(wanted: Version, present: Version, policy: Policy) -> bool:
    if policy.on_conflict == "identical":
        return present.digest == wanted.digest and present.etag == wanted.etag
    return present.digest == wanted.digest or policy.rewritten(wanted, present)


# What is decided without a look at which version is newer.
_FIXED: Final = {
    "identical": (Verb.REPLACE, None),
    "keep_destination": (Verb.KEEP, "the destination's version is kept"),
    "fail": (Verb.REFUSE, "the destination has another version"),
}


def _settle(wanted: Version, present: Version, on_conflict: str) -> Action:
    if on_conflict in _FIXED:
        verb, why = _FIXED[on_conflict]
        return Action(verb, wanted, present, why)
    mine, theirs = _comparable(wanted.stamp, present.stamp)
    if mine > theirs:
        return Action(Verb.REPLACE, wanted, present)
    newer = "the destination's version is newer" if mine < theirs else "neither version is newer"
    if on_conflict == "keep_source":
        return Action(Verb.REPLACE, wanted, present, f"{newer}, the source's replaces it")
    if mine < theirs:
        return Action(Verb.KEEP, wanted, present, newer)
    return Action(Verb.UNDECIDED, wanted, present, f"{newer}, the destination's is kept")


def even(one: Version, other: Version) -> bool:
    """Return whether neither version is newer."""
    mine, theirs = _comparable(one.stamp, other.stamp)
    return mine == theirs


def _comparable(one: Stamp, other: Stamp) -> tuple[Stamp, Stamp]:
    """Return two stamps without the times that only one of them has: a missing one is not old."""
    if not one.last_modified or not other.last_modified:
        one, other = one._replace(last_modified=""), other._replace(last_modified="")
    if not one.dtstamp or not other.dtstamp:
        one, other = one._replace(dtstamp=""), other._replace(dtstamp="")
    return one, other
