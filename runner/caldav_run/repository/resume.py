"""Bring a writer's cache up to date with the store, and say whether its generation goes on."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from caldav_run.errors import DamageError, SetupError
from caldav_run.repository import clocks, names, segment
from caldav_run.repository.cache import Cache, Head, head_of
from caldav_run.repository.create import repository_id
from caldav_run.repository.generation import Generation, Opener
from caldav_run.repository.header import LogEntry
from caldav_run.repository.keys import Writer
from caldav_run.repository.names import SegmentName
from caldav_run.repository.rows import encode
from caldav_run.repository.segment import Segment
from caldav_run.repository.store import Store
from caldav_run.repository.survey import Listed, survey
from caldav_run.repository.tombstone import grave_of

_log = logging.getLogger(__name__)

MAX_SEGMENTS: Final = 1000
# Below this a new full backup saves nothing worth a full reading of the source.
_MIN_INCREMENTS: Final = 1 << 20
_JITTER: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What makes a writer begin a new generation though nothing is broken.

    Attributes:
        now: The time.
        full_every: The age at which a generation has served, give or take a tenth.
        recipients: What segments are to be sealed to, hashed.
    """

    now: datetime
    full_every: timedelta
    recipients: str


class Past(NamedTuple):
    """What is known of an account that has snapshots.

    Attributes:
        origin: Where it came from; None when nothing that can be read tells.
        items: How many items, before filters, it had at last; None likewise.
    """

    origin: str | None = None
    items: int | None = None


class Standing(NamedTuple):
    """Where an account stands.

    Attributes:
        repository: The repository's id.
        listed: The generation that goes on; None when a new one has to begin.
        not_before: The earliest time that a next snapshot may bear.
        past: What is known of its past; None for an account without snapshots, by whomever.
        reason: Why a new one has to begin.
        alarming: Whether the reason is that something is broken or missing.
    """

    repository: str
    listed: Listed | None
    not_before: datetime
    past: Past | None
    reason: str = ""
    alarming: bool = False


def resume(store: Store, stream: str, writer: Writer, cache: Cache, rules: Rules) -> Standing:
    """Bring the cache up to date.

    Raises:
        ConnectorError: The store cannot be read.
        SetupError: There is no repository of this version, or the cache cannot be written.
        TemporaryError: Another run holds the cache.
    """
    folder = f"{names.ACCOUNTS}{stream}/"
    head = cache.head
    # Without its random end: a generation that was rewritten has the same beginning.
    after = f"{folder}{head.generation[:-6]}" if head else ""
    begun = [each for each in survey(store.list(folder, after)) if each.begun]
    own = [each for each in begun if each.name.writer == writer.name]
    # Asked at every run, whatever the cache knows: a newer program may have changed the version.
    repository = repository_id(store)
    if head is not None and head.place != (repository, stream, writer.name):
        return resume(store, stream, writer, _emptied(cache, head), rules)
    times = [each.newest.time for each in own] + ([head.time] if head else [])
    not_before = max((time + timedelta(seconds=1) for time in times), default=rules.now)
    opener = _opener(store, writer, repository)

    def standing(listed: Listed | None, reason: str = "", *, alarming: bool = False) -> Standing:
        past = _past(cache, begun, own, opener)
        return Standing(repository, listed, not_before, past, reason, alarming)

    if not own:
        reason = "its objects are gone" if head else ""
        return standing(None, reason, alarming=head is not None)
    _look_at_clocks(store, own[-1], rules.now)
    listed = _living(store, own, writer, repository)
    if listed is None:
        return standing(None, "it is marked for deletion")
    try:
        _catch_up(listed, cache, opener)
        _compare(cache, listed)
    except DamageError as error:
        return standing(None, error.message, alarming=True)
    reason = _served(cache, listed, rules)
    return standing(None if reason else listed, reason)


def _opener(store: Store, writer: Writer, repository: str) -> Opener:
    """Return what opens this writer's own segments."""

    def open_one(name: SegmentName) -> Segment:
        trusted = {writer.signer.fingerprint}
        stored = store.get(name.name)
        try:
            return segment.open_segment(name, stored, (writer.metadata,), trusted, repository)
        except SetupError as error:
            raise DamageError(f"{name.name} is not this machine's: {error.message}") from error

    return open_one


def _past(
    cache: Cache, begun: Sequence[Listed], own: Sequence[Listed], opener: Opener
) -> Past | None:
    """Return what the cache tells of the past, else the newest segment that can be read."""
    if cache.head is not None:
        return Past(cache.head.origin, cache.counts().before_filters)
    for listed in reversed(own):
        for name in sorted(listed.segments.values(), key=lambda each: -each.number):
            try:
                header = opener(name).header
            except DamageError:
                continue
            return Past(header.origin, header.counts.before_filters)
    return Past() if begun else None


def _look_at_clocks(store: Store, listed: Listed, now: datetime) -> None:
    difference = clocks.deviation(listed, now)
    if difference is not None:
        _log.warning(
            "the clock of %s is %s this machine's: set the wrong one, "
            "for what is kept and for how long goes by it",
            store.location,
            clocks.in_words(difference),
        )


def _living(store: Store, own: list[Listed], writer: Writer, repository: str) -> Listed | None:
    """Return the newest generation, or what it was rewritten to; None when it is to be deleted."""
    known = {each.name.name: each for each in own}
    listed: Listed | None = own[-1]
    trusted = {writer.signer.fingerprint}
    while listed is not None:
        grave, problems = grave_of(store, known.pop(listed.name.name), trusted, repository)
        for problem in problems:
            _log.warning("a tombstone is ignored: %s", problem)
        if grave is None:
            return listed
        # Each is looked at once, so that a circle ends.
        listed = known.get(grave.tombstone.successor or "") if grave.tombstone.rewritten else None
    return None


def _emptied(cache: Cache, head: Head) -> Cache:
    with cache.change(head):
        cache.clear()
    return cache


def _catch_up(listed: Listed, cache: Cache, opener: Opener) -> None:
    """Take over what the store has and the cache has not.

    Raises:
        DamageError: The generation is not as its writer left it.
        SetupError: The cache cannot be written.
        TemporaryError: Another run holds the cache.
    """
    if listed.forked:
        raise DamageError(f"two machines wrote into {listed.name.folder} with one key")
    head = cache.head
    if head is None or head.generation != listed.name.name:
        _rebuild(cache, head, Generation(listed, opener))
    elif head.id not in listed.segments:
        raise DamageError(f"{listed.name.folder} went back in time: segment {head.number} is gone")
    else:
        _follow(cache, head, listed, opener)


def _rebuild(cache: Cache, head: Head | None, generation: Generation) -> None:
    for problem in generation.problems.values():
        raise problem
    newest = generation.segment(generation.listed.newest.sha256)
    with cache.change(head):
        cache.clear()
        cache.apply(map(encode, generation.rows(newest.name.sha256)))
        cache.settle(head_of(newest.header, newest.name.sha256), generation.snapshots.values())


def _follow(cache: Cache, head: Head, listed: Listed, opener: Opener) -> None:
    newer = (each for each in listed.segments.values() if each.number > head.number)
    for name in sorted(newer, key=lambda each: each.number):
        opened = opener(name)
        if opened.header.parent != head.id:
            raise DamageError(f"{name.name} does not continue what is known")
        with cache.change(head):
            # A cumulative segment repeats what is known.
            cache.apply(encode(row) for row in opened.rows() if row.seq == name.number)
            moved = head_of(opened.header, name.sha256)
            cache.settle(moved, [opened.entry()])
        head = moved


def _compare(cache: Cache, listed: Listed) -> None:
    for entry in cache.log():
        expected = {listed.name.pack(each.sha256): each.size for each in entry.packs}
        expected[listed.name.segment(entry.number, entry.time, entry.id)] = entry.size
        for name, size in expected.items():
            if listed.sizes.get(name) != size:
                raise DamageError(f"{name} is missing or has another size")


def _served(cache: Cache, listed: Listed, rules: Rules) -> str:
    base, *increments = cache.log()
    size = sum(map(_size, increments))
    # Spread, so that many accounts made in one night do not all begin anew in one night.
    share = int(listed.name.name[-6:], 16) / 0xFFFFFF
    lifetime = rules.full_every * (1 - _JITTER / 2 + _JITTER * share)
    if len(increments) + 1 >= MAX_SEGMENTS:
        return f"it has {MAX_SEGMENTS} segments"
    if size > max(_size(base) / 2, _MIN_INCREMENTS):
        return "its increments outgrew half of its base"
    if rules.now - listed.name.begun >= lifetime:
        return "it is due for a full backup"
    known = cache.head
    return "its recipients changed" if known and known.recipients != rules.recipients else ""


def _size(entry: LogEntry) -> int:
    return entry.size + sum(each.size for each in entry.packs)
