"""Options that several verbs share, and what they mean."""

import os
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from caldav_run.cli.chosen import (
    PASSPHRASE_VARIABLE,
    STATE_VARIABLE,
    Output,
    asked_passphrase,
    assignments,
    at_terminal,
    identity_files,
    settings,
    state_folder,
)
from caldav_run.errors import UsageError
from caldav_run.secret import Secret

__all__ = [
    "PASSPHRASE_VARIABLE",
    "Output",
    "asked_passphrase",
    "assignments",
    "at_terminal",
    "identity_files",
    "settings",
    "state_folder",
]

_FINGERPRINT: Final = re.compile("SHA256:[A-Za-z0-9+/]{43}")


class Verify(StrEnum):
    """How much of what was written is read back."""

    FULL = "full"
    SAMPLE = "sample"
    NONE = "none"


def _fingerprints(values: list[str] | None) -> list[str] | None:
    for each in values or ():
        if not _FINGERPRINT.fullmatch(each):
            raise UsageError(f'"{each}" is no fingerprint', mend="give a signer's SHA256:…")
    return values


# `readable=False` wherever a path is taken: what is wrong with it, our own messages say better.
Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="PIPELINE", help="Pipeline files (YAML).", show_default=False, readable=False
    ),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Give a variable of the pipeline's vars another value (repeatable).",
    ),
]
OutputOption = Annotated[Output, typer.Option("--output", help="How to print data.")]
StateDir = Annotated[
    Path | None,
    typer.Option(
        "--state-dir",
        metavar="PATH",
        envvar=STATE_VARIABLE,
        help="The folder for caches; safe to lose.",
        show_default="~/.local/state/caldav-run",
        readable=False,
    ),
]
Identity = Annotated[
    list[Path] | None,
    typer.Option(
        "--identity",
        "-i",
        metavar="PATH",
        help="A file with age identities that open the repository (repeatable).",
        show_default="$CALDAV_RUN_IDENTITY, else ~/.config/caldav-run/identity.txt",
        readable=False,
    ),
]
KeyIdentity = Annotated[
    Path | None,
    typer.Option(
        "--identity",
        "-i",
        metavar="FILE",
        help="The identity file.",
        show_default="$CALDAV_RUN_IDENTITY, else ~/.config/caldav-run/identity.txt",
        readable=False,
    ),
]
KeyFolder = Annotated[
    Path | None,
    typer.Option(
        "--folder",
        metavar="FOLDER",
        help="Where this machine's keys are.",
        show_default="the folder that runs look in",
        readable=False,
    ),
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="PATH",
        help="A file with the passphrase of a key in the repository; instead of --identity.",
        show_default="$CALDAV_RUN_PASSPHRASE, else asked for, where there is no identity",
        readable=False,
    ),
]
Trust = Annotated[
    list[str] | None,
    typer.Option(
        "--trust",
        metavar="FINGERPRINT",
        help="Believe this signer as well, SHA256:… (repeatable).",
        callback=_fingerprints,
        show_default=False,
    ),
]
Limit = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        metavar="SOURCE",
        help="Read this source only (repeatable).",
        show_default=False,
    ),
]
AdoptOrigin = Annotated[
    bool,
    typer.Option(
        "--adopt-origin",
        help="Go on with an account's history though the account is found elsewhere now.",
    ),
]
Diff = Annotated[
    bool,
    typer.Option(
        "--diff", help="Say in words what changes in each item on a server or in a folder."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what went wrong.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show every change, and what libraries warn of.")
]


def identity_file(chosen: Path | None) -> Path:
    """Return the one identity file that is meant: the chosen one, else the usual one."""
    from caldav_run.repository.keys import IDENTITY, default_folder

    (first, *_) = identity_files([chosen] if chosen else None) or (default_folder() / IDENTITY,)
    return first


def passphrase_in(file: Path) -> Secret:
    """Return the passphrase in a file, without looking at it; a line end at its end is no part."""
    from caldav_run.pipeline.secrets import secret_from

    place = file.expanduser().absolute()
    return secret_from({"file": str(place)}, "--passphrase-file", place.parent, os.environ)
