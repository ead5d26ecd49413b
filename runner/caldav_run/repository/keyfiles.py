"""Making and changing key files: nothing is lost by a crash, and no key is ever overwritten."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from caldav_run.errors import SetupError
from caldav_run.repository import age, durable
from caldav_run.repository.keys import (
    RECIPIENTS,
    WRITER,
    Keys,
    comments,
    keyring_of,
    load_recipients,
    load_writer,
    new_writer,
    read,
    recipients_text,
    refuse_existing,
)

_FINGERPRINT: Final = re.compile("SHA256:[A-Za-z0-9+/]{43}")
_NAME_KEY: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Renewed:
    """A key in the place of an old one.

    Attributes:
        old: What may be shown of the old one: a fingerprint or a recipient.
        new: The same of the new one.
        kept: The file that holds the old one now.
    """

    old: str
    new: str
    kept: Path


def take_over(identity: Path, folder: Path) -> Keys:
    """Make a writer key that goes on with the streams of an identity file's name key.

    The new signer is trusted in that file. `recipients.txt` is made where there is none.

    Raises:
        SetupError: There is a writer key, or the file holds no name key.
    """
    refuse_existing(folder, WRITER)
    text = read(identity, "identity")
    recipient = keyring_of({str(identity): text}).identities[0].recipient
    name_keys = set(comments(text, "name-key"))
    if len(name_keys) != 1:
        raise SetupError(
            f"{identity} holds {len(name_keys) or 'no'} name keys, and one is needed",
            mend="take the identity.txt that was made with the first writer key",
        )
    name_key = name_keys.pop()
    if not _NAME_KEY.fullmatch(name_key):
        raise SetupError(f"{identity} holds no usable name key: it has 64 hex digits")
    fingerprint, writer_text = new_writer(name_key)
    with durable.writing(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (folder / RECIPIENTS).exists():
            durable.write_new(folder / RECIPIENTS, recipients_text(recipient))
        durable.write_new(folder / WRITER, writer_text)
    add_signer(identity, fingerprint)
    return Keys(folder, recipient, fingerprint)


def first_identity(path: Path) -> str:
    """Return the secret line of the first identity in a file, which is the one in use.

    Raises:
        SetupError: There is none.
    """
    text = read(path, "identity")
    keyring_of({str(path): text})
    lines = (each.strip() for each in text.splitlines())
    return next(each for each in lines if each.startswith(age.IDENTITY_PREFIX))


def rotate_signer(path: Path, today: date) -> Renewed:
    """Put a new writer key in the place of the old one; its streams have the same names.

    Raises:
        SetupError: There is no writer key, or it cannot be written.
    """
    old = load_writer(path)
    fingerprint, text = new_writer(old.name_key.hex())
    with durable.writing(path.parent):
        kept = _kept(path, today)
        durable.replace(path, text)
    return Renewed(old.signer.fingerprint, fingerprint, kept)


def rotate_identity(identity: Path, recipients: Path, today: date) -> Renewed:
    """Put a new identity before the old one in its file, and among the recipients in its place.

    Raises:
        SetupError: A file is missing or cannot be written, or the old one is no recipient.
    """
    text = read(identity, "identity")
    old = keyring_of({str(identity): text}).identities[0].recipient
    if old not in load_recipients(recipients):
        raise SetupError(
            f"{old}, the first identity of {identity}, is not in {recipients}",
            mend="name the files that belong together",
        )
    made, secret = age.new_identity()
    lines = (
        "# caldav-run identity: opens every backup made to it. Keep a copy off this machine.",
        f"# public key: {made.recipient}",
        secret,
        f"# replaced on {today}, and needed for what was stored before:",
    )
    with durable.writing(identity.parent):
        # In this order: nothing is ever sealed to a key that is not on the disk.
        durable.replace(identity, durable.text_of(lines) + text)
        public = read(recipients, "recipients").replace(old, made.recipient)
        durable.replace(recipients, public)
    return Renewed(old, made.recipient, identity)


def add_recipient(path: Path, recipient: str) -> bool:
    """Let another key open what is stored from the next run on; return whether it is new.

    Raises:
        SetupError: It is no recipient, or the file is missing or cannot be written.
    """
    checked = age.check_recipient(recipient, "the command line")
    if checked in load_recipients(path):
        return False
    with durable.writing(path.parent):
        durable.replace(path, _with_line(read(path, "recipients"), checked))
    return True


def add_signer(identity: Path, fingerprint: str) -> bool:
    """Trust a signer in an identity file; return whether it is new.

    Raises:
        SetupError: It is no fingerprint or was removed, or the file cannot be written.
    """
    _check_fingerprint(fingerprint)
    text = read(identity, "identity")
    before = keyring_of({str(identity): text})
    if fingerprint in before.removed:
        raise SetupError(
            f"{fingerprint} was removed from the signers in {identity}",
            mend="to believe it again, delete its `until` line there by hand",
        )
    if fingerprint in before.trusted:
        return False
    with durable.writing(identity.parent):
        durable.replace(identity, _with_line(text, f"# trusted-signer: {fingerprint}"))
    return True


def remove_signer(identity: Path, fingerprint: str, until: Sequence[str]) -> None:
    """Believe a signer no more, but for some segments and their ancestors.

    Raises:
        SetupError: It is no fingerprint, or the file is missing or cannot be written.
    """
    _check_fingerprint(fingerprint)
    text = read(identity, "identity")
    trusts = f"trusted-signer: {fingerprint}"
    kept = [each for each in text.splitlines() if each.lstrip("# ").strip() != trusts]
    after = _with_line(durable.text_of(kept), f"# {trusts} until {','.join(until)}".rstrip())
    with durable.writing(identity.parent):
        durable.replace(identity, after)


def _check_fingerprint(text: str) -> None:
    if not _FINGERPRINT.fullmatch(text):
        raise SetupError(f"{text!r} is no fingerprint", mend="give a signer's SHA256:…")


def _kept(path: Path, today: date) -> Path:
    """Copy a key to a dated name, which may be the second one of its day."""
    text, number = path.read_text(encoding="utf-8"), 1
    while True:
        again = f"-{number}" * (number > 1)
        copy = path.with_name(f"{path.stem}-{today}{again}{path.suffix}")
        try:
            durable.write_new(copy, text)
        except FileExistsError:
            number += 1
        else:
            return copy


def _with_line(text: str, line: str) -> str:
    return durable.text_of((*text.splitlines(), line))
