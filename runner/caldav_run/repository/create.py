"""Making a repository, and knowing one."""

import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from caldav_run.errors import CaldavRunError, SetupError
from caldav_run.repository import age, fields, names
from caldav_run.repository.fields import stamp
from caldav_run.repository.keys import Writer
from caldav_run.repository.sheet import Sheet
from caldav_run.repository.store import MissingObjectError, Store

FORMAT: Final = "caldav-run repository"
VERSION: Final = 1
STATUS: Final = "final"
_README: Final = """\
This folder is a caldav-run repository: encrypted, signed snapshots of CalDAV accounts.
Do not change, rename or delete anything in it by hand.

It opens without caldav-run, with the programs age, zstd and tar and your identity file:

    age -d -i identity.txt OBJECT | zstd -d | tar x

rescue.py of caldav-run's source lists and restores snapshots with Python and these programs alone:

    python3 rescue.py restore FOLDER latest TARGET -i identity.txt

a/<stream>/<generation>/pack-*.tar.zst.age   calendar items, exactly as the server gave them
a/<stream>/<generation>/seg-*.tar.zst.age    what each snapshot added: changes.jsonl names items,
                                             hashes, and the pack and member that hold them;
                                             segment.json is signed (ssh-keygen -Y verify)
runs/<month>/*.tar.zst.age                   one signed record a run

Each name ends with the SHA-256 of the file: sha256sum tells whether it is whole.
"""


@dataclass(frozen=True, slots=True)
class Created:
    """A new repository.

    Attributes:
        id: Its id.
        sheet: What its recovery sheet says.
        recipients: Who can open it.
    """

    id: str
    sheet: Sheet
    recipients: tuple[str, ...]


def create(store: Store, recipients: Sequence[str], writer: Writer, now: datetime) -> Created:
    """Make a repository in an empty place.

    Args:
        store: Where.
        recipients: Checked age recipients; each can open everything.
        writer: Who will write, for the recovery sheet.
        now: The time.

    Raises:
        SetupError: The place is not empty, or somebody else made a repository at the same time.
    """
    found = next(store.list(), None)
    if found is not None:
        raise SetupError(
            f"{store.location} is not empty: it holds {found.name}",
            mend="give an empty place, or use the repository that is there",
        )
    identity = secrets.token_hex(10)
    marker = {
        "format": FORMAT,
        "version": VERSION,
        "status": STATUS,
        "id": identity,
        "created": stamp(now),
    }
    store.put(names.README, _README.encode())
    store.put(names.MARKER, json.dumps(marker, indent=2).encode() + b"\n")
    if repository_id(store) != identity:
        raise SetupError(f"somebody else made a repository in {store.location} just now")
    sheet = Sheet(
        location=store.location,
        endpoint=None,
        id=identity,
        signers=(writer.signer.fingerprint,),
        recipients=recipients,
        bundles=False,
        day=now.astimezone(UTC).date(),
    )
    return Created(identity, sheet, tuple(recipients))


def repository_id(store: Store) -> str:
    """Return the id of the repository that is there.

    Raises:
        SetupError: There is none, or its version is another one.
    """
    try:
        text = store.get(names.MARKER)
    except MissingObjectError:
        raise SetupError(
            f"there is no repository in {store.location}",
            mend="is it mounted? A new one is made by `caldav-run create`",
        ) from None
    try:
        marker = fields.parse(text)
        known = marker["format"] == FORMAT
        version, identity = marker["version"], fields.text(marker["id"])
    except (ValueError, TypeError, KeyError, RecursionError):
        known, version, identity = False, None, ""
    if not known:
        raise SetupError(f"{names.MARKER} in {store.location} is not a caldav-run repository's")
    if version != VERSION:
        raise SetupError(
            f"the repository in {store.location} has version {version}",
            mend=f"this program knows version {VERSION}: install one that fits",
        )
    return identity


def opens(identity_text: str, recipients: Sequence[str]) -> bool:
    """Return whether an identity, as a person typed it in, opens what is sealed to a recipient."""
    token = secrets.token_bytes(16)
    try:
        identity = age.parse_identity(identity_text.strip(), "the entered text")
        opened = age.unseal(age.seal(token, recipients), (identity,))
    except (CaldavRunError, age.NoMatchingKeyError):
        return False
    return hmac.compare_digest(opened, token)
