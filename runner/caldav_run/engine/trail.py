"""What a run did to a destination, told from its journal: the last word on each item counts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

from caldav_run.engine.journal import Journaled, Saved
from caldav_run.model import Calendar


class Sure(StrEnum):
    """How certain it is that a write took place."""

    DONE = "done"
    UNKNOWN = "unknown"
    FAILED = "failed"
    PUT_OFF = "put off"


@dataclass(slots=True, kw_only=True)
class Touched:
    """One item that a run wrote or deleted, or meant to.

    Attributes:
        calendar: The id of its calendar at the destination.
        href: Its name there; None for a new one of which nobody knows whether it was written.
        was: Its name there before the run; None where it was not there.
        uid: Its UID.
        label: What to call it; empty until it was looked at.
        before: Digest (L2) of what was there before the run; None when nothing was, empty when
            it is not known.
        after: Digests of what the run left there, as it was sent and as it came back; empty
            for a deletion.
        etag: The etag that the destination gave it.
        sure: How certain it is.
    """

    calendar: str
    href: str | None
    was: str | None
    uid: str = ""
    label: str = ""
    before: bytes | None
    after: set[bytes] = field(default_factory=set)
    etag: str | None = None
    sure: Sure = Sure.UNKNOWN


@dataclass(slots=True, kw_only=True)
class Availability:
    """What a run said of when the user is available, as digests (L2); None for nothing.

    Attributes:
        before: What was said before the run.
        after: What the run left there, as it was sent and as it came back.
    """

    before: bytes | None
    after: set[bytes | None] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class Trail:
    """What a run did to one destination.

    Attributes:
        sink: The destination's name.
        origin: What it was.
        where: What is needed to find it again.
        saved: Where it was saved before; None where nothing was to be destroyed, or it was not.
        sources: For each of its calendars, whose it is: the source and its calendar.
        created: The calendars that the run created, by id.
        removed: The calendars that it deleted, by id.
        items: What was done to items, in order.
        available: What it said of when the user is available; None where it said nothing.
    """

    sink: str
    origin: str
    where: Mapping[str, Any]
    saved: Saved | None = None
    sources: dict[str, tuple[str, Calendar]] = field(default_factory=dict)
    created: dict[str, Calendar] = field(default_factory=dict)
    removed: dict[str, Calendar] = field(default_factory=dict)
    items: list[Touched] = field(default_factory=list)
    available: Availability | None = None


def trails(journaled: Journaled) -> list[Trail]:
    """Return what a run did, for each destination.

    Raises:
        KeyError: The journal is not what this program writes.
    """
    found: dict[str, Trail] = {}
    for line in journaled.lines:
        if line["op"] == "place":
            found[line["sink"]] = Trail(sink=line["sink"], origin=line["origin"], where=line)
    for sink, trail in found.items():
        mine = [each for each in journaled.lines if each.get("sink", sink) == sink]
        _take(trail, mine)
        trail.items = list(_merged(_writes(mine)))
    return list(found.values())


def _take(trail: Trail, lines: Iterable[Mapping[str, Any]]) -> None:
    for line in lines:
        match line["op"]:
            case "saved":
                trail.saved = Saved(**line["in"])
            case "calendar":
                trail.sources[line["id"]] = line["source"], _calendar(line["calendar"])
            case "create":
                trail.created[line["id"]] = _calendar(line["calendar"])
            case "remove":
                trail.removed[line["id"]] = _calendar(line["calendar"])
            case "available":
                before, after = _digest(line["before"]), _digest(line["after"])
                trail.available = trail.available or Availability(before=before)
                trail.available.after.add(after)
            case _:
                pass


def _writes(lines: Sequence[Mapping[str, Any]]) -> Iterator[Touched]:
    """Yield each write with what became of it; those that the destination put off are none."""
    writes: dict[int, Touched] = {}
    written: dict[tuple[str, str], Touched] = {}
    for line in lines:
        if line["op"] == "write":
            writes[line["n"]] = _touched(line)
        elif line["op"] == "found":
            one = written.get((line["calendar"], spelled_out(line["href"])))
            if one is not None and one.after:
                one.after.add(bytes.fromhex(line["digest"]))
        elif line.get("n") in writes:
            one = writes[line["n"]]
            _end(one, line)
            written[one.calendar, spelled_out(one.href or "")] = one
    yield from (each for each in writes.values() if each.sure is not Sure.PUT_OFF)


def _end(one: Touched, line: Mapping[str, Any]) -> None:
    if line["op"] == "failed":
        # Journals of earlier versions do not tell what is not known from what was refused.
        known = Sure.UNKNOWN if line.get("unsure") else Sure.FAILED
        one.sure = Sure.PUT_OFF if line["moved"] else known
        return
    one.sure = Sure.DONE
    if one.after:
        one.href, one.etag = line["href"] or one.href, line["etag"]


def _merged(writes: Iterable[Touched]) -> Iterator[Touched]:
    """Yield each item once: as it was before the first write, and as the last one left it."""
    found: dict[tuple[str, str], Touched] = {}
    for one in writes:
        if one.href is None:
            yield one
            continue
        key = one.calendar, spelled_out(one.href)
        first = found.get(key)
        if first is not None and (first.href == one.href or one.before is None):
            one.before, one.was = first.before, first.was
        elif first is not None:
            # Two files of a folder, whose names are alike but for escapes.
            yield first
        found[key] = one
    yield from found.values()


def spelled_out(href: str) -> str:
    """Return a name without escapes: a listing may escape it in another way than a write did."""
    return unquote(href, errors="surrogateescape")


def _touched(line: Mapping[str, Any]) -> Touched:
    return Touched(
        calendar=line["calendar"],
        href=line["href"],
        was=line["href"],
        uid=line["uid"],
        before=_digest(line["before"]),
        after=set() if line["after"] is None else {bytes.fromhex(line["after"])},
    )


def _digest(told: str | None) -> bytes | None:
    return None if told is None else bytes.fromhex(told)


def _calendar(told: Mapping[str, Any]) -> Calendar:
    return Calendar(**{**told, "components": tuple(told["components"])})
