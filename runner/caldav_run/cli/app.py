"""The command tree: every verb, in the order of the help."""

from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from caldav_run import __version__
from caldav_run.cli import (
    care,
    check,
    compare,
    console,
    copying,
    demo,
    discover,
    drill,
    find,
    holdings,
    keys,
    login,
    look,
    passphrases,
    renewal,
    restore,
    rewriting,
    run,
    sheets,
    take,
    trace,
    undo,
    validate,
)
from caldav_run.cli.help import Verb

_EPILOG = """\
`caldav-run PIPELINE…` is short for `caldav-run run PIPELINE…`.

Exit status: 0 done; 1 a whole source or sink failed; 2 wrong usage; 3 some items failed, the rest
is done; 4 a guard stopped it; 10 plan --detailed-exitcode found changes; 75 unreachable, try again
later; 77 access refused; 78 invalid pipeline or set-up; 130 interrupted.
"""
_VERBS = (
    run.run,
    run.plan,
    validate.validate,
    login.login,
    keys.create,
    look.snapshots,
    look.show,
    compare.diff,
    trace.history,
    find.find,
    take.cat,
    take.export,
    restore.restore,
    undo.undo,
    check.check,
    drill.drill,
    care.expire,
    copying.copy,
    rewriting.rewrite,
    discover.discover,
    validate.schema,
    demo.demo,
)
_KEY_VERBS: Mapping[str, Callable[..., int | None]] = {
    "new": keys.key_new,
    "list": holdings.key_list,
    "add": renewal.key_add,
    "rotate": renewal.key_rotate,
    "remove": renewal.key_remove,
    "passphrase": passphrases.key_passphrase,
    "sheet": sheets.key_sheet,
}


def make_app() -> typer.Typer:
    """Return the program with all of its verbs."""
    app = _group("Back up, filter, restore and move calendars with one YAML file.", _EPILOG)
    app.callback()(_root)
    for verb in _VERBS:
        app.command(cls=Verb)(verb)
    key = _group("Make, list, renew and hand over keys.")
    for name, key_verb in _KEY_VERBS.items():
        key.command(name, cls=Verb)(key_verb)
    app.add_typer(key, name="key")
    return app


def verbs() -> list[str]:
    """Return the names of all verbs."""
    return sorted([*(verb.__name__ for verb in _VERBS), "key"])


def _group(about: str, epilog: str | None = None) -> typer.Typer:
    return typer.Typer(
        name="caldav-run",
        help=about,
        epilog=epilog,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def _version(wanted: bool) -> None:  # noqa: FBT001 -- typer calls it so
    if wanted:
        console.out(f"caldav-run {__version__}")
        raise typer.Exit


def _root(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Take the options that stand before a verb."""
    del version
