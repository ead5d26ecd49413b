"""JSON documents with a signature beside them, as segments and run records are."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from caldav_run.errors import DamageError, SetupError
from caldav_run.repository import fields, sshsig
from caldav_run.repository.broken import FormatError


class RemovedSignerError(SetupError):
    """An object is signed with a key that was believed once, and is not among what counts."""


def encode(document: Mapping[str, Any]) -> bytes:
    """Return the document as it is signed and stored."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def open_document(
    name: str, namespace: str, text: bytes, signature: bytes, trusted: Collection[str]
) -> dict[str, Any]:
    """Check a document's signature, and only then read it.

    Args:
        name: The object's name, for errors.
        namespace: What the signature was made for.
        text: The document.
        signature: Its armored signature.
        trusted: Fingerprints of the signers that may be believed.

    Raises:
        DamageError: The signature is missing or wrong, or the document is no JSON object.
        SetupError: The signer is not trusted.
    """
    try:
        signer = sshsig.verify(namespace, text, signature)
    except FormatError as error:
        raise DamageError(f"{name} is not used: {error}") from error
    if signer not in trusted:
        raise SetupError(
            f"{name} is signed by {signer}, which is not trusted",
            mend=f"if that is your own backup host, pass --trust {signer}",
        )
    try:
        document = fields.parse(text)
    except (ValueError, RecursionError) as error:
        raise DamageError(f"{name} is damaged: {error}") from error
    if not isinstance(document, dict):
        raise DamageError(f"{name} is damaged: its document is no JSON object")
    return {**document, "signer": signer}
