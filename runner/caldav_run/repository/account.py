"""One account's history, open for appending."""

import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Final

from caldav_run.errors import SetupError, TemporaryError
from caldav_run.model import Change, Mark, Op
from caldav_run.repository import envelope, segment
from caldav_run.repository.cache import Cache, Head, head_of
from caldav_run.repository.changes import RowMaker
from caldav_run.repository.header import Header, LogEntry, PackRef, entry_of
from caldav_run.repository.keys import Writer
from caldav_run.repository.ledger import RowLedger
from caldav_run.repository.names import GenerationName
from caldav_run.repository.pack import PackBuilder
from caldav_run.repository.resume import Past
from caldav_run.repository.rows import Row, encode
from caldav_run.repository.segment import CUMULATIVE_EVERY
from caldav_run.repository.store import Store

_log = logging.getLogger(__name__)

_MAX_WAITING: Final = 10_000
_SPOOL_BYTES: Final = 1 << 20
_NO_MARKS: Final[Mapping[str, Mark | None]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What all accounts of a run share.

    Attributes:
        store: Where objects go.
        writer: Who signs.
        recipients: Who can read.
        run: The run's id.
        state_dir: Where temporary files may lie.
        clock: Tells the time in UTC.
    """

    store: Store
    writer: Writer
    recipients: tuple[str, ...]
    run: str
    state_dir: Path
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the repository an account's next segment goes.

    Attributes:
        repository: The repository's id.
        account: The account.
        origin: What it is.
        recipients: What segments are sealed to, hashed.
        generation: The generation that goes on, or begins.
        head: What is known of the log; it may be another generation's.
        past: What is known of the account's snapshots; None when it has none.
        begins: Whether the generation begins.
    """

    repository: str
    account: str
    origin: str
    recipients: str
    generation: GenerationName
    head: Head | None
    past: Past | None
    begins: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a commit left behind: a snapshot's id or None, objects stored, and their bytes."""

    snapshot: str | None
    objects: int
    size: int


class AccountWriter:
    """Takes changes, fills packs, and makes them one segment at the end.

    Attributes:
        head: Where the account's log stands; None before its first segment.
        committed: Whether this run has committed it.
        read: Whether it was read to its end then.
        known: Whether it has snapshots, by this writer or another, readable or not.
        last_items: How many items, before filters, its last snapshot has; None when not known.
        ledger: What is held of it; empty when a generation begins.
    """

    def __init__(self, writing: Writing, place: Place, cache: Cache) -> None:
        """Take where to write; the cache is closed at the end."""
        self.head = place.head
        self.committed = self.read = False
        self.known = place.past is not None
        self.last_items = place.past.items if place.past else None
        self._writing = writing
        self._place = place
        self._cache = cache
        going_on = None if place.begins else place.head
        self._number = 0 if going_on is None else going_on.number + 1
        self.ledger = RowLedger(
            None if place.begins else cache, going_on.fingerprint if going_on else None
        )
        self._maker = RowMaker(self.ledger, self._number, going_on.read_at if going_on else None)
        self._waiting: list[Row] = []
        self._pack = self._new_pack()
        self._packs: list[PackRef] = []
        self._spool = self._new_spool()

    def append(self, change: Change) -> None:
        """Take one change; a body is let go of as soon as its pack is full.

        Raises:
            ConnectorError: The store refused a pack.
        """
        row = self._maker.row(change)
        if row is None:
            return
        if row.op is Op.ADD and change.item is not None:
            body = change.item.body
            if not self._pack.takes(body):
                self._flush()
            member = self._pack.add(row.calendar, row.href or "", body)
            row = row._replace(member=member)
        self._waiting.append(row)
        if len(self._waiting) >= _MAX_WAITING:
            self._flush()

    def commit(
        self,
        fingerprint: str,
        marks: Mapping[str, Mark | None] = _NO_MARKS,
        *,
        guarded: bool,
        complete: bool = True,
    ) -> Outcome:
        """Make everything appended durable and visible as one snapshot, or nothing of it.

        Args:
            fingerprint: What selection and filters made it.
            marks: How far calendars were read; kept in the cache only.
            guarded: Whether a guard tripped.
            complete: Whether the account was read to its end, and not only some calendars.

        Raises:
            ConnectorError: The store refused; the history is as before.
            TemporaryError: Another run wrote meanwhile; the history is as before.
        """
        self._flush()
        self._maker.close()
        now = self._writing.clock().replace(microsecond=0)
        head = self.head
        if head is not None and self._nothing_new(head, fingerprint):
            read_at = max(now, head.read_at) if complete else head.read_at
            self._remember(replace(head, read_at=read_at), marks)
            self.committed, self.read = True, complete
            return Outcome(None, 0, 0)
        begun = self._place.generation.begun
        time = max(now, head.time + timedelta(seconds=1) if head else begun, begun)
        # Filled by the segment's `put`: from then on the commit stands, whatever the cache says.
        made: list[tuple[Head, LogEntry]] = []
        try:
            with self._cache.change(head):
                if self._place.begins:
                    self._cache.clear()
                with self._room():
                    self._spool.seek(0)
                self._cache.apply(self._spool)
                made.append(self._put_segment(self._header(fingerprint, time, guarded=guarded)))
                moved, entry = made[0]
                self._cache.settle(moved, [entry])
                self._cache.settle_readings(marks)
        except (SetupError, TemporaryError) as error:
            if not made:
                raise
            # The store holds the truth; the next run reads from it what is lacking here.
            _log.warning("the cache was not updated: %s", error)
        self.head, entry = made[0]
        self.committed, self.read = True, complete
        size = entry.size + sum(each.size for each in self._packs)
        return Outcome(entry.id, len(self._packs) + 1, size)

    def abandon(self) -> None:
        """Forget what was appended; safe after `commit`.

        Packs that were stored stay: nothing names them, and they do no harm.
        """
        with suppress(OSError):
            # A full disk is met once more.
            self._spool.close()
        self._cache.close()

    def _nothing_new(self, head: Head, fingerprint: str) -> bool:
        said = (head.fingerprint, head.origin)
        empty = self._spool.tell() == 0
        return empty and not self._place.begins and said == (fingerprint, self._place.origin)

    def _remember(self, head: Head, marks: Mapping[str, Mark | None]) -> None:
        with self._cache.change(self.head):
            self._cache.settle(head, ())
            self._cache.settle_readings(marks)
        self.head = head

    def _new_pack(self) -> PackBuilder:
        return PackBuilder(int(self._writing.clock().timestamp()))

    def _new_spool(self) -> IO[bytes]:
        folder = str(self._writing.state_dir)
        return tempfile.SpooledTemporaryFile(_SPOOL_BYTES, mode="w+b", dir=folder)

    @contextmanager
    def _room(self) -> Iterator[None]:
        folder = self._writing.state_dir
        try:
            yield
        except OSError as error:
            raise TemporaryError(
                f"cannot keep what changed in {folder}: {error.strerror}", mend="make room there"
            ) from error

    def _sealed_to(self) -> tuple[str, ...]:
        return (*self._writing.recipients, self._writing.writer.metadata.recipient)

    def _flush(self) -> None:
        """Store the pack at hand, and write down the rows that waited for its name."""
        sha256 = None
        if self._pack.count:
            stored = self._pack.seal(self._writing.recipients)
            sha256 = envelope.sha256(stored)
            self._writing.store.put(self._place.generation.pack(sha256), stored)
            self._packs.append(PackRef(sha256, len(stored), self._pack.count))
            self._pack = self._new_pack()
        with self._room():
            for row in self._waiting:
                self._spool.write(encode(row._replace(object=sha256) if row.op is Op.ADD else row))
        self._waiting.clear()

    def _header(self, fingerprint: str, time: datetime, *, guarded: bool) -> Header:
        place = self._place
        cumulative = self._number > 0 and self._number % CUMULATIVE_EVERY == 0
        return Header(
            repository=place.repository,
            account=place.account,
            origin=place.origin,
            generation=place.generation,
            number=self._number,
            time=time,
            parent=self.head.id if self.head and self._number else None,
            run=self._writing.run,
            recipients=place.recipients,
            fingerprint=fingerprint,
            guarded=guarded,
            counts=self._cache.counts(),
            packs=tuple(self._packs),
            log=self._cache.log() if cumulative else (),
        )

    def _put_segment(self, header: Header) -> tuple[Head, LogEntry]:
        """Store the segment: this is the commit."""
        if header.log:
            self._spool.close()
            self._spool = self._new_spool()
            with self._room():
                self._spool.writelines(self._cache.lines())
                self._spool.seek(0)
        stored = segment.build(header, self._spool, self._writing.writer.signer, self._sealed_to())
        identity = envelope.sha256(stored)
        name = self._place.generation.segment(header.number, header.time, identity)
        self._writing.store.put(name, stored)
        return head_of(header, identity), entry_of(header, identity, len(stored))
