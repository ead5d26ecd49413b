"""The verbs that take bytes out of a repository: `cat` and `export`."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from caldav_run import shelf
from caldav_run.cli import console
from caldav_run.cli.execute import run_one
from caldav_run.cli.look import Snapshot, selected
from caldav_run.cli.places import in_repository
from caldav_run.cli.repositories import (
    Choice,
    Opened,
    PipelineFile,
    asks_for_repository,
    complaints,
    open_repository,
)
from caldav_run.cli.seek import by_name, command
from caldav_run.cli.times import tell_age, when
from caldav_run.engine.outcome import worst
from caldav_run.errors import AccessError, ConnectorError, DamageError, ItemError, UsageError
from caldav_run.model import Failed

if TYPE_CHECKING:
    from caldav_run.connectors.selection import Selection
    from caldav_run.repository.reader import Reader
    from caldav_run.repository.snapshots import ItemInfo, SnapshotInfo


@asks_for_repository
def cat(
    choice: Choice,
    pipeline: PipelineFile = None,
    item: Annotated[
        str | None,
        typer.Argument(metavar="ITEM", help="A UID, or CALENDAR/HREF as show --items lists it."),
    ] = None,
    *,
    snapshot: Annotated[
        str,
        typer.Option(
            "--snapshot",
            metavar="SNAPSHOT",
            help="Out of which snapshot: an id, latest~1, or a time (2026-05-01, '2 weeks ago').",
        ),
    ] = "latest",
) -> int:
    """Print one item with exactly the bytes that the server gave."""
    found = open_repository(choice, pipeline, item)
    (wanted,) = found.words
    if wanted is None:
        raise UsageError("no item is named", mend="give a UID, or CALENDAR/HREF")
    reader = found.reader
    chosen = found.snapshot(snapshot)
    tell_age(reader, chosen)
    info = _find(reader, chosen, wanted)
    if info is None:
        last = _last_held(found, chosen, wanted)
        hint = command("cat", choice, pipeline, wanted, "--snapshot", last) if last else None
        raise UsageError(
            f'the snapshot has no item "{wanted}"',
            mend=f"the last one that has it: {hint}" if hint else "show --items lists all",
        )
    (read,) = reader.bodies([info])
    if isinstance(read, Failed):
        raise DamageError(f"{read.calendar}/{read.href}: {read.reason}")
    if read.stale_since is not None:
        console.tell(f"warning: it could not be read since {when(read.stale_since)}")
    console.raw(read.body)
    return complaints(reader)


def _find(reader: "Reader", snapshot: "SnapshotInfo", wanted: str) -> "ItemInfo | None":
    found = [
        each
        for each in reader.items(snapshot)
        if wanted in {each.uid, f"{each.calendar}/{each.href}"}
    ]
    if len(found) > 1:
        places = ", ".join(f"{each.calendar}/{each.href}" for each in found)
        raise UsageError(f'{len(found)} items have the UID "{wanted}"', mend=f"choose: {places}")
    return found[0] if found else None


def _last_held(found: Opened, snapshot: "SnapshotInfo", wanted: str) -> str | None:
    """Return the beginning of the id of the last snapshot of an account that holds an item."""
    mine = [each for each in by_name(found, wanted) if each.account == snapshot.account]
    return max(mine, key=lambda each: each.last.time).last.id[:12] if mine else None


@asks_for_repository
def export(
    choice: Choice,
    pipeline: PipelineFile = None,
    snapshot: Snapshot = None,
    *,
    to: Annotated[
        Path,
        typer.Option(
            "--to",
            metavar="PATH",
            help="A folder, for one file an item; a file that ends in .zip, for the same in an "
            "archive; or one that ends in .ics, for all in one.",
            readable=False,
        ),
    ],
    calendar: Annotated[
        list[str] | None,
        typer.Option(
            "--calendar",
            metavar="PATTERN",
            help="Only calendars whose name or id matches (repeatable).",
        ),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="SNAPSHOT", help="The same as the argument SNAPSHOT."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over what is there; other files stay.")
    ] = False,
) -> int:
    """Write a snapshot as plain .ics files."""
    found = open_repository(choice, pipeline, snapshot)
    if as_of is not None and found.words[0] is not None:
        raise UsageError("the snapshot is named twice", mend=f"take out --as-of {as_of}")
    chosen = found.snapshot(found.words[0] if as_of is None else as_of)
    tell_age(found.reader, chosen)
    if chosen.problem is not None:
        raise chosen.problem
    selection = selected(found.reader, chosen, calendar)
    path = to.expanduser().absolute()
    if in_repository(path):
        raise UsageError(f"{to} lies in a repository", mend="give a place outside of it")
    write = {".ics": _to_file, ".zip": _to_zip}.get(path.suffix.lower(), _to_folder)
    _refuse_overwriting(path / chosen.account if write is _to_folder else path, force=force)
    status = write(found, chosen, selection, path)
    return worst([status, complaints(found.reader)])


def _refuse_overwriting(path: Path, *, force: bool) -> None:
    """Stop where something is in the way, be it an older export or a person's own file."""
    if path.is_dir():
        if path.suffix.lower() in {".ics", ".zip"}:
            raise UsageError(f"{path} is a folder", mend="give the name of a file")
        taken = any(path.iterdir())
    else:
        taken = path.exists() or path.is_symlink()
    if taken and not force:
        raise UsageError(
            f"{path} exists and is not overwritten", mend="give another place, or --force"
        )


def _to_file(found: Opened, snapshot: "SnapshotInfo", selection: "Selection", path: Path) -> int:
    """Write one merged file, whole or not at all."""
    from caldav_run.ical.merged import merge

    reader = found.reader
    failed: list[Failed] = []
    count = 0

    def bodies() -> Iterator[bytes]:
        nonlocal count
        for info in reader.calendars(snapshot):
            wanted = selection.selects(info.calendar) and not info.excluded
            # Files are no part of a calendar: `cat` gives each of them.
            wanted = wanted and shelf.is_calendar(info.calendar.id)
            for item in reader.bodies(reader.items(snapshot, info.calendar.id) if wanted else ()):
                if isinstance(item, Failed):
                    failed.append(item)
                else:
                    count += 1
                    yield item.body

    with _whole(path) as file:
        file.writelines(merge(bodies()))
    for each in failed:
        console.error(ItemError(f"{each.calendar}/{each.href}: {each.reason}"))
    _tell_written(path, count)
    return ItemError.exit_status if failed else 0


def _tell_written(path: Path, count: int) -> None:
    console.out(f"{path}: {count:,} {'item' if count == 1 else 'items'}")


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """Give a file that takes its name once all is written, and is gone otherwise.

    Raises:
        ConnectorError: The disk refuses.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            part.replace(path)
    except OSError as error:
        kind = AccessError if isinstance(error, PermissionError) else ConnectorError
        raise kind(f"cannot write {path}: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _to_zip(found: Opened, snapshot: "SnapshotInfo", selection: "Selection", path: Path) -> int:
    """Write the layout of a folder into one archive: the same bytes whenever it is done."""
    from caldav_run.cli.zipped import zipped

    with _whole(path) as file, tempfile.TemporaryDirectory(dir=path.parent, prefix=".zip-") as name:
        status = _write_folder(found, snapshot, selection, Path(name), quiet=True)
        count = zipped(Path(name), file, snapshot.time)
        # Damage elsewhere in the repository is told, and takes nothing from this snapshot.
        told = {DamageError.exit_status} if found.reader.problems else set()
        if status not in {0, ItemError.exit_status, *told}:
            raise ConnectorError(f"{path} is not written: the snapshot was not read to its end")
    _tell_written(path, count)
    return status


def _to_folder(
    found: Opened, snapshot: "SnapshotInfo", selection: "Selection", folder: Path
) -> int:
    return _write_folder(found, snapshot, selection, folder)


def _write_folder(
    found: Opened,
    snapshot: "SnapshotInfo",
    selection: "Selection",
    folder: Path,
    *,
    quiet: bool = False,
) -> int:
    """Write the vdir layout, `<folder>/<account>/<calendar>/<name>.ics`."""
    from caldav_run.connectors.protocol import Context
    from caldav_run.connectors.sinks.ics import IcsSink
    from caldav_run.connectors.sources.snapshot import SnapshotSource, Wanted
    from caldav_run.engine.guard import Expectation
    from caldav_run.engine.job import Job, NamedSink, NamedSource
    from caldav_run.repository.storage import Storage

    context = Context(
        name=snapshot.account,
        pipeline="export",
        timezone=UTC,
        now=datetime.now(UTC),
        state_dir=folder,  # a folder of files needs no cache
    )
    wanted = Wanted(
        repository=found.location,
        storage=found.storage or Storage(),
        account=snapshot.account,
        as_of=snapshot.id,
        now=context.now,
        means=found.means,
    )
    # What lies in the folder already is an older export: the snapshot's bytes were asked for.
    target = {"path": str(folder), "on_conflict": "identical"}
    source = SnapshotSource(wanted, snapshot.account, selection)
    job = Job(
        name="export",
        sources=(NamedSource(snapshot.account, source),),
        filters=(),
        sinks=(NamedSink(str(folder), IcsSink.from_options(target, context)),),
        expect=Expectation(),
        timezone=context.timezone,
        now=context.now,
    )
    return run_one(job, quiet=quiet).status
