"""The verbs `validate` and `schema`."""

import os
from enum import StrEnum
from typing import Annotated

import typer

from caldav_run.cli import console
from caldav_run.cli.app import app
from caldav_run.cli.options import Files, Sets, assignments


class Report(StrEnum):
    """How problems are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


@app.command()
def validate(
    files: Files,
    *,
    sets: Sets = None,
    output: Annotated[Report, typer.Option("--output", help="How to print.")] = Report.TEXT,
) -> int:
    """Check pipeline files, without a network, a secret or a command; show all problems."""
    from caldav_run.errors import SetupError
    from caldav_run.pipeline.check import check_file
    from caldav_run.pipeline.render import render_github, render_json, render_text

    given = assignments(sets)
    checked = [check_file(file, sets=given, environ=os.environ, strict_env=False) for file in files]
    problems = [problem for each in checked for problem in each.problems]
    match output:
        case Report.TEXT:
            console.out(render_text(problems, files=len(files)))
        case Report.JSON:
            console.out(render_json(problems, files=len(files)))
        case Report.GITHUB if problems:
            console.out(render_github(problems))
    wrong = any(each.value is None for each in checked)
    return SetupError.exit_status if wrong else 0


@app.command()
def schema() -> None:
    """Print the JSON Schema of pipeline files, as one document for editors and CI."""
    from caldav_run.pipeline.bundle import bundled_schema

    console.document(bundled_schema())
