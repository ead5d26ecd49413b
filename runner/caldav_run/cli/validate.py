"""The verbs `validate` and `schema`."""

import os
from enum import StrEnum
from typing import Annotated

import typer

from caldav_run.cli import console
from caldav_run.cli.options import Files, Sets, assignments


class Report(StrEnum):
    """How problems are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def validate(
    files: Files,
    *,
    sets: Sets = None,
    output: Annotated[
        Report, typer.Option("--output", help="How to print problems; github annotates the lines.")
    ] = Report.TEXT,
) -> int:
    """Check pipeline files and show all problems at once.

    Safe on a file from anybody: no network, no secret, no command, nothing outside of its folder.
    """
    from caldav_run.errors import SetupError
    from caldav_run.pipeline.check import check_file
    from caldav_run.pipeline.render import render_github, render_json, render_text

    given = assignments(sets)
    checked = [check_file(file, sets=given, environ=os.environ, strict_env=False) for file in files]
    problems = [problem for each in checked for problem in each.problems]
    if output is Report.TEXT:
        console.out(render_text(problems, files=len(files)))
    elif output is Report.JSON:
        console.out(render_json(problems, files=len(files)))
    elif problems:
        console.out(render_github(problems))
    wrong = any(each.value is None for each in checked)
    return SetupError.exit_status if wrong else 0


def schema() -> None:
    """Print the JSON Schema of pipelines, for editors and CI."""
    from caldav_run.pipeline.bundle import bundled_schema

    console.document(bundled_schema())
