"""The verbs `create` and `key new`."""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caldav_run.cli import console
from caldav_run.cli.app import app, key_app
from caldav_run.cli.options import Sets, assignments, at_terminal, settings
from caldav_run.cli.run import load
from caldav_run.errors import SetupError, UsageError

if TYPE_CHECKING:
    from caldav_run.connectors.sinks.snapshot import SnapshotSink
    from caldav_run.pipeline.build import Pipeline
    from caldav_run.repository.keys import Keys

_TRIES = 3


@key_app.command("new")
def key_new(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Where to; by default the folder that runs look in."),
    ] = None,
) -> None:
    """Make an identity (it opens backups) and a writer key (it makes them)."""
    from caldav_run.repository.keys import create_keys, default_folder

    _tell_keys(create_keys(folder or default_folder()))


@app.command()
def create(
    pipeline: Annotated[Path, typer.Argument(help="The pipeline file.", show_default=False)],
    *,
    sink: Annotated[
        str | None, typer.Option("--sink", metavar="NAME", help="Which sink of the pipeline.")
    ] = None,
    sets: Sets = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask to enter the identity once.")
    ] = False,
) -> None:
    """Make a pipeline's repository, and its keys where there are none."""
    from caldav_run.repository.keys import create_keys

    (loaded,) = load([pipeline], assignments(sets))
    made = _snapshot_sink(loaded, sink)
    folder = made.missing_keys()
    if folder is not None:
        _tell_keys(create_keys(folder))
    created = made.create(datetime.now(UTC))
    console.out(created.sheet)
    if not yes and at_terminal():
        _rehearse(created.recipients)


def _snapshot_sink(pipeline: "Pipeline", name: str | None) -> "SnapshotSink":
    from caldav_run.connectors.sinks.snapshot import SnapshotSink
    from caldav_run.pipeline.build import build_sink

    chosen = {
        each.name: each
        for each in pipeline.sinks.values()
        if each.type == "snapshot" and name in {None, each.name}
    }
    if len(chosen) != 1:
        known = ", ".join(chosen) or "none"
        raise UsageError(
            f"{pipeline.file}: which snapshot sink is meant? There are: {known}",
            mend="choose one with --sink NAME",
        )
    (spec,) = chosen.values()
    sink = build_sink(spec, settings().context(pipeline, spec.name))
    if not isinstance(sink, SnapshotSink):
        message = "the registry gives a SnapshotSink for the type snapshot"
        raise TypeError(message)
    return sink


def _tell_keys(made: "Keys") -> None:
    console.tell(f"made new keys in {made.folder}:")
    console.tell("  identity.txt    opens backups: copy it to a safe place off this machine")
    console.tell("  recipients.txt  public: who can read the backups")
    console.tell("  writer.key      this machine's: makes backups, opens none")
    console.tell(f"public key {made.recipient}, signer {made.fingerprint}")


def _rehearse(recipients: tuple[str, ...]) -> None:
    """Have the person prove that the identity was kept: a lost one shows now, not in need.

    Raises:
        SetupError: It was not entered rightly; the repository stands all the same.
    """
    from caldav_run.repository.create import opens

    console.tell("To be sure that you can open this backup, enter the identity that you kept")
    console.tell("(the line AGE-SECRET-KEY-1…; it is not shown).")
    for _ in range(_TRIES):
        if opens(getpass.getpass("identity: "), recipients):
            console.tell("That opens it. All is ready.")
            return
        console.tell("That does not open it.")
    raise SetupError(
        "the repository is made, but nobody has shown that it can be opened",
        mend="look for the identity before you rely on this backup",
    )
