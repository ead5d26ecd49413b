"""What to do, decided without doing it: pure functions of what is wanted and what is there."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from operator import attrgetter

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
    """What happens to one wanted item."""

    ADD = "+"
    REPLACE = "~"
    SAME = "="
    KEEP = "k"
    UNDECIDED = "?"
    REFUSE = "!"


@dataclass(frozen=True, slots=True)
class Action:
    """One decision: what to do with a wanted item, over which present one, and why."""

    verb: Verb
    wanted: Version
    present: Version | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """How a destination wants differences decided.

    Attributes:
        on_conflict: newest, keep_source, keep_destination or fail; or identical, which is
            keep_source where other bytes that say the same are a conflict too. That needs etags
            that are hashes on both sides: a snapshot's and a folder's.
        objection: Why an item will not be written over what is there, in words.
    """

    on_conflict: str = "newest"
    objection: Callable[[Version, Version | None], str | None] = lambda *_: None


def order(version: Version) -> tuple[str, str]:
    """Return the key by which wanted and present items are sorted."""
    return version.uid, version.href


def plan(wanted: Iterable[Version], present: Iterable[Version], policy: Policy) -> Iterator[Action]:
    """Decide for every wanted item of one calendar; what is only present stays as it is.

    Args:
        wanted: The items to have, sorted by `order`.
        present: The items that are there, sorted by `order`.
        policy: How differences are decided.

    Yields:
        One action for each wanted item, in order.
    """
    for here, there in _by_uid(wanted, present):
        for each, match in _pair(here, there):
            yield _decide(each, match, policy)


def _by_uid(
    wanted: Iterable[Version], present: Iterable[Version]
) -> Iterator[tuple[Sequence[Version], Sequence[Version]]]:
    uid = attrgetter("uid")
    others = groupby(present, uid)
    key, group = next(others, (None, iter(())))
    for name, mine in groupby(wanted, uid):
        while key is not None and key < name:
            key, group = next(others, (None, iter(())))
        yield list(mine), list(group) if key == name else []


def _pair(
    wanted: Sequence[Version], present: Sequence[Version]
) -> Iterator[tuple[Version, Version | None]]:
    # One on each side with a UID is the same event, wherever it lies; doubled UIDs, and items
    # that have none, are told apart by their names.
    if len(wanted) == 1 and len(present) == 1 and wanted[0].uid:
        yield wanted[0], present[0]
        return
    by_href = {each.href: each for each in present}
    for each in wanted:
        yield each, by_href.get(each.href)


def _decide(wanted: Version, present: Version | None, policy: Policy) -> Action:
    if present is not None and _same(wanted, present, policy.on_conflict):
        return Action(Verb.SAME, wanted, present)
    action = Action(Verb.ADD, wanted)
    if present is not None:
        action = _settle(wanted, present, policy.on_conflict)
    if action.verb in {Verb.ADD, Verb.REPLACE}:
        reason = policy.objection(wanted, present)
        if reason is not None:
            return Action(Verb.REFUSE, wanted, present, reason)
    return action


def _same(wanted: Version, present: Version, on_conflict: str) -> bool:
    if present.digest != wanted.digest:
        return False
    return on_conflict != "identical" or present.etag == wanted.etag


def _settle(wanted: Version, present: Version, on_conflict: str) -> Action:
    if on_conflict in {"keep_source", "identical"}:
        return Action(Verb.REPLACE, wanted, present)
    if on_conflict == "keep_destination":
        return Action(Verb.KEEP, wanted, present, "the destination's version is kept")
    if on_conflict == "fail":
        return Action(Verb.REFUSE, wanted, present, "the destination has another version")
    mine, theirs = _comparable(wanted.stamp, present.stamp)
    if mine > theirs:
        return Action(Verb.REPLACE, wanted, present)
    if mine < theirs:
        return Action(Verb.KEEP, wanted, present, "the destination's version is newer")
    reason = "neither version is newer, the destination's is kept"
    return Action(Verb.UNDECIDED, wanted, present, reason)


def _comparable(one: Stamp, other: Stamp) -> tuple[Stamp, Stamp]:
    """Return two stamps without the times that only one of them has: a missing one is not old."""
    if not one.last_modified or not other.last_modified:
        one, other = one._replace(last_modified=""), other._replace(last_modified="")
    if not one.dtstamp or not other.dtstamp:
        one, other = one._replace(dtstamp=""), other._replace(dtstamp="")
    return one, other
