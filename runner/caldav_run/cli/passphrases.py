"""The verb `key passphrase`."""

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caldav_run.cli import console
from caldav_run.cli.options import (
    PASSPHRASE_VARIABLE,
    at_terminal,
    identity_files,
    passphrase_in,
)
from caldav_run.cli.repositories import Choice, PipelineFile, asks_for_repository, find_place
from caldav_run.errors import SetupError
from caldav_run.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caldav_run.repository.store import Store


@asks_for_repository
def key_passphrase(
    choice: Choice,
    pipeline: PipelineFile = None,
    *,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Delete the older ones once the new one is proven."),
    ] = False,
) -> int:
    """Put the identity into the repository, behind a passphrase.

    Who knows the passphrase can then open the backup, with nothing else at hand. The passphrase
    is that of --passphrase-file or CALDAV_RUN_PASSPHRASE, else it is asked for twice.
    """
    from caldav_run.repository import bundles
    from caldav_run.repository.create import repository_id
    from caldav_run.repository.keys import IDENTITY, default_folder, read

    place, _ = find_place(choice, pipeline)
    store = place.store()
    repository_id(store)
    files = identity_files(choice.identity) or place.identities or (default_folder() / IDENTITY,)
    text = "".join(f"{read(each, 'identity').rstrip()}\n" for each in files)
    _prove(store, text, files)
    older = bundles.listed(store)
    name = bundles.add(store, text, _new(choice.passphrase_file))
    console.out(name)
    console.tell(f"The passphrase opens {place.location} now, where no identity file is at hand.")
    for each in older if replace else ():
        store.delete(each.name)
        console.tell(f"deleted {each.name}; who has a copy of it can still use its passphrase")
    return 0


def _prove(store: "Store", text: str, files: "Sequence[Path]") -> None:
    """Refuse an identity that does not open what is stored.

    Raises:
        SetupError: It does not.
    """
    from caldav_run.repository.bundles import opens_newest
    from caldav_run.repository.keys import keyring_of

    keyring = keyring_of({str(files[0]): text})
    if not opens_newest(store, keyring.identities):
        raise SetupError(
            f"the identity in {', '.join(map(str, files))} does not open {store.location}",
            mend="name the right one with --identity",
        )


def _new(file: Path | None) -> str:
    from caldav_run.repository.bundles import check_strength

    if file is not None:
        return passphrase_in(file).reveal()
    if given := os.environ.get(PASSPHRASE_VARIABLE):
        return Secret.of(given).reveal()
    if not at_terminal():
        raise SetupError(
            "there is nobody to ask for a passphrase",
            mend=f"name a file with --passphrase-file, or set {PASSPHRASE_VARIABLE}",
        )
    first = _typed("new passphrase: ")
    check_strength(first)
    if _typed("once more: ") != first:
        raise SetupError("the two passphrases differ", mend="try again; nothing was changed")
    return Secret.of(first).reveal()


def _typed(prompt: str) -> str:
    try:
        return getpass.getpass(prompt)
    except EOFError:
        return ""
