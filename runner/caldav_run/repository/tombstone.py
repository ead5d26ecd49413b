"""Tombstones: the signed word that a generation is to be deleted.

They are neither compressed nor encrypted: whoever looks after the store may read them, and a
writer has to, which can open nothing but its own segments.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from caldav_run.errors import CaldavRunError, DamageError, SetupError
from caldav_run.repository import envelope, signed, tar
from caldav_run.repository.broken import FormatError
from caldav_run.repository.fields import stamp
from caldav_run.repository.names import GenerationName, TombstoneName
from caldav_run.repository.sshsig import Signer
from caldav_run.repository.store import Store
from caldav_run.repository.survey import Listed

FORMAT: Final = "caldav-run tombstone 1"
NAMESPACE: Final = "caldav-run-tombstone"
DOCUMENT: Final = "tombstone.json"
SIGNATURE: Final = "tombstone.json.sig"
_MAX_SIZES: Final = {DOCUMENT: 64 << 10, SIGNATURE: 4 << 10}


class Reason(StrEnum):
    """Why a generation is to be deleted."""

    EXPIRED = "expired"
    REWRITTEN = "rewritten"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """What a tombstone says.

    Attributes:
        repository: The repository's id.
        generation: What is to be deleted.
        time: When that was decided, by the clock of who decided it.
        reason: Why.
        successor: The name of the generation that takes its place; None when there is none.
    """

    repository: str
    generation: GenerationName
    time: datetime
    reason: Reason
    successor: str | None = None

    @property
    def rewritten(self) -> bool:
        """Whether the successor holds the same snapshots."""
        return self.reason is Reason.REWRITTEN


class Grave(NamedTuple):
    """The tombstone that counts for a generation, and when it was stored, by the store's clock."""

    tombstone: Tombstone
    stored: datetime


def grave_of(
    store: Store, listed: Listed, trusted: Collection[str], repository: str
) -> tuple[Grave | None, list[CaldavRunError]]:
    """Read a generation's tombstones.

    Args:
        store: Where they lie.
        listed: The generation.
        trusted: Fingerprints of the signers that may be believed.
        repository: The repository's id.

    Returns:
        The newest one that can be believed, one that names a successor first, or None; and what
        was found wrong with others, which are ignored.

    Raises:
        ConnectorError: The store cannot be read.
    """
    found: list[Grave] = []
    problems: list[CaldavRunError] = []
    for name, stored in listed.tombstones.items():
        try:
            opened = open_tombstone(name, store.get(name.name), trusted, repository)
        except (DamageError, SetupError) as error:
            problems.append(error)
        else:
            found.append(Grave(opened, stored))
    return max(found, key=_weight, default=None), problems


def build(tombstone: Tombstone, signer: Signer) -> tuple[str, bytes]:
    """Return a tombstone's name in the store and its bytes."""
    generation = tombstone.generation
    document = {
        "format": FORMAT,
        "repository": tombstone.repository,
        "stream": generation.stream,
        "generation": generation.name,
        "time": stamp(tombstone.time),
        "reason": tombstone.reason,
        "successor": tombstone.successor,
    }
    text = signed.encode(document)
    files = {DOCUMENT: text, SIGNATURE: signer.sign(NAMESPACE, text)}
    mtime = int(tombstone.time.timestamp())
    stored = b"".join(
        tar.header(name, len(content), mtime) + content + tar.padding(len(content))
        for name, content in files.items()
    )
    stored += tar.END
    return generation.tombstone(tombstone.time, envelope.sha256(stored)), stored


def open_tombstone(
    name: TombstoneName, stored: bytes, trusted: Collection[str], repository: str
) -> Tombstone:
    """Open a tombstone, and check all that it says of itself.

    Raises:
        DamageError: It is altered, not signed, or belongs to another place.
        SetupError: Its signer is not trusted.
    """
    envelope.check_name(name.name, stored)
    try:
        files = dict(tar.members([stored], _wanted))
    except FormatError as error:
        raise DamageError(f"{name.name} is damaged: {error}") from error
    text, signature = files.get(DOCUMENT, b""), files.get(SIGNATURE, b"")
    document = signed.open_document(name.name, NAMESPACE, text, signature, trusted)
    place = (FORMAT, repository, name.generation.stream, name.generation.name, stamp(name.time))
    keys = ("format", "repository", "stream", "generation", "time")
    if place != tuple(document.get(key) for key in keys):
        raise DamageError(f"{name.name} is not used: it was made for another place")
    return _tombstone(name, document)


def _weight(grave: Grave) -> tuple[bool, datetime]:
    return grave.tombstone.rewritten, grave.tombstone.time


def _wanted(name: str, size: int) -> bool:
    return size <= _MAX_SIZES.get(name, -1)


def _tombstone(name: TombstoneName, document: dict[str, Any]) -> Tombstone:
    successor = document.get("successor")
    try:
        reason = Reason(str(document.get("reason")))
    except ValueError as error:
        raise DamageError(f"{name.name} is not used: it gives no known reason") from error
    return Tombstone(
        repository=document["repository"],
        generation=name.generation,
        time=name.time,
        reason=reason,
        successor=successor if isinstance(successor, str) else None,
    )
