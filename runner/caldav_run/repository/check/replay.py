"""One generation's segments in their order: their chain, their rows, and what these refer to."""

import hashlib
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Final

from caldav_run.errors import CaldavRunError
from caldav_run.repository.check.findings import Finding, Level, Severity
from caldav_run.repository.check.tally import Tally
from caldav_run.repository.header import Counts, Header, LogEntry
from caldav_run.repository.rows import Row, encode
from caldav_run.repository.segment import Segment

_NO_ROWS: Final = hashlib.sha256().digest()

Bodies = dict[str, dict[str, bytes]]
"""What rows say of bodies, see `body_key`, by pack and member."""


def body_key(sha256: str | None, size: int | None) -> bytes:
    """Return a body's hash and size as one small object: there is one for each body."""
    return f"{sha256} {size}".encode()


class Replay:
    """Takes a generation's segments by ascending number, and holds the rows of none.

    Attributes:
        entries: What is known of each segment, from itself or from a log, by id.
        bodies: What the rows say of packs.
        before: Whether rows refer to the generation before.
        account: Whose generation it is.
        last: The id of the last segment that was taken.
    """

    def __init__(self, reopen: Callable[[str], Segment]) -> None:
        """Start with nothing.

        Args:
            reopen: Opens a segment by its id once more.
        """
        self.entries: dict[str, LogEntry] = {}
        self.bodies: Bodies = {}
        self.before = False
        self.account: str | None = None
        self.last: str | None = None
        self._reopen = reopen
        self._ids: dict[int, set[str]] = {}
        self._digests: dict[str, bytes] = {}
        # None where the rows of a segment are lacking: what follows cannot be counted.
        self._tally: Tally | None = Tally()
        self._next = 0

    def take(self, segment: Segment) -> Iterator[Finding]:
        """Check one segment against those before it, and let its rows happen.

        Raises:
            DamageError: A row is of a later version.
        """
        header, name = segment.header, segment.name
        if header.number != self._next:
            # A hole, or a fork: the rows of both of its sides must not be mixed.
            self._tally = None
        yield from (_damage(name.name, what) for what in self._header(header))
        # Its header counts, also where its rows cannot be read.
        self._ids.setdefault(header.number, set()).add(name.sha256)
        self.entries[name.sha256] = segment.entry()
        yield from (_damage(name.name, what) for what in self._rows(segment))
        counts = self._tally.counts() if self._tally else header.counts
        if counts != header.counts:
            what = f"it counts {_words(header.counts)}, and its rows make {_words(counts)}"
            yield _damage(name.name, what)
        self.last, self._next = name.sha256, header.number + 1

    def known(self) -> set[str]:
        """Return the ids of all segments that are known, and of those that they stand for."""
        return {each for entry in self.entries.values() for each in (entry.id, entry.stands_for)}

    def packs(self) -> dict[str, int]:
        """Return how many bodies each pack holds, of those whose rows are all known."""
        known = (entry for entry in self.entries.values() if entry.id in self._digests)
        return {each.sha256: each.bodies for entry in known for each in entry.packs}

    def _header(self, header: Header) -> Iterator[str]:
        self.account = self.account or header.account
        if header.account != self.account:
            yield f"it is of the account {header.account!r}, and others are of {self.account!r}"
        if header.number == 0 and header.parent is not None:
            yield "it is a base, and names a segment before it"
        before = self._ids.get(header.number - 1)
        if before and header.parent not in before:
            yield "it does not continue the segment before it"
        for entry in header.log:
            if self.entries.setdefault(entry.id, entry) != entry:
                yield f"its log tells otherwise of segment {entry.number} than that itself"

    def _rows(self, segment: Segment) -> Iterator[str]:
        header, ids = segment.header, {segment.header.number: segment.name.sha256}
        rebuilt = segment.cumulative and self._tally is None
        if segment.cumulative:
            ids |= {each.number: each.id for each in header.log if each.number}
        if rebuilt:
            self._tally = self._base(header)
        told: set[str] = set()
        for seq, rows in groupby(segment.rows(), _seq):
            identity = ids.get(seq)
            if identity is None:
                yield f"it holds rows of segment {seq}, which do not belong there"
                self._tally = None
                _ = [self._refer(row) for row in rows]
                continue
            told.add(identity)
            yield from self._group(identity, seq, rows, count=rebuilt)
        for seq, identity in ids.items():
            if identity not in told and self._digests.setdefault(identity, _NO_ROWS) != _NO_ROWS:
                yield f"it does not repeat the rows of segment {seq}"

    def _group(self, identity: str, seq: int, rows: Iterator[Row], *, count: bool) -> Iterator[str]:
        """Take the rows that one segment said first, there or in a later one that repeats it."""
        known, digest = self._digests.get(identity), hashlib.sha256()
        for row in rows:
            digest.update(encode(row))
            if self._tally is not None and (count or known is None):
                self._tally.apply(row)
            self.before = self.before or "before" in row.extra
            if not self._refer(row):
                yield f"its row of {row.calendar}/{row.href} tells otherwise of {row.member}"
        if known is not None and known != digest.digest():
            yield f"it repeats the rows of segment {seq} otherwise than that has them"
        self._digests[identity] = digest.digest()

    def _refer(self, row: Row) -> bool:
        """Remember what a row says of a body; return whether earlier rows say the same."""
        if row.object is None:
            return True
        key = body_key(row.sha256, row.size)
        return self.bodies.setdefault(row.object, {}).setdefault(row.member or "", key) == key

    def _base(self, header: Header) -> Tally | None:
        """Return what the base alone makes; None when it cannot be read."""
        tally = Tally()
        try:
            for row in self._reopen(header.log[0].id).rows():
                tally.apply(row)
        except CaldavRunError:
            return None
        return tally


def _seq(row: Row) -> int:
    return row.seq


def _words(counts: Counts) -> str:
    return "/".join(map(str, counts))


def _damage(name: str, what: str) -> Finding:
    mend = "its writer is at fault, or its key was stolen: report it; the next full backup is whole"
    return Finding(Level.DEEP, Severity.DAMAGE, name, what, mend)
