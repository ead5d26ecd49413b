"""Executing pipelines one after the other, and telling how it goes."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from caldav_run.cli import console
from caldav_run.cli.chosen import Output

if TYPE_CHECKING:
    from caldav_run.engine.events import Emit
    from caldav_run.engine.job import Job
    from caldav_run.engine.journal import Journal
    from caldav_run.pipeline.build import Pipeline
    from caldav_run.pipeline.problems import Problem
    from caldav_run.pipeline.settings import Settings


class Ended(NamedTuple):
    """How one or several runs ended.

    Attributes:
        status: The (worst) exit status.
        changed: Whether anything was changed, or would be.
        document: The run as JSON shows it.
    """

    status: int
    changed: bool
    document: dict[str, Any]


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
    chosen = replace(chosen, sets=sets)
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


def load(
    files: Sequence[Path], sets: Mapping[str, str], *, strict_env: bool = True
) -> list["Pipeline"]:
    """Load pipelines, and print all that is wrong or doubtful in them.

    Args:
        files: The pipeline files.
        sets: Values that take the place of variables.
        strict_env: Whether a missing environment variable is an error.

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
            loaded.append(load_pipeline(file, sets=sets, strict_env=strict_env))
            problems.extend(loaded[-1].warnings if strict_env else ())
        except PipelineError as error:
            problems.extend(error.problems)
    if problems:
        console.tell(render_text(problems, files=len(files)))
    if len(loaded) < len(files):
        # Only here: a run that needs no words does not need what makes help.
        import typer

        raise typer.Exit(PipelineError.exit_status)
    return loaded


def run_one(job: "Job", output: Output = Output.TEXT, *, quiet: bool = False) -> Ended:
    """Run one job and show it as it goes; as text, its changes and its recap are data."""
    from caldav_run.engine.run import run

    ended = watched(job.name, lambda emit: run(job, emit), output, quiet=quiet)
    if job.journal is not None:
        tell_way_back(job.journal, ended, quiet=quiet)
    return ended


def tell_way_back(journal: "Journal", ended: Ended, *, quiet: bool) -> None:
    """Tell how what was written can be undone."""
    journal.close()
    ended.document["undo"] = journal.run if journal.begun else None
    if journal.begun and not quiet:
        console.tell(f"the way back: caldav-run undo {journal.run}")


def watched(
    name: str, execute: Callable[["Emit"], int], output: Output = Output.TEXT, *, quiet: bool
) -> Ended:
    """Show what tells of itself by events, as it goes; see `run_one`."""
    from caldav_run.cli import memory, turns
    from caldav_run.cli.live import watcher
    from caldav_run.engine.events import Event, Planned, RunFinished
    from caldav_run.engine.report.document import Document
    from caldav_run.engine.report.text import Recap, line

    memory.give_back()
    turns.shorten()
    recap, document = Recap(), Document()
    with watcher(quiet=quiet) as watch:
        # A table that is redrawn must not be written into: on one screen changes go above it.
        tell_change = console.tell if watch.redraws and console.watched(sys.stdout) else console.out

        def take(event: Event) -> None:
            recap.take(event)
            watch.take(event)
            if output is Output.JSON:
                document.take(event)
            elif isinstance(event, Planned):
                tell_change(line(event) or "")

        status = execute(take)
    if output is Output.TEXT and (status or not quiet):
        console.out(recap.line(RunFinished(name, status)))
    return Ended(status, recap.changed, document.value)
