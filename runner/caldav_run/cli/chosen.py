"""What a command line adds to pipelines, however it was read."""

import getpass
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from caldav_run.errors import SetupError, UsageError
from caldav_run.secret import Secret

if TYPE_CHECKING:
    from caldav_run.pipeline.settings import Settings

PASSPHRASE_VARIABLE: Final = "CALDAV_RUN_PASSPHRASE"  # noqa: S105 -- its name
STATE_VARIABLE: Final = "CALDAV_RUN_STATE_DIR"


class Output(StrEnum):
    """How a verb prints its data."""

    TEXT = "text"
    JSON = "json"


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
    diff: bool = False,
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
        diff=diff,
    )


def at_terminal() -> bool:
    """Return whether somebody can answer a question."""
    streams = (sys.stdin, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams)
