"""Options that several verbs share, and what they mean."""

import getpass
import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from caldav_run.errors import SetupError, UsageError
from caldav_run.secret import Secret

if TYPE_CHECKING:
    from caldav_run.pipeline.settings import Settings


_FINGERPRINT: Final = re.compile("SHA256:[A-Za-z0-9+/]{43}")
PASSPHRASE_VARIABLE: Final = "CALDAV_RUN_PASSPHRASE"  # noqa: S105 -- its name


class Output(StrEnum):
    """How a verb prints its data."""

    TEXT = "text"
    JSON = "json"


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
        envvar="CALDAV_RUN_STATE_DIR",
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
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what went wrong.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show every change, and what libraries warn of.")
]


def assignments(sets: Sequence[str] | None) -> dict[str, str]:
    """Return what `--set` gives, by variable.

    Raises:
        UsageError: One of them is no assignment.
    """
    found: dict[str, str] = {}
    for each in sets or ():
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise UsageError(f'"--set {each}" is no assignment', mend="write --set NAME=VALUE")
        found[name] = value
    return found


def state_folder(chosen: Path | None) -> Path:
    """Return the folder for caches: the chosen one, else the XDG one, absolute.

    Raises:
        SetupError: Nothing is chosen, and the user has no home.
    """
    if chosen is not None:
        return chosen.expanduser().absolute()
    if base := os.environ.get("XDG_STATE_HOME"):
        return Path(base) / "caldav-run"
    try:
        return Path.home() / ".local" / "state" / "caldav-run"
    except RuntimeError:
        raise SetupError(
            "there is no home folder to keep caches in", mend="name a folder: --state-dir PATH"
        ) from None


def identity_files(chosen: Sequence[Path] | None) -> tuple[Path, ...]:
    """Return the identity files named on the command line, else in the environment."""
    if chosen:
        return tuple(each.expanduser() for each in chosen)
    named = os.environ.get("CALDAV_RUN_IDENTITY")
    return (Path(named).expanduser(),) if named else ()


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


def asked_passphrase() -> Secret:
    """Return the passphrase that the environment holds, else whoever sits at the terminal."""
    return Secret(_asked)


def _asked() -> str:
    if given := os.environ.get(PASSPHRASE_VARIABLE):
        return given
    if not at_terminal():
        raise SetupError(
            "there is no identity file, and nobody to ask for the passphrase",
            mend="name a file with --identity or --passphrase-file, or set " + PASSPHRASE_VARIABLE,
        )
    try:
        return getpass.getpass("passphrase: ")
    except EOFError:
        return ""


def settings(  # noqa: PLR0913 -- one parameter an option
    *,
    state_dir: Path | None = None,
    identity: Sequence[Path] | None = None,
    trust: Sequence[str] | None = None,
    limit: Sequence[str] | None = None,
    adopt_origin: bool = False,
    dry: bool = False,
    detail: bool = False,
    verify: str | None = None,
) -> "Settings":
    """Return what the command line adds to a pipeline."""
    from caldav_run.pipeline.settings import Settings

    return Settings(
        now=datetime.now(UTC),
        state_dir=state_folder(state_dir),
        identities=identity_files(identity),
        passphrase=asked_passphrase(),
        trust=tuple(trust or ()),
        limit=tuple(limit or ()),
        adopt_origin=adopt_origin,
        dry=dry,
        detail=detail,
        verify=verify,
    )


def at_terminal() -> bool:
    """Return whether somebody can answer a question."""
    streams = (sys.stdin, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams)
