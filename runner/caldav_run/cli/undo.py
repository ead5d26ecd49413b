"""The verb `undo`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caldav_run.cli import console, logs
from caldav_run.cli.execute import Ended, tell_way_back, watched
from caldav_run.cli.options import (
    Identity,
    Output,
    OutputOption,
    PassphraseFile,
    Quiet,
    StateDir,
    Trust,
    Verbose,
    at_terminal,
    settings,
    state_folder,
)
from caldav_run.cli.repositories import Choice
from caldav_run.cli.times import when
from caldav_run.errors import UsageError

if TYPE_CHECKING:
    from caldav_run.cli.undoing import Undoing
    from caldav_run.engine.journal import Journaled


def undo(  # noqa: PLR0913 -- one parameter an option
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
            help="The run, or the first letters of its id; `latest` for the last one. Left out, "
            "the runs that can be undone are listed.",
            show_default=False,
        ),
    ] = None,
    *,
    plan: Annotated[
        bool, typer.Option("--plan", help="Write nothing, show what would be done.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before writing.")] = False,
    output: OutputOption = Output.TEXT,
    state_dir: StateDir = None,
    identity: Identity = None,
    passphrase_file: PassphraseFile = None,
    trust: Trust = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Bring a server or folder back as it was before a run.

    What the run replaced or deleted gets its old bytes back, what it added is deleted. What
    somebody changed after the run is left as it is, and told.
    """
    from caldav_run.cli.undoing import Undoing
    from caldav_run.engine.journal import find

    logs.start(verbose=verbose)
    if run is None:
        return _list(state_folder(state_dir), output)
    journaled = find(state_folder(state_dir), run)
    choice = Choice(
        repository=None,
        sink=None,
        source=None,
        account=None,
        sets=None,
        identity=identity,
        passphrase_file=passphrase_file,
        trust=trust,
    )
    chosen = settings(state_dir=state_dir, identity=identity, trust=trust, dry=plan, detail=True)
    made = Undoing(journaled, choice, chosen)
    if output is Output.TEXT and not (plan or yes) and at_terminal():
        shown = _run(Undoing(journaled, choice, replace(chosen, dry=True)), output, quiet=quiet)
        if not shown.changed:
            return shown.status
        if not typer.confirm("Do this?", err=True):
            raise UsageError("nothing was done")
    ended = _run(made, output, quiet=quiet)
    if output is Output.JSON:
        console.document(ended.document)
    return ended.status


def _run(made: "Undoing", output: Output, *, quiet: bool) -> Ended:
    ended = watched(f"undo of {made.run}", made.execute, output, quiet=quiet)
    tell_way_back(made.journal, ended, quiet=quiet)
    return ended


def _list(state_dir: Path, output: Output) -> int:
    from caldav_run.engine.journal import journals

    known = journals(state_dir)
    if output is Output.JSON:
        console.document([_json(each) for each in known])
        return 0
    heads = ("RUN", "TIME", "PIPELINE", "WROTE TO", "WRITES", "")
    rows = [_row(each) for each in known]
    if rows:
        console.table([heads, *rows])
    else:
        console.tell("no run that wrote to a server or folder is known here")
    return 0


def _row(journaled: "Journaled") -> tuple[str, ...]:
    told = _json(journaled)
    undone = f"undone by {journaled.undone}" if journaled.undone else ""
    time, sinks = when(journaled.time), ", ".join(told["sinks"])
    return journaled.run, time, told["pipeline"], sinks, f"{told['writes']:,}", undone


def _json(journaled: "Journaled") -> dict[str, Any]:
    lines = journaled.lines
    return {
        "run": journaled.run,
        "time": journaled.time.isoformat(),
        "pipeline": str(journaled.head.get("pipeline", "")),
        "file": str(journaled.head.get("file", "")),
        "sinks": sorted({str(each["sink"]) for each in lines if each.get("op") == "place"}),
        "writes": sum(each.get("op") == "done" for each in lines),
        "undone": journaled.undone,
    }
