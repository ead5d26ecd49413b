"""Segments: the signed rows that make one snapshot."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Final

from caldav_run.errors import DamageError
from caldav_run.repository import envelope, rows, signed
from caldav_run.repository.age import Identity
from caldav_run.repository.broken import FormatError
from caldav_run.repository.header import Header, LogEntry, document_of, entry_of, header_of
from caldav_run.repository.names import SegmentName
from caldav_run.repository.rows import Row
from caldav_run.repository.sshsig import Signer

NAMESPACE: Final = "caldav-run-segment"
CUMULATIVE_EVERY: Final = 32
DOCUMENT: Final = "segment.json"
SIGNATURE: Final = "segment.json.sig"
CHANGES: Final = "changes.jsonl"
# A hundred times what 1,000 segments of an account with a million items need.
_MAX_SIZES: Final = {DOCUMENT: 64 << 20, SIGNATURE: 4 << 10, CHANGES: 1 << 30}
_CHUNK: Final = 64 << 10


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
        try:
            for line in _lines(_changes(self.name.name, self.archive)):
                yield rows.checked(line)
        except FormatError as error:
            raise DamageError(
                f"{self.name.name} is not used: {error}",
                mend="install the version that made it, or a later one",
            ) from error

    def entry(self) -> LogEntry:
        """Return what a later segment's log says of this one."""
        return entry_of(self.header, self.name.sha256, self.size)


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
    text = signed.encode(document_of(header, digest.hexdigest()))
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
        header = header_of(name, document)
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
    opened = Segment(name, header, len(stored), archive)
    numbers = [each.number for each in header.log]
    if (opened.cumulative or numbers) and numbers != list(range(header.number)):
        raise DamageError(f"{name.name} is not used: its log does not name each segment before it")
    return opened


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
        yield from lines
    if begun:
        yield begun


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    return iter(lambda: file.read(_CHUNK), b"")
