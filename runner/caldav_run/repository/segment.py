"""Segments: the signed rows that make one snapshot."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import IO, Any, Final, NamedTuple

from caldav_run.errors import DamageError
from caldav_run.repository import envelope, fields, names, rows, signed
from caldav_run.repository.age import Identity
from caldav_run.repository.broken import FormatError
from caldav_run.repository.names import GenerationName, SegmentName
from caldav_run.repository.rows import Row
from caldav_run.repository.sshsig import Signer

FORMAT: Final = "caldav-run segment 1"
NAMESPACE: Final = "caldav-run-segment"
CUMULATIVE_EVERY: Final = 32
DOCUMENT: Final = "segment.json"
SIGNATURE: Final = "segment.json.sig"
CHANGES: Final = "changes.jsonl"
# A hundred times what 1,000 segments of an account with a million items need.
_MAX_SIZES: Final = {DOCUMENT: 64 << 20, SIGNATURE: 4 << 10, CHANGES: 1 << 30}
_CHUNK: Final = 64 << 10


class PackRef(NamedTuple):
    """A pack that a segment brought: its hash, stored size in bytes, and how many bodies."""

    sha256: str
    size: int
    bodies: int


class Counts(NamedTuple):
    """How many calendars and items a snapshot has.

    Attributes:
        calendars: Calendars that are held.
        items: Items that can be restored, the stale ones too.
        stale: Items that could not be read since; their last version is held.
        missing: Items that could not be read, and of which no version is held.
        excluded: Items that a filter left out.
    """

    calendars: int = 0
    items: int = 0
    stale: int = 0
    missing: int = 0
    excluded: int = 0

    @property
    def before_filters(self) -> int:
        """How many items the account had."""
        return self.items + self.missing + self.excluded


class LogEntry(NamedTuple):
    """What a segment says of an earlier one of its generation.

    Attributes:
        number: Its number.
        time: Its time.
        id: Its hash.
        size: Its stored size in bytes.
        guarded: Whether a guard had tripped.
        counts: What its snapshot holds.
        packs: The packs that it brought.
        replaces: The id of the segment that it was rewritten from; None for an original.
    """

    number: int
    time: datetime
    id: str
    size: int
    guarded: bool
    counts: Counts
    packs: tuple[PackRef, ...]
    replaces: str | None = None

    @property
    def stands_for(self) -> str:
        """The id of the original snapshot: its own, or of what it was rewritten from."""
        return self.replaces or self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What `segment.json` says; see `docs/repository-format.md` for each field."""

    repository: str
    account: str
    origin: str
    generation: GenerationName
    number: int
    time: datetime
    parent: str | None
    run: str
    recipients: str
    fingerprint: str
    guarded: bool
    counts: Counts
    packs: tuple[PackRef, ...]
    log: tuple[LogEntry, ...] = ()
    replaces: str | None = None
    signer: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """An opened segment whose name, signature and content agree.

    Attributes:
        name: What its name tells.
        header: What its document says.
        size: Its stored size in bytes.
        archive: Its decrypted archive: rows unpack to several times the size, and are unpacked as
            they are asked for.
    """

    name: SegmentName
    header: Header
    size: int
    archive: bytes = field(repr=False)

    @property
    def cumulative(self) -> bool:
        """Whether it carries all rows since the base."""
        return self.header.number > 0 and self.header.number % CUMULATIVE_EVERY == 0

    def rows(self) -> Iterator[Row]:
        """Yield its rows, in order; those of a cumulative segment begin after the base.

        Raises:
            DamageError: One of them is of a later version.
        """
        return (row for _, row in self.encoded())

    def encoded(self) -> Iterator[tuple[bytes, Row]]:
        """Yield its rows as `rows` does, each with the line that says it."""
        try:
            for line in _lines(_changes(self.name.name, self.archive)):
                yield line, rows.checked(line)
        except FormatError as error:
            raise DamageError(
                f"{self.name.name} is not used: {error}",
                mend="install the version that made it, or a later one",
            ) from error

    def entry(self) -> LogEntry:
        """Return what a later segment's log says of this one."""
        return entry_of(self.header, self.name.sha256, self.size)


def entry_of(header: Header, identity: str, size: int) -> LogEntry:
    """Return what a log says of a segment with this header, hash and stored size."""
    return LogEntry(
        number=header.number,
        time=header.time,
        id=identity,
        size=size,
        guarded=header.guarded,
        counts=header.counts,
        packs=header.packs,
        replaces=header.replaces,
    )


def build(header: Header, changes: IO[bytes], signer: Signer, recipients: Sequence[str]) -> bytes:
    """Return the stored bytes of a segment.

    Args:
        header: What it says; its signer is not written, for the signature tells it.
        changes: Its rows, encoded; read twice from the start.
        signer: The writer's key.
        recipients: The readers, and the writer's own metadata key.
    """
    digest, size = hashlib.sha256(), 0
    for chunk in _chunks(changes):
        digest.update(chunk)
        size += len(chunk)
    text = signed.encode(_document(header, digest.hexdigest()))
    parts = envelope.Envelope(int(header.time.timestamp()))
    parts.add(DOCUMENT, text)
    parts.add(SIGNATURE, signer.sign(NAMESPACE, text))
    parts.add_chunks(CHANGES, size, _chunks(changes))
    return parts.seal(recipients)


def open_segment(
    name: SegmentName,
    stored: bytes,
    identities: Sequence[Identity],
    trusted: Collection[str],
    repository: str,
) -> Segment:
    """Open a segment, and check all that it says of itself.

    Raises:
        DamageError: It is altered, not signed, or belongs to another place.
        SetupError: No identity opens it, or its signer is not trusted.
    """
    archive = envelope.unseal(name.name, stored, identities)
    members = envelope.unpack(name.name, archive, _wanted)
    # The rows come last and may be large: they are unpacked for a trusted signer only.
    files = dict(islice(members, 2))
    text = files.get(DOCUMENT, b"")
    document = signed.open_document(name.name, NAMESPACE, text, files.get(SIGNATURE, b""), trusted)
    try:
        header = _header(name, document)
    except (KeyError, TypeError, ValueError) as error:
        raise DamageError(f"{name.name} is not used: it lacks a field") from error
    place = (repository, name.generation, name.number, name.time)
    if place != (header.repository, header.generation, header.number, header.time):
        raise DamageError(f"{name.name} is not used: it was made for another place")
    digest = hashlib.sha256()
    for chunk in _changes(name.name, archive):
        digest.update(chunk)
    if digest.hexdigest() != document.get("changes"):
        raise DamageError(f"{name.name} is damaged: its rows are not the signed ones")
    return Segment(name, header, len(stored), archive)


def stamp(time: datetime) -> str:
    """Return a time as documents hold it: `2026-05-01T08:00:00Z`."""
    utc = time.astimezone(UTC)
    return f"{utc.year:04}-{utc:%m-%dT%H:%M:%SZ}"


def encode_entry(entry: LogEntry) -> tuple[Any, ...]:
    """Return what a log holds of an earlier segment, as JSON takes it."""
    number, time, *rest, replaces = entry
    return (number, stamp(time), *rest, *([replaces] if replaces else ()))


def decode_entry(columns: Iterable[Any]) -> LogEntry:
    """Read what a log holds of an earlier segment; columns of a later version are ignored.

    Raises:
        TypeError: It has other columns.
        ValueError: It lacks columns, or has no time.
    """
    number, time, identity, size, guarded, counts, packs, *more = columns
    return LogEntry(
        number=fields.number(number),
        time=fields.moment(time),
        id=fields.text(identity),
        size=fields.number(size),
        guarded=fields.flag(guarded),
        counts=_counts(counts),
        packs=_packs(packs),
        replaces=fields.optional(fields.text, more[0] if more else None),
    )


def _wanted(name: str, size: int) -> bool:
    # A member of a later version is passed over.
    return size <= _MAX_SIZES.get(name, -1)


def _changes(name: str, archive: bytes) -> Iterator[bytes]:
    for member, content in envelope.pieces(name, archive, _wanted):
        if member == CHANGES:
            yield from content


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    begun = b""
    for chunk in chunks:
        *lines, begun = (begun + chunk).split(b"\n")
        yield from (line + b"\n" for line in lines)
    if begun:
        yield begun + b"\n"


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    return iter(lambda: file.read(_CHUNK), b"")


def _document(header: Header, changes: str) -> dict[str, Any]:
    document = {
        "format": FORMAT,
        "repository": header.repository,
        "account": header.account,
        "origin": header.origin,
        "stream": header.generation.stream,
        "generation": header.generation.name,
        "number": header.number,
        "time": stamp(header.time),
        "parent": header.parent,
        "run": header.run,
        "recipients": header.recipients,
        "fingerprint": header.fingerprint,
        "guarded": header.guarded,
        "counts": header.counts,
        "packs": header.packs,
        "changes": changes,
    }
    if header.replaces:
        document["replaces"] = header.replaces
    if header.log:
        document["log"] = [encode_entry(each) for each in header.log]
    return document


def _header(name: SegmentName, document: Mapping[str, Any]) -> Header:
    if document.get("format") != FORMAT:
        raise DamageError(f"{name.name} is not used: its format is {document.get('format')!r}")
    generation = name.generation
    named = (document["stream"], document["generation"])
    signer = names.writer_of(document["signer"])
    if (*named, signer) != (generation.stream, generation.name, generation.writer):
        raise DamageError(f"{name.name} is not used: it was made for another place")
    return Header(
        repository=fields.text(document["repository"]),
        account=fields.text(document["account"]),
        origin=fields.text(document["origin"]),
        generation=generation,
        number=fields.number(document["number"]),
        time=fields.moment(document["time"]),
        parent=fields.optional(fields.text, document["parent"]),
        run=fields.text(document["run"]),
        recipients=fields.text(document["recipients"]),
        fingerprint=fields.text(document["fingerprint"]),
        guarded=fields.flag(document["guarded"]),
        counts=_counts(document["counts"]),
        packs=_packs(document["packs"]),
        log=tuple(decode_entry(each) for each in document.get("log", ())),
        replaces=fields.optional(fields.text, document.get("replaces")),
        signer=document["signer"],
    )


def _counts(columns: Iterable[Any]) -> Counts:
    return Counts(*map(fields.number, columns))


def _packs(columns: Iterable[Iterable[Any]]) -> tuple[PackRef, ...]:
    return tuple(
        PackRef(fields.text(sha256), fields.number(size), fields.number(bodies))
        for sha256, size, bodies in columns
    )
