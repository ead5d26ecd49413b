"""The verbs that take bytes out of a repository: `cat` and `export`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caldav_run.cli import console
from caldav_run.cli.app import app
from caldav_run.cli.options import Identity, Output, Trust, state_folder
from caldav_run.cli.repositories import (
    Account,
    Arguments,
    Opened,
    Repository,
    SinkName,
    SourceName,
    age,
    complaints,
    opened,
)
from caldav_run.cli.run import run_one
from caldav_run.connectors.protocol import Context
from caldav_run.connectors.selection import Selection
from caldav_run.engine.outcome import worst
from caldav_run.errors import ConnectorError, DamageError, ItemError, UsageError
from caldav_run.model import Failed

if TYPE_CHECKING:
    from caldav_run.repository.reader import Reader
    from caldav_run.repository.snapshots import ItemInfo, SnapshotInfo

Snapshot = Annotated[
    str, typer.Option("--snapshot", metavar="SNAPSHOT", help="An id, latest~1, or a time.")
]


@app.command()
def cat(  # noqa: PLR0913 -- one parameter an option
    arguments: Arguments = None,
    *,
    repository: Repository = None,
    sink: SinkName = None,
    source: SourceName = None,
    account: Account = None,
    snapshot: Snapshot = "latest",
    identity: Identity = None,
    trust: Trust = None,
) -> int:
    """Print one item's exact bytes: cat PIPELINE ITEM, where ITEM is a UID or CALENDAR/HREF."""
    found = opened(arguments, repository, sink, source, account, identity, trust)
    (wanted,) = found.words("ITEM", needed=1)
    reader = found.reader
    chosen = reader.resolve(snapshot, found.account)
    age(reader, chosen)
    (item,) = reader.bodies([_find(reader, chosen, wanted)])
    if isinstance(item, Failed):
        raise DamageError(f"{item.calendar}/{item.href}: {item.reason}")
    console.raw(item.body)
    return complaints(reader)


def _find(reader: "Reader", snapshot: "SnapshotInfo", wanted: str) -> "ItemInfo":
    found = [
        each
        for each in reader.items(snapshot)
        if wanted in {each.uid, f"{each.calendar}/{each.href}"}
    ]
    if not found:
        raise UsageError(
            f'the snapshot has no item "{wanted}"',
            mend="show PIPELINE --items --output json lists UIDs and hrefs",
        )
    if len(found) > 1:
        places = ", ".join(f"{each.calendar}/{each.href}" for each in found)
        raise UsageError(f'{len(found)} items have the UID "{wanted}"', mend=f"choose: {places}")
    return found[0]


@app.command()
def export(  # noqa: PLR0913 -- one parameter an option
    arguments: Arguments = None,
    *,
    to: Annotated[Path, typer.Option("--to", help="A folder, or a file that ends in .ics.")],
    repository: Repository = None,
    sink: SinkName = None,
    source: SourceName = None,
    account: Account = None,
    calendar: Annotated[
        list[str] | None, typer.Option("--calendar", help="Only these calendars (patterns).")
    ] = None,
    identity: Identity = None,
    trust: Trust = None,
) -> int:
    """Write a snapshot to a folder, or to one .ics file: export PIPELINE [SNAPSHOT] --to PATH."""
    found = opened(arguments, repository, sink, source, account, identity, trust)
    (ref,) = found.words("SNAPSHOT")
    chosen = found.reader.resolve(ref or "latest", found.account)
    age(found.reader, chosen)
    if to.suffix == ".ics":
        status = _to_file(found.reader, chosen, Selection.from_option(calendar), to)
    else:
        status = _to_folder(found, chosen, calendar, to)
    return worst([status, complaints(found.reader)])


def _to_file(reader: "Reader", snapshot: "SnapshotInfo", selection: Selection, path: Path) -> int:
    """Write one merged file, whole or not at all."""
    from caldav_run.ical.merged import merge

    failed: list[Failed] = []
    count = 0

    def bodies() -> Iterator[bytes]:
        nonlocal count
        for info in reader.calendars(snapshot):
            wanted = selection.selects(info.calendar) and not info.excluded
            for item in reader.bodies(reader.items(snapshot, info.calendar.id) if wanted else ()):
                if isinstance(item, Failed):
                    failed.append(item)
                else:
                    count += 1
                    yield item.body

    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.writelines(merge(bodies()))
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ConnectorError(f"cannot write {path}: {error.strerror}") from error
    console.tell(f"{path}: {count} items")
    for each in failed:
        console.error(ItemError(f"{each.calendar}/{each.href}: {each.reason}"))
    return ItemError.exit_status if failed else 0


def _to_folder(
    found: Opened, snapshot: "SnapshotInfo", calendars: list[str] | None, folder: Path
) -> int:
    """Write the vdir layout, `<folder>/<account>/<calendar>/<name>.ics`."""
    from caldav_run.connectors.sinks.ics import IcsSink
    from caldav_run.connectors.sources.snapshot import SnapshotSource
    from caldav_run.engine.guard import Expectation
    from caldav_run.engine.job import Job, NamedSink, NamedSource

    context = Context(
        name=snapshot.account,
        pipeline="export",
        timezone=UTC,
        now=datetime.now(UTC),
        state_dir=state_folder(None),
        identities=found.identities,
        trust=found.trust,
    )
    wanted = {
        "repository": str(found.place.path),
        "account": snapshot.account,
        "as_of": snapshot.id,
        **({"calendars": calendars} if calendars else {}),
    }
    # What lies in the folder already is an older export: the snapshot is what was asked for.
    target = {"path": str(folder.absolute()), "on_conflict": "keep_source"}
    source = SnapshotSource.from_options(wanted, context)
    job = Job(
        name="export",
        sources=(NamedSource(snapshot.account, source),),
        filters=(),
        sinks=(NamedSink(str(folder), IcsSink.from_options(target, context)),),
        expect=Expectation(),
        timezone=context.timezone,
        now=context.now,
    )
    return run_one(job, Output.TEXT, quiet=False).status
