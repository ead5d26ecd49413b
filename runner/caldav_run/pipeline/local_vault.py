"""A repository in the state folder, for safety snapshots where a pipeline has none."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from caldav_run.connectors.protocol import Context
from caldav_run.connectors.sinks.snapshot import SnapshotSink
from caldav_run.errors import TemporaryError
from caldav_run.repository import keys

_FOLDER: Final = "safety"
_KEEP: Final = {"within": "90d", "auto": True}


def local_place(state_dir: Path) -> tuple[Path, Path]:
    """Return where the repository lies, and the identity file that opens it."""
    folder = state_dir / _FOLDER
    return folder / "repository", folder / "keys" / keys.IDENTITY


def local_vault(context: Context) -> SnapshotSink:
    """Return the sink that writes into it; it is made where there is none.

    Its keys lie beside it, for this user only: it protects from mistakes, not from thieves.

    Raises:
        TemporaryError: The disk refuses.
    """
    folder = context.state_dir / _FOLDER
    try:
        if not folder.exists():
            _make(folder, context)
    except OSError as error:
        raise TemporaryError(
            f"cannot make a repository in {folder}: {error.strerror}",
            mend="make room there, or name another folder with --state-dir",
        ) from error
    return _sink(folder, context)


def _make(folder: Path, context: Context) -> None:
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".safety-") as name:
        made = Path(name) / _FOLDER
        made.mkdir(mode=0o700)
        keys.create_keys(made / "keys")
        _sink(made, context).create(context.now)
        # Whole or not at all; another run's was first where it is in the way.
        with suppress(OSError):
            os.rename(made, folder)  # noqa: PTH104 -- onto nothing that exists


def _sink(folder: Path, context: Context) -> SnapshotSink:
    options = {
        "repository": str(folder / "repository"),
        "signer": {"file": str(folder / "keys" / keys.WRITER)},
        "recipients": [{"file": str(folder / "keys" / keys.RECIPIENTS)}],
        "keep": _KEEP,
    }
    return SnapshotSink.from_options(options, context)
