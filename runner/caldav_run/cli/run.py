"""The verbs `run` and `plan`."""

from typing import Annotated

import typer

from caldav_run.cli import logs
from caldav_run.cli.execute import execute
from caldav_run.cli.options import (
    AdoptOrigin,
    Diff,
    Files,
    Identity,
    Limit,
    Output,
    OutputOption,
    Quiet,
    Sets,
    StateDir,
    Trust,
    Verbose,
    Verify,
    assignments,
    settings,
)


def run(  # noqa: PLR0913 -- one parameter an option
    files: Files,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Read everything, write nothing, as plan does.")
    ] = False,
    sets: Sets = None,
    limit: Limit = None,
    adopt_origin: AdoptOrigin = False,
    verify: Annotated[
        Verify | None,
        typer.Option("--verify", help="How much to read back after writing; else sinks say it."),
    ] = None,
    output: OutputOption = Output.TEXT,
    state_dir: StateDir = None,
    identity: Identity = None,
    trust: Trust = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Read, filter and write what pipelines say, one after the other.

    Nothing runs before every file has been checked. The exit status is the worst one.
    """
    logs.start(verbose=verbose)
    chosen = settings(
        state_dir=state_dir,
        identity=identity,
        trust=trust,
        limit=limit,
        adopt_origin=adopt_origin,
        dry=check,
        detail=verbose or check,
        verify=verify,
    )
    return execute(files, assignments(sets), chosen, output, quiet=quiet).status


def plan(  # noqa: PLR0913 -- one parameter an option
    files: Files,
    *,
    sets: Sets = None,
    limit: Limit = None,
    adopt_origin: AdoptOrigin = False,
    output: OutputOption = Output.TEXT,
    diff: Diff = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 10 when there are changes.")
    ] = False,
    state_dir: StateDir = None,
    identity: Identity = None,
    trust: Trust = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Read everything, write nothing, show what run would do.

    Each line is one change: + new, ~ changed, - gone, x left out by a filter from now on, ! not
    readable or not writable.
    """
    from caldav_run.engine.outcome import ExitStatus

    logs.start(verbose=verbose)
    chosen = settings(
        state_dir=state_dir,
        identity=identity,
        trust=trust,
        limit=limit,
        adopt_origin=adopt_origin,
        dry=True,
        detail=True,
        diff=diff,
    )
    ended = execute(files, assignments(sets), chosen, output, quiet=quiet)
    if ended.status == ExitStatus.DONE and detailed_exitcode and ended.changed:
        return ExitStatus.HAS_CHANGES
    return ended.status
