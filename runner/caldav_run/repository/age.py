"""The age format (age-encryption.org/v1) behind one module: X25519 recipients and identities."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyrage
from pyrage import x25519

from caldav_run.errors import SetupError

IDENTITY_PREFIX: Final = "AGE-SECRET-KEY-1"


class NoMatchingKeyError(Exception):
    """None of the identities opens an object."""


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
