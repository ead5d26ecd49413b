"""The verbs `key add`, `key rotate` and `key remove`."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caldav_run.cli import console
from caldav_run.cli.options import KeyFolder, KeyIdentity, identity_file
from caldav_run.cli.repositories import (
    Choice,
    PipelineFile,
    asks_for_repository,
    complaints,
    find_place,
    open_repository,
)
from caldav_run.errors import SetupError, UsageError

if TYPE_CHECKING:
    from caldav_run.repository.keyfiles import Renewed


class Kind(StrEnum):
    """Which key is renewed."""

    SIGNER = "signer"
    IDENTITY = "identity"


def key_add(
    key: Annotated[
        str,
        typer.Argument(metavar="RECIPIENT|FINGERPRINT", help="A public key age1…, or SHA256:…"),
    ],
    *,
    folder: KeyFolder = None,
    identity: KeyIdentity = None,
) -> None:
    """Add a recipient, or a trusted signer.

    A recipient, who can open backups from now on, goes into recipients.txt; the fingerprint of a
    backup host to believe goes into identity.txt.
    """
    from caldav_run.repository.keyfiles import add_recipient, add_signer
    from caldav_run.repository.keys import RECIPIENTS

    if key.startswith("SHA256:"):
        file = identity_file(identity)
        new = add_signer(file, key)
        after = "what it signs is believed now"
    else:
        file = _folder(folder) / RECIPIENTS
        new = add_recipient(file, key)
        after = "the next run makes a full backup that it opens; older ones stay closed to it"
    console.out(f"{key} is in {file}: {after}" if new else f"{key} is in {file} already")


@asks_for_repository
def key_rotate(
    choice: Choice,
    kind: Annotated[
        Kind, typer.Argument(metavar="signer|identity", help="Which key.", show_default=False)
    ],
    pipeline: PipelineFile = None,
    *,
    folder: KeyFolder = None,
    remove_old: Annotated[
        bool,
        typer.Option(
            "--remove-old",
            help="Believe the old signer no more, but for what the repository has of it now.",
        ),
    ] = False,
) -> int:
    """Put a new key in the place of an old one, which is kept.

    The next run makes a full backup with it. Only --remove-old looks into a repository.
    """
    from caldav_run.repository.keyfiles import rotate_identity, rotate_signer
    from caldav_run.repository.keys import RECIPIENTS

    home, today = _folder(folder), datetime.now(UTC).date()
    identity = identity_file(choice.identity[0] if choice.identity else None)
    if kind is Kind.IDENTITY:
        if remove_old:
            raise UsageError("--remove-old is about a signer", mend="leave it out")
        made = rotate_identity(identity, home / RECIPIENTS, today)
        console.out(f"new identity {made.new} in {identity}, before the old one {made.old}")
        console.tell("Print the recovery sheet again, and renew each copy of the identity file.")
        return 0
    if remove_old:
        # Told before anything is changed: without a repository and an identity it cannot be done.
        open_repository(choice, pipeline)
    made = rotate_signer(_writer(choice, pipeline, home), today)
    console.out(f"new signer {made.new}; the key of {made.old} is kept as {made.kept}")
    _trust(identity, made)
    return _remove(choice, pipeline, made.old) if remove_old else 0


@asks_for_repository
def key_remove(
    choice: Choice,
    fingerprint: Annotated[
        str, typer.Argument(metavar="FINGERPRINT", help="The signer, SHA256:….")
    ],
    pipeline: PipelineFile = None,
) -> int:
    """Believe a signer no more.

    What the repository has of it now still counts. Writes that into identity.txt; copies of it
    elsewhere have to be replaced.
    """
    return _remove(choice, pipeline, fingerprint)


def _remove(choice: Choice, pipeline: str | None, fingerprint: str) -> int:
    from caldav_run.repository.holdings import vouchers
    from caldav_run.repository.keyfiles import remove_signer

    identity = identity_file(choice.identity[0] if choice.identity else None)
    reader = open_repository(choice, pipeline).reader
    # Collects what is damaged, too.
    reader.snapshots()
    held = reader.holdings()
    until = vouchers(held, fingerprint, reader.keyring)
    remove_signer(identity, fingerprint, until)
    mine = [each for each in held if each.signer == fingerprint]
    console.out(f"{fingerprint} is removed in {identity}; what it signs from now on does not count")
    for each in mine:
        upto = f"{each.last:%Y-%m-%d %H:%M:%S} UTC"
        console.tell(f"{each.account}: {each.snapshots} snapshots up to {upto} still count")
    return complaints(reader)


def _writer(choice: Choice, pipeline: str | None, home: Path) -> Path:
    from caldav_run.repository.keys import WRITER

    if pipeline is None and choice.repository is None:
        return home / WRITER
    place, _ = find_place(choice, pipeline)
    return place.writer or home / WRITER


def _trust(identity: Path, made: "Renewed") -> None:
    """Have the new signer believed, or say what has to be done where the identity file is."""
    from caldav_run.repository.keyfiles import add_signer

    try:
        add_signer(identity, made.new)
    except SetupError as error:
        console.tell(f"{error.message}: where the identity file is, add this line to it")
        console.out(f"# trusted-signer: {made.new}")
    else:
        console.tell(f"{identity} trusts the new signer; renew its copies elsewhere")


def _folder(chosen: Path | None) -> Path:
    from caldav_run.repository.keys import default_folder

    return chosen.expanduser() if chosen else default_folder()
