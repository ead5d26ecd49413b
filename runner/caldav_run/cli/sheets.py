"""The recovery sheet on a screen, in a file and with a QR code: `key sheet`, and for `create`."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from caldav_run.cli import console
from caldav_run.cli.execute import load
from caldav_run.cli.options import KeyIdentity, Sets, assignments, identity_file
from caldav_run.cli.repositories import SinkName, snapshot_sink
from caldav_run.errors import SetupError

if TYPE_CHECKING:
    from caldav_run.repository.sheet import Sheet

SheetFile = Annotated[
    Path | None,
    typer.Option(
        "--sheet",
        metavar="FILE",
        help="Write the recovery sheet to a new file (mode 0600) instead of printing it.",
        readable=False,
    ),
]
WithCode = Annotated[
    bool,
    typer.Option("--qr", help="Put the identity, which is secret, on the sheet as a QR code."),
]
SnapshotPipeline = Annotated[
    Path,
    typer.Argument(
        metavar="PIPELINE", help="A pipeline file with a snapshot sink.", readable=False
    ),
]
# Of two rows of modules, which are dark: one character.
_BLOCKS: Final = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}
_MARGIN: Final = 2


def key_sheet(
    pipeline: SnapshotPipeline,
    *,
    sink: SinkName = None,
    sets: Sets = None,
    sheet: SheetFile = None,
    qr: WithCode = False,
    identity: KeyIdentity = None,
) -> None:
    """Print the recovery sheet of a pipeline's repository again.

    It names this machine's signer and, where the identity file is at hand, all others that are
    trusted there.
    """
    (loaded,) = load([pipeline], assignments(sets), strict_env=False)
    page = snapshot_sink(loaded, sink).sheet(datetime.now(UTC))
    others = _trusted(identity) - set(page.signers)
    page = replace(page, signers=(*page.signers, *sorted(others)))
    hand_out(page, sheet, secret_of(identity) if qr else None)


def _trusted(chosen: Path | None) -> frozenset[str]:
    """Return the signers that the identity file trusts; none where it is kept elsewhere."""
    from caldav_run.repository.keys import load_keyring

    file = identity_file(chosen)
    return load_keyring([file]).trusted if chosen or file.exists() else frozenset()


def hand_out(page: "Sheet", file: Path | None, secret: str | None) -> None:
    """Print a recovery sheet, or write it to a file.

    Args:
        page: What it says.
        file: The new file; None to print it.
        secret: The identity that is put on it as a QR code; None for none.

    Raises:
        SetupError: The file exists or cannot be written.
    """
    from caldav_run.repository import durable

    text = page.text() if secret is None else page.text(list(code(secret)))
    if file is None:
        console.out(text)
        return
    path = file.expanduser()
    try:
        durable.write_new(path, text)
    except OSError as error:
        raise SetupError(
            f"cannot write the recovery sheet to {path}: {error.strerror}",
            mend="name a new file: caldav-run key sheet PIPELINE --sheet FILE",
        ) from error
    console.tell(f"the recovery sheet is in {path}: print it, and delete the file")


def secret_of(chosen: Path | None) -> str:
    """Return the identity in use, out of the chosen identity file or the usual one.

    Raises:
        SetupError: There is none.
    """
    from caldav_run.repository.keyfiles import first_identity

    return first_identity(identity_file(chosen))


def code(text: str) -> Iterator[str]:
    """Yield the lines of a QR code as it is printed on paper: dark on light, indented."""
    import segno

    made = segno.make(text, error="m", micro=False)
    rows = [list(map(bool, row)) for row in made.matrix_iter(border=_MARGIN)]
    for upper, lower in zip_longest(rows[::2], rows[1::2], fillvalue=[False] * len(rows[0])):
        line = "".join(_BLOCKS[pair] for pair in zip(upper, lower, strict=True))
        yield f"    {line}".rstrip()
