"""Run records: the signed proof that a run took place, also when nothing had changed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from caldav_run.errors import DamageError
from caldav_run.repository import envelope, fields, names, signed
from caldav_run.repository.age import Identity
from caldav_run.repository.fields import stamp
from caldav_run.repository.names import RunName
from caldav_run.repository.sshsig import Signer

FORMAT: Final = "caldav-run run 1"
NAMESPACE: Final = "caldav-run-run"
DOCUMENT: Final = "run.json"
SIGNATURE: Final = "run.json.sig"
_MAX_SIZES: Final = {DOCUMENT: 16 << 20, SIGNATURE: 4 << 10}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountResult:
    """What became of one account in a run.

    Attributes:
        account: The account.
        result: How it went, in words.
        read: Whether it was read and committed.
        head: The id of its newest snapshot after the run; None when none is known.
    """

    account: str
    result: str
    read: bool = False
    head: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One execution of a pipeline, as it was recorded.

    Attributes:
        repository: The repository's id.
        run: The run's id; the segments that it made name it.
        writer: Eight hex digits of the writer.
        pipeline: The pipeline's name.
        time: When it ended.
        accounts: What became of each account.
    """

    repository: str
    run: str
    writer: str
    pipeline: str
    time: datetime
    accounts: tuple[AccountResult, ...]

    @property
    def heads(self) -> set[str]:
        """The ids of the snapshots that it names."""
        return {each.head for each in self.accounts if each.head is not None}


def build(record: RunRecord, signer: Signer, recipients: Sequence[str]) -> bytes:
    """Return the stored bytes of a run record."""
    document = {
        "format": FORMAT,
        "repository": record.repository,
        "run": record.run,
        "pipeline": record.pipeline,
        "time": stamp(record.time),
        "accounts": [
            {
                "account": each.account,
                "result": each.result,
                "read": each.read,
                "head": each.head,
            }
            for each in record.accounts
        ],
    }
    text = signed.encode(document)
    parts = envelope.Envelope(int(record.time.timestamp()))
    parts.add(DOCUMENT, text)
    parts.add(SIGNATURE, signer.sign(NAMESPACE, text))
    return parts.seal(recipients)


def open_run(
    name: RunName,
    stored: bytes,
    identities: Sequence[Identity],
    trusted: Collection[str],
    repository: str,
) -> RunRecord:
    """Open a run record, and check all that it says of itself.

    Raises:
        DamageError: It is altered, not signed, or belongs to another place.
        SetupError: No identity opens it, or its signer is not trusted.
    """
    archive = envelope.unseal(name.name, stored, identities)
    files = dict(envelope.unpack(name.name, archive, _wanted))
    text, signature = files.get(DOCUMENT, b""), files.get(SIGNATURE, b"")
    document = signed.open_document(name.name, NAMESPACE, text, signature, trusted)
    try:
        record = _record(document)
    except (KeyError, TypeError, ValueError) as error:
        raise DamageError(f"{name.name} is not used: it lacks a field") from error
    place = (FORMAT, repository, name.writer, name.time)
    if place != (document.get("format"), record.repository, record.writer, record.time):
        raise DamageError(f"{name.name} is not used: it was made for another place")
    return record


def record_name(record: RunRecord, stored: bytes) -> str:
    """Return the name under which a built record is stored."""
    return names.run_name(record.time, record.writer, envelope.sha256(stored))


def _wanted(name: str, size: int) -> bool:
    return size <= _MAX_SIZES.get(name, -1)


def _record(document: dict[str, Any]) -> RunRecord:
    return RunRecord(
        repository=fields.text(document["repository"]),
        run=fields.text(document["run"]),
        writer=names.writer_of(document["signer"]),
        pipeline=fields.text(document["pipeline"]),
        time=fields.moment(document["time"]),
        accounts=tuple(
            AccountResult(
                account=fields.text(each["account"]),
                result=fields.text(each["result"]),
                read=fields.flag(each["read"]),
                head=fields.optional(fields.text, each["head"]),
            )
            for each in document["accounts"]
        ),
    )
