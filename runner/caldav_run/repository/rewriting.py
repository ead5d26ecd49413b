"""Writing one generation anew: the same snapshots at the same times, without some items."""

import hashlib
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import IO, Final, NamedTuple

from caldav_run.errors import CaldavRunError, DamageError, SetupError
from caldav_run.model import Op
from caldav_run.repository import age, envelope, segment
from caldav_run.repository.check.deep import Opener
from caldav_run.repository.erase import Eraser
from caldav_run.repository.generation import Generation
from caldav_run.repository.header import Header, LogEntry, PackRef, entry_of
from caldav_run.repository.keys import Writer
from caldav_run.repository.names import GenerationName
from caldav_run.repository.rows import Row, decode, encode

_SPOOL_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Pen:
    """Who writes, and with what.

    Attributes:
        opener: Opens what is there.
        writer: Signs what is new.
        recipients: The readers of what is new.
        on_damage: Told each body and segment that cannot be read; raises, or leaves it out.
    """

    opener: Opener
    writer: Writer
    recipients: tuple[str, ...]
    on_damage: Callable[[CaldavRunError], None]


class Written(NamedTuple):
    """A generation that was written anew.

    Attributes:
        name: Its name.
        original: What it was made from.
        tip: The id of its newest snapshot.
        digest: SHA-256 over its rows.
        heads: The ids of its snapshots, by those of the original's.
    """

    name: GenerationName
    original: GenerationName
    tip: str
    digest: bytes
    heads: Mapping[str, str]


class Rewriting:
    """Writes a generation's snapshots under another name; holds one pack at a time."""

    def __init__(
        self, pen: Pen, original: Generation, name: GenerationName, eraser: Eraser
    ) -> None:
        """Take what to write, and what to leave out.

        Args:
            pen: Who writes.
            original: The generation that is rewritten.
            name: The new one's name.
            eraser: Says which rows stay.
        """
        self._pen = pen
        self._original = original
        self._name = name
        self._eraser = eraser
        self._moved: dict[str, str] = {}
        self._log: list[LogEntry] = []
        self._since_base = _spool()
        self._digest = hashlib.sha256()

    def write(self, chain: Sequence[LogEntry]) -> Written:
        """Write snapshots, oldest first.

        Args:
            chain: The base and what follows it.

        Raises:
            ConnectorError: The store refuses.
            DamageError: Something cannot be read, and `Pen.on_damage` raised.
        """
        with self._since_base:
            self._header = self._original.segment(chain[0].id).header
            rows = groupby(self._original.rows(chain[-1].id), attrgetter("seq"))
            group = next(rows, None)
            for entry in chain:
                # A segment may have no rows, as when only a filter has changed.
                mine = group is not None and group[0] == entry.number
                self._snapshot(entry, group[1] if group and mine else ())
                group = next(rows, None) if mine else group
        pairs = zip(chain, self._log, strict=True)
        return Written(
            name=self._name,
            original=self._original.listed.name,
            tip=self._log[-1].id,
            digest=self._digest.digest(),
            heads={old.id: new.id for old, new in pairs},
        )

    def _snapshot(self, entry: LogEntry, said: Iterable[Row]) -> None:
        with _spool() as held, _spool() as out:
            packs = self._repacked(said, held, int(entry.time.timestamp()))
            self._say(held, out)
            self._put(entry, packs, out)

    def _repacked(self, said: Iterable[Row], held: IO[bytes], mtime: int) -> list[PackRef]:
        """Put the bodies that stay into new packs, and lay the rows aside."""
        wanted: dict[str, dict[str, str | None]] = {}
        for row in said:
            held.write(encode(row))
            if row.object is not None and not self._eraser.erases(row):
                if row.op is Op.ADD:
                    wanted.setdefault(row.object, {})[row.member or ""] = row.sha256
                elif row.object not in self._moved and row.object not in wanted:
                    what = f"{row.calendar}/{row.href}: no row says that its pack was stored"
                    self._lose(row.object, [row.member or ""], DamageError(what))
        found = (self._repack(pack, members, mtime) for pack, members in wanted.items())
        return [each for each in found if each is not None]

    def _repack(self, pack: str, wanted: dict[str, str | None], mtime: int) -> PackRef | None:
        name, missing = self._original.listed.name.pack(pack), dict(wanted)
        parts, opener = envelope.Envelope(mtime), self._pen.opener
        try:
            archive = envelope.unseal(name, opener.store.get(name), opener.keyring.identities)
            for member, body in envelope.unpack(name, archive, lambda each, _: each in missing):
                if envelope.sha256(body) == missing[member]:
                    del missing[member]
                    parts.add(member, body)
        except (DamageError, SetupError) as error:
            problem: CaldavRunError = error
        else:
            problem = DamageError(f"{name} does not hold what signed rows say of it")
        if missing:
            self._lose(pack, missing, problem)
        kept = len(wanted) - len(missing)
        if not kept:
            return None
        stored = parts.seal(self._pen.recipients)
        self._moved[pack] = envelope.sha256(stored)
        opener.store.put(self._name.pack(self._moved[pack]), stored)
        return PackRef(self._moved[pack], len(stored), kept)

    def _lose(self, pack: str, members: Collection[str], problem: CaldavRunError) -> None:
        what = f"{problem.message} (needed for {', '.join(sorted(members))})"
        self._pen.on_damage(DamageError(what, mend=problem.mend))
        self._eraser.lose(pack, members)

    def _say(self, held: IO[bytes], out: IO[bytes]) -> None:
        held.seek(0)
        for line in held:
            row = self._eraser.apply(decode(line))
            if row is None:
                continue
            if row.object is not None:
                row = row._replace(object=self._moved[row.object])
            said = encode(row)
            out.write(said)
            self._digest.update(said)
            if row.seq > 0:
                self._since_base.write(said)

    def _put(self, entry: LogEntry, packs: Sequence[PackRef], out: IO[bytes]) -> None:
        self._header = self._header_of(entry)
        cumulative = entry.number > 0 and entry.number % segment.CUMULATIVE_EVERY == 0
        header = replace(
            self._header,
            generation=self._name,
            number=entry.number,
            time=entry.time,
            parent=self._log[-1].id if self._log else None,
            recipients=age.digest_of(self._pen.recipients),
            guarded=entry.guarded,
            counts=self._eraser.counted(entry.counts),
            packs=tuple(packs),
            log=tuple(self._log) if cumulative else (),
            replaces=entry.stands_for,
        )
        sealed_to = (*self._pen.recipients, self._pen.writer.metadata.recipient)
        rows = self._since_base if cumulative else out
        stored = segment.build(header, rows, self._pen.writer.signer, sealed_to)
        identity = envelope.sha256(stored)
        self._pen.opener.store.put(self._name.segment(entry.number, entry.time, identity), stored)
        self._log.append(entry_of(header, identity, len(stored)))
        self._since_base.seek(0, 2)

    def _header_of(self, entry: LogEntry) -> Header:
        """Return what a segment says of itself; of a lost one, what the one before it says."""
        try:
            return self._pen.opener.again(self._original.listed, entry.id).header
        except (DamageError, SetupError) as error:
            self._pen.on_damage(error)
            return self._header


def _spool() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(_SPOOL_BYTES, mode="w+b")
