"""Ed25519 signatures in OpenSSH's SSHSIG format, which `ssh-keygen -Y verify` checks.

Source: PROTOCOL.sshsig of OpenSSH; RFC 8709 for the key and signature encoding.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from caldav_run.repository.broken import FormatError

_MAGIC: Final = b"SSHSIG"
_VERSION: Final = (1).to_bytes(4, "big")
_HASH: Final = b"sha512"
_KEY_TYPE: Final = b"ssh-ed25519"
_BEGIN: Final = b"-----BEGIN SSH SIGNATURE-----"
_END: Final = b"-----END SSH SIGNATURE-----"
_LINE: Final = 70


@dataclass(frozen=True, slots=True)
class Signer:
    """A private Ed25519 key that signs for one writer.

    Attributes:
        public: The public key in OpenSSH's binary form.
    """

    public: bytes
    _key: Ed25519PrivateKey = field(repr=False, compare=False)

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Make the signer of a 32-byte seed."""
        key = Ed25519PrivateKey.from_private_bytes(seed)
        return cls(_string(_KEY_TYPE) + _string(key.public_key().public_bytes_raw()), key)

    @property
    def fingerprint(self) -> str:
        """`SHA256:…`, as `ssh-keygen -l` shows it."""
        return fingerprint(self.public)

    @property
    def public_line(self) -> str:
        """The public key as a line of an allowed-signers file has it."""
        return f"{_KEY_TYPE.decode()} {base64.b64encode(self.public).decode()}"

    def sign(self, namespace: str, message: bytes) -> bytes:
        """Return the armored signature over a message in a namespace."""
        raw = self._key.sign(_to_be_signed(namespace.encode(), message))
        blob = b"".join(
            (
                _MAGIC,
                _VERSION,
                _string(self.public),
                _string(namespace.encode()),
                _string(b""),
                _string(_HASH),
                _string(_string(_KEY_TYPE) + _string(raw)),
            )
        )
        text = base64.b64encode(blob)
        lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
        return b"\n".join([_BEGIN, *lines, _END, b""])


def fingerprint(public: bytes) -> str:
    """Return the fingerprint of a public key in OpenSSH's binary form."""
    digest = base64.b64encode(hashlib.sha256(public).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"


def verify(namespace: str, message: bytes, armored: bytes) -> str:
    """Check a signature; whether its key is trusted is for the caller to say.

    Returns:
        The fingerprint of the key that made it.

    Raises:
        FormatError: It is no signature of this message in this namespace.
    """
    blob = _Blob(_dearmored(armored))
    if blob.take(len(_MAGIC)) != _MAGIC or blob.take(len(_VERSION)) != _VERSION:
        raise FormatError("its signature is no SSH signature of version 1")
    public = blob.string()
    if (blob.string(), blob.string(), blob.string()) != (namespace.encode(), b"", _HASH):
        raise FormatError("its signature was made for something else")
    signature = blob.string()
    try:
        key = Ed25519PublicKey.from_public_bytes(_typed(public))
        key.verify(_typed(signature), _to_be_signed(namespace.encode(), message))
    except (InvalidSignature, ValueError) as error:
        raise FormatError("its signature does not match its content") from error
    return fingerprint(public)


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _to_be_signed(namespace: bytes, message: bytes) -> bytes:
    digest = hashlib.sha512(message).digest()
    return _MAGIC + _string(namespace) + _string(b"") + _string(_HASH) + _string(digest)


def _dearmored(armored: bytes) -> bytes:
    armored = armored.strip()
    body = armored.removeprefix(_BEGIN).removesuffix(_END)
    if len(body) != len(armored) - len(_BEGIN) - len(_END):
        raise FormatError("its signature has no armor")
    text = b"".join(body.split())
    try:
        blob = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise FormatError("its signature is no base64") from error
    # Bits that base64 leaves unused must not make two texts of one signature.
    if base64.b64encode(blob) != text:
        raise FormatError("its signature is no base64")
    return blob


def _typed(blob: bytes) -> bytes:
    inner = _Blob(blob)
    if inner.string() != _KEY_TYPE:
        raise FormatError("its signature is not by an Ed25519 key")
    return inner.string()


class _Blob:
    """Reads the length-prefixed strings of RFC 4251 section 5, within bounds."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        data = self._data[self._at : self._at + size]
        if len(data) != size:
            raise FormatError("its signature is cut off")
        self._at += size
        return data

    def string(self) -> bytes:
        return self.take(int.from_bytes(self.take(4), "big"))
