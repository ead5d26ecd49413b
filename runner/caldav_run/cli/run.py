"""The verbs `run` and `plan`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from caldav_run.cli import console
from caldav_run.cli.app import app
from caldav_run.cli.options import (
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
    assignments,
    settings,
)

if TYPE_CHECKING:
    from caldav_run.engine.job import Job
    from caldav_run.pipeline.build import Pipeline
    from caldav_run.pipeline.job import Settings
    from caldav_run.pipeline.problems import Problem


@app.command()
def run(  # noqa: PLR0913 -- one parameter an option
    files: Files,
    *,
    check: Annotated[bool, typer.Option("--check", help="Plan only; write nothing.")] = False,
    sets: Sets = None,
    limit: Limit = None,
    output: OutputOption = Output.TEXT,
    state_dir: StateDir = None,
    identity: Identity = None,
    trust: Trust = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Execute pipelines, one after the other."""
    chosen = settings(
        state_dir=state_dir,
        identity=identity,
        trust=trust,
        limit=limit,
        dry=check,
        detail=verbose or check,
    )
    return execute(files, assignments(sets), chosen, output, quiet=quiet).status


@app.command()
def plan(  # noqa: PLR0913 -- one parameter an option
    files: Files,
    *,
    sets: Sets = None,
    limit: Limit = None,
    output: OutputOption = Output.TEXT,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 10 when there are changes.")
    ] = False,
    state_dir: StateDir = None,
    identity: Identity = None,
    trust: Trust = None,
    quiet: Quiet = False,
) -> int:
    """Read everything, write nothing, and show what run would do."""
    from caldav_run.engine.outcome import ExitStatus

    chosen = settings(
        state_dir=state_dir, identity=identity, trust=trust, limit=limit, dry=True, detail=True
    )
    ended = execute(files, assignments(sets), chosen, output, quiet=quiet)
    if ended.status == ExitStatus.DONE and detailed_exitcode and ended.changed:
        return ExitStatus.HAS_CHANGES
    return ended.status


class Ended(NamedTuple):
    """How one or several runs ended.

    Attributes:
        status: The (worst) exit status.
        changed: Whether anything was changed, or would be.
        document: The run as JSON shows it.
    """

    status: int
    changed: bool
    document: Mapping[str, Any]


def execute(
    files: Sequence[Path],
    sets: Mapping[str, str],
    chosen: "Settings",
    output: Output,
    *,
    quiet: bool,
) -> Ended:
    """Load every pipeline, then run one after the other.

    Args:
        files: The pipeline files.
        sets: Values that take the place of variables.
        chosen: What the command line adds.
        output: How to print.
        quiet: Whether to say only what went wrong.
    """
    from caldav_run.engine.outcome import ExitStatus, worst
    from caldav_run.pipeline.job import make_job

    # A mistake in the last file must show before the first one has run.
    jobs = [make_job(pipeline, chosen) for pipeline in load(files, sets)]
    runs: list[Ended] = []
    for job in jobs:
        runs.append(run_one(job, output, quiet=quiet))
        if runs[-1].status == ExitStatus.INTERRUPTED:
            break
    status = worst([each.status for each in runs])
    document = {"status": status, "runs": [each.document for each in runs]}
    if output is Output.JSON:
        console.document(document)
    return Ended(status, any(each.changed for each in runs), document)


def load(files: Sequence[Path], sets: Mapping[str, str]) -> list["Pipeline"]:
    """Load pipelines, and print all that is wrong or doubtful in them.

    Raises:
        typer.Exit: One of them cannot be used.
    """
    from caldav_run.pipeline.build import load_pipeline
    from caldav_run.pipeline.problems import PipelineError
    from caldav_run.pipeline.render import render_text

    loaded: list[Pipeline] = []
    problems: list[Problem] = []
    for file in files:
        try:
            loaded.append(load_pipeline(file, sets=sets))
            problems.extend(loaded[-1].warnings)
        except PipelineError as error:
            problems.extend(error.problems)
    if problems:
        console.tell(render_text(problems, files=len(files)))
    if len(loaded) < len(files):
        raise typer.Exit(PipelineError.exit_status)
    return loaded


def run_one(job: "Job", output: Output, *, quiet: bool) -> Ended:
    """Run one job, and show it as it goes."""
    from caldav_run.cli.live import watcher
    from caldav_run.engine.events import Event, Planned, RunFinished
    from caldav_run.engine.report.document import Document
    from caldav_run.engine.report.text import Recap, line
    from caldav_run.engine.run import run as run_job

    document, recap = Document(), Recap()
    told: list[Event] = []
    with watcher(quiet=quiet) as watch:

        def take(event: Event) -> None:
            document.take(event)
            recap.take(event)
            watch.take(event)
            if isinstance(event, Planned):
                told.append(event)

        status = run_job(job, take)
    if output is Output.TEXT:
        for event in told:
            console.out(line(event) or "")
        if not quiet:
            console.out(recap.line(RunFinished(job.name, status)))
    return Ended(status, recap.changed, document.value)
