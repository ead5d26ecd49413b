"""The command tree that the command modules hang their verbs on."""

from typing import Annotated

import typer

from caldav_run import __version__
from caldav_run.cli import console

app = typer.Typer(
    name="caldav-run",
    help="Back up, filter, restore and move calendars with one YAML file.",
    epilog="`caldav-run FILE…` is short for `caldav-run run FILE…`.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
key_app = typer.Typer(
    help="Make keys.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)
app.add_typer(key_app, name="key")


def _version(wanted: bool) -> None:  # noqa: FBT001 -- typer calls it so
    if wanted:
        console.out(f"caldav-run {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Take the options that stand before a verb."""
    del version
