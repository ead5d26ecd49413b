"""The age format (age-encryption.org/v1) behind one module: X25519 keys, and passphrases."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyrage
from pyrage import passphrase as scrypt
from pyrage import x25519

from caldav_run.errors import SetupError
from caldav_run.repository.broken import FormatError

IDENTITY_PREFIX: Final = "AGE-SECRET-KEY-1"
# The program `age` refuses more as well: 2^22 is 4 GiB of memory, and seconds of work.
MAX_WORK_FACTOR: Final = 22
_SCRYPT: Final = re.compile(rb"age-encryption\.org/v1\n-> scrypt [A-Za-z0-9+/]{22} ([1-9][0-9]?)\n")


class NoMatchingKeyError(Exception):
    """None of the identities opens an object."""


class WrongPassphraseError(Exception):
    """A passphrase does not open what another one sealed."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A secret key that opens what is sealed to its recipient.

    Attributes:
        recipient: The public side, `age1…`.
    """

    recipient: str
    _key: Any = field(repr=False, compare=False)


def parse_identity(text: str, place: str) -> Identity:
    """Read one `AGE-SECRET-KEY-1…` text.

    Args:
        text: The identity.
        place: Where it stands, for the error; the text itself is never shown.

    Raises:
        SetupError: It is no X25519 identity.
    """
    try:
        key = x25519.Identity.from_str(text)
    except pyrage.IdentityError:
        raise SetupError(
            f"{place} holds no usable age identity",
            mend=f"it is a line that begins with {IDENTITY_PREFIX}",
        ) from None
    return Identity(str(key.to_public()), key)


def new_identity() -> tuple[Identity, str]:
    """Make an identity; return it and its secret text."""
    key = x25519.Identity.generate()
    return Identity(str(key.to_public()), key), str(key)


def check_recipient(text: str, place: str) -> str:
    """Return the recipient if it is an X25519 one.

    Raises:
        SetupError: It is not.
    """
    try:
        return str(x25519.Recipient.from_str(text))
    except pyrage.RecipientError as error:
        shown = "an identity, which is secret" if text.startswith(IDENTITY_PREFIX) else repr(text)
        raise SetupError(
            f"{place}: {shown} is no age recipient", mend="give the public key, age1…"
        ) from error


def digest_of(recipients: Sequence[str]) -> str:
    """Return the 16 hex digits by which segments tell what they were sealed to."""
    return hashlib.sha256("\n".join(sorted(set(recipients))).encode()).hexdigest()[:16]


def seal(data: bytes, recipients: Sequence[str]) -> bytes:
    """Encrypt to checked recipients; each of them can open the result."""
    keys = [x25519.Recipient.from_str(each) for each in recipients]
    sealed: bytes = pyrage.encrypt(data, keys)
    return sealed


def unseal(data: bytes, identities: Sequence[Identity]) -> bytes:
    """Decrypt with whichever identity fits.

    Raises:
        NoMatchingKeyError: None does, or the data is no age file.
    """
    try:
        opened: bytes = pyrage.decrypt(data, [each._key for each in identities])  # noqa: SLF001
    except pyrage.DecryptError as error:
        raise NoMatchingKeyError(str(error)) from error
    return opened


def seal_with_passphrase(data: bytes, passphrase: str) -> bytes:
    """Encrypt so that the passphrase opens it; takes a second of work on purpose."""
    sealed: bytes = scrypt.encrypt(data, passphrase)
    return sealed


def unseal_with_passphrase(data: bytes, passphrase: str) -> bytes:
    """Decrypt what a passphrase sealed, as `age -p` does it too.

    Raises:
        FormatError: It is not sealed with a passphrase, or asks for more work than is sane.
        WrongPassphraseError: Another passphrase opens it.
    """
    header = _SCRYPT.match(data)
    if header is None:
        raise FormatError("it is not sealed with a passphrase")
    # Before any work: what lies in a store may ask for a year of it and all of the memory.
    if int(header[1]) > MAX_WORK_FACTOR:
        raise FormatError(f"it asks for 2^{int(header[1])} steps of work")
    try:
        opened: bytes = scrypt.decrypt(data, passphrase)
    except pyrage.DecryptError as error:
        raise WrongPassphraseError(str(error)) from error
    return opened
