"""What a segment says of itself and of those before it: `segment.json`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from caldav_run.errors import DamageError
from caldav_run.repository import fields, names
from caldav_run.repository.fields import stamp
from caldav_run.repository.names import GenerationName, SegmentName

FORMAT: Final = "caldav-run segment 1"


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


def document_of(header: Header, changes: str) -> dict[str, Any]:
    """Return what `segment.json` says, with the hash of the rows."""
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


def header_of(name: SegmentName, document: Mapping[str, Any]) -> Header:
    """Read what `segment.json` says.

    Raises:
        DamageError: It has another format, or was made for another place.
        KeyError: It lacks a field.
        TypeError: A field is of another type.
        ValueError: A field is of another type.
    """
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
