"""One generation's segments, read as few times as possible, and the rows of its snapshots."""

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from caldav_run.errors import CaldavRunError, DamageError
from caldav_run.repository.header import LogEntry
from caldav_run.repository.names import SegmentName
from caldav_run.repository.rows import Row
from caldav_run.repository.segment import Segment
from caldav_run.repository.signed import RemovedSignerError
from caldav_run.repository.state import State
from caldav_run.repository.survey import Listed

Opener = Callable[[SegmentName], Segment]
"""Fetches and checks one segment; raises `DamageError` or `SetupError`."""


class _Step(NamedTuple):
    """Rows to apply: those of a segment up to a number."""

    segment: Segment
    up_to: int


class Generation:
    """Reads the newest cumulative segment and those after it; others only when asked for.

    Attributes:
        listed: What the store holds of it.
        snapshots: What is known of each of its snapshots, by id.
        problems: Why a segment cannot be used, by its id.
        account: Whose generation it is; None when none of its segments can be used.
        signer: The fingerprint of its only writer; None likewise.
    """

    def __init__(
        self, listed: Listed, opener: Opener, until: Collection[str] | None = None
    ) -> None:
        """Read what names all snapshots of a generation.

        Args:
            listed: What the store holds of it.
            opener: Opens one segment.
            until: For a removed signer's, the segments up to which it is believed; else None.
        """
        self.listed = listed
        self.snapshots: dict[str, LogEntry] = {}
        self.problems: dict[str, CaldavRunError] = {}
        self._opener = opener
        self._open: dict[str, Segment] = {}
        self._cumulative: list[Segment] = []
        self._bases: dict[str, State] = {}
        # Grows by the ancestors of what is opened: a hash names its bytes, whoever has the key.
        self._believed = None if until is None else set(until)
        self._load()
        header = next((each.header for each in self._open.values()), None)
        self.account = header.account if header else None
        self.signer = header.signer if header else None

    def let_go(self) -> None:
        """Forget the rows of the base, by far the most of them; they are fetched if asked for."""
        self._open = {key: each for key, each in self._open.items() if each.header.number}
        self._bases.clear()

    def segment(self, identity: str) -> Segment:
        """Return a segment by its id.

        Raises:
            DamageError: It is missing or damaged.
            SetupError: It cannot be opened or is not trusted.
        """
        if identity in self._open:
            return self._open[identity]
        if identity in self.problems:
            raise self.problems[identity]
        if identity not in self.listed.segments:
            raise DamageError(
                f"{self.listed.name.folder}seg-*-{identity} is missing",
                mend="take a snapshot of another generation, or the newest whole one before it",
            )
        try:
            opened = self._opened(self.listed.segments[identity])
        except CaldavRunError as error:
            self.problems[identity] = error
            raise
        self._open[identity] = opened
        return opened

    def rows(self, identity: str) -> Iterator[Row]:
        """Yield all rows up to a snapshot, oldest first.

        Raises:
            DamageError: A segment that they need is missing or damaged; nothing was yielded.
            SetupError: A segment cannot be opened or is not trusted.
        """
        base, steps = self._path(identity)
        yield from self.segment(base).rows()
        yield from _later(steps)

    def log(self, identity: str) -> Iterator[Row]:
        """Yield the rows since the base up to a snapshot, oldest first.

        Raises:
            DamageError: A segment that they need is missing or damaged; nothing was yielded.
            SetupError: A segment cannot be opened or is not trusted.
        """
        return _later(self._path(identity)[1])

    def state(self, identity: str) -> State:
        """Return what a snapshot holds; all of a generation's share what its base says.

        Raises:
            DamageError: A segment that it needs is missing or damaged.
            SetupError: A segment cannot be opened or is not trusted.
        """
        base, steps = self._path(identity)
        if base not in self._bases:
            state = _applied(State(), self.segment(base).rows())
            self.let_go()
            self._bases[base] = state
        return _applied(self._bases[base].copy(), _later(steps))

    def chain(self, identity: str) -> list[LogEntry]:
        """Return a snapshot and all before it of its generation, oldest first.

        Raises:
            DamageError: A segment that it needs is missing or damaged.
            SetupError: A segment cannot be opened or is not trusted.
        """
        base, steps = self._path(identity)
        found = [self.segment(base).entry()]
        for step in steps:
            told = (*step.segment.header.log, step.segment.entry())
            found += [e for e in told if found[-1].number < e.number <= step.up_to]
        return found

    def hole(self, identity: str) -> CaldavRunError | None:
        """Return why a snapshot cannot be read, as far as that shows without its base's bytes."""
        try:
            base, _ = self._path(identity)
            if base not in self.listed.segments or base in self.problems:
                self.segment(base)
        except CaldavRunError as error:
            return error
        return None

    def _load(self) -> None:
        newest_first = sorted(self.listed.segments.values(), key=_number, reverse=True)
        for number, group in groupby(newest_first, _number):
            opened = [each for name in group if (each := self._try(name.sha256))]
            for each in opened:
                self.snapshots.setdefault(each.name.sha256, each.entry())
                self.snapshots |= {e.id: e for e in each.header.log if e.id not in self.snapshots}
            complete = [each for each in opened if each.cumulative]
            self._cumulative += complete
            if complete or (opened and number == 0):
                break
        # The other branch of a fork is in no log of this one's cumulative segments.
        for name in newest_first:
            if name.sha256 not in self.snapshots and (other := self._try(name.sha256)):
                self.snapshots[name.sha256] = other.entry()

    def _opened(self, name: SegmentName) -> Segment:
        if self._believed is None:
            return self._opener(name)
        if name.sha256 not in self._believed:
            raise RemovedSignerError(
                f"{name.name} is not used: its signer was removed, and it does not count",
                mend="if it is new, somebody writes with the old key: see who can reach the store",
            )
        opened = self._opener(name)
        self._believed |= {each.id for each in opened.header.log}
        self._believed.add(opened.header.parent or "")
        return opened

    def _try(self, identity: str) -> Segment | None:
        try:
            return self.segment(identity)
        except CaldavRunError:
            return None

    def _path(self, identity: str) -> tuple[str, list[_Step]]:
        """Return the base's id, and what to apply after it."""
        for whole in self._cumulative:
            for entry in whole.header.log:
                if entry.id == identity:
                    return whole.header.log[0].id, [_Step(whole, entry.number)]
        steps: list[_Step] = []
        segment = self.segment(identity)
        while segment.header.parent is not None:
            steps.append(_Step(segment, segment.header.number))
            if segment.cumulative:
                return segment.header.log[0].id, steps[::-1]
            parent = self.segment(segment.header.parent)
            if parent.header.number != segment.header.number - 1:
                raise DamageError(f"{segment.name.name} is not used: its number breaks the chain")
            segment = parent
        return segment.name.sha256, steps[::-1]


def _later(steps: Iterable[_Step]) -> Iterator[Row]:
    for step in steps:
        yield from (row for row in step.segment.rows() if row.seq <= step.up_to)


def _applied(state: State, rows: Iterable[Row]) -> State:
    for row in rows:
        state.apply(row)
    return state


def _number(name: SegmentName) -> int:
    return name.number
