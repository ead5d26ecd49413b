"""The verbs `create` and `key new`."""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caldav_run.cli import console
from caldav_run.cli.execute import load
from caldav_run.cli.options import Sets, assignments, at_terminal
from caldav_run.cli.repositories import SinkName, snapshot_sink
from caldav_run.cli.sheets import SheetFile, SnapshotPipeline, WithCode, hand_out, secret_of
from caldav_run.errors import SetupError

if TYPE_CHECKING:
    from caldav_run.repository.keys import Keys

_TRIES = 3


def key_new(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER",
            help="Where to.",
            show_default="the folder that runs look in",
            readable=False,
        ),
    ] = None,
    *,
    identity: Annotated[
        Path | None,
        typer.Option(
            "--identity",
            "-i",
            metavar="FILE",
            help="Make a writer key only, which goes on with the histories of this identity.txt.",
            readable=False,
        ),
    ] = None,
) -> None:
    """Make keys: an identity, and a writer key.

    The identity opens backups and belongs away from this machine; the writer key makes them.
    """
    from caldav_run.repository.keyfiles import take_over
    from caldav_run.repository.keys import create_keys, default_folder

    target = folder.expanduser() if folder else default_folder()
    if identity is None:
        console.out(_described(create_keys(target)))
        return
    file = identity.expanduser()
    made = take_over(file, target)
    console.out(f"made a new writer key in {made.folder}, for the histories of {file}")
    console.out(f"public key {made.recipient}, signer {made.fingerprint}, trusted in {file}")


def create(
    pipeline: SnapshotPipeline,
    *,
    sink: SinkName = None,
    sets: Sets = None,
    sheet: SheetFile = None,
    qr: WithCode = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask for a proof that the identity was kept.")
    ] = False,
) -> None:
    """Make a pipeline's repository, and missing keys.

    Prints the recovery sheet: put it on paper, away from this machine.
    """
    from caldav_run.repository.keys import create_keys

    # The account's own variables are not needed yet.
    (loaded,) = load([pipeline], assignments(sets), strict_env=False)
    made = snapshot_sink(loaded, sink)
    folder = made.missing_keys()
    if folder is not None:
        console.tell(_described(create_keys(folder)))
    # Before anything is made that would have to be undone.
    secret = secret_of(None) if qr else None
    created = made.create(datetime.now(UTC))
    hand_out(created.sheet, sheet, secret)
    if not yes and at_terminal():
        _rehearse(created.recipients)


def _described(made: "Keys") -> str:
    from caldav_run.repository.keys import IDENTITY, RECIPIENTS, WRITER

    return f"""\
made new keys in {made.folder}:
  {IDENTITY:<16}opens backups: copy it to a safe place off this machine
  {RECIPIENTS:<16}public: who can read the backups
  {WRITER:<16}this machine's: makes backups, opens none
public key {made.recipient}, signer {made.fingerprint}"""


def _rehearse(recipients: tuple[str, ...]) -> None:
    """Have the person prove that the identity was kept: a lost one shows now, not in need.

    Raises:
        SetupError: It was not entered rightly; the repository stands all the same.
    """
    from caldav_run.repository.create import opens

    console.tell("To be sure that you can open this backup, enter the identity that you kept")
    console.tell("(the line AGE-SECRET-KEY-1…; it is not shown).")
    for _ in range(_TRIES):
        if opens(_entered(), recipients):
            console.tell("That opens it. All is ready.")
            return
        console.tell("That does not open it.")
    raise SetupError(
        "the repository is made, but nobody has shown that it can be opened",
        mend="look for the identity before you rely on this backup",
    )


def _entered() -> str:
    try:
        return getpass.getpass("identity: ")
    except EOFError:
        return ""
