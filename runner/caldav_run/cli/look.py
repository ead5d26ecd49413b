"""The verbs `snapshots` and `show`."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caldav_run.cli import console
from caldav_run.cli.app import app
from caldav_run.cli.options import Identity, Output, OutputOption, Trust
from caldav_run.cli.repositories import (
    Account,
    Arguments,
    Repository,
    SinkName,
    SourceName,
    age,
    complaints,
    opened,
    when,
)

if TYPE_CHECKING:
    from caldav_run.repository.reader import Reader
    from caldav_run.repository.snapshots import CalendarInfo, ItemInfo, SnapshotInfo


@app.command()
def snapshots(  # noqa: PLR0913 -- one parameter an option
    arguments: Arguments = None,
    *,
    repository: Repository = None,
    sink: SinkName = None,
    source: SourceName = None,
    account: Account = None,
    identity: Identity = None,
    trust: Trust = None,
    output: OutputOption = Output.TEXT,
) -> int:
    """List the snapshots of a repository, oldest first."""
    found = opened(arguments, repository, sink, source, account, identity, trust)
    found.words()
    listed = found.reader.snapshots(account)
    if output is Output.JSON:
        console.document([_snapshot_json(each) for each in listed])
        return complaints(found.reader)
    heads = ("SNAPSHOT", "TIME (UTC)", "ACCOUNT", "CALENDARS", "ITEMS", "")
    console.table([heads, *(_row(each) for each in listed)])
    for name in sorted({each.account for each in listed}):
        read = found.reader.last_read(name)
        console.tell(f"{name}: last read {when(read)}" if read else f"{name}: never read whole")
    return complaints(found.reader)


@app.command()
def show(  # noqa: PLR0913 -- one parameter an option
    arguments: Arguments = None,
    *,
    repository: Repository = None,
    sink: SinkName = None,
    source: SourceName = None,
    account: Account = None,
    identity: Identity = None,
    trust: Trust = None,
    items: Annotated[bool, typer.Option("--items", help="List the items too.")] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Show what a snapshot holds: show PIPELINE [SNAPSHOT], by default the latest."""
    found = opened(arguments, repository, sink, source, account, identity, trust)
    (ref,) = found.words("SNAPSHOT")
    reader = found.reader
    snapshot = reader.resolve(ref or "latest", found.account)
    age(reader, snapshot)
    held = [
        (each, list(reader.items(snapshot, each.calendar.id)))
        for each in reader.calendars(snapshot)
    ]
    if output is Output.JSON:
        contents = [_calendar_json(each, mine, items=items) for each, mine in held]
        console.document(_snapshot_json(snapshot) | {"contents": contents})
        return complaints(reader)
    rows = [("CALENDAR", "NAME", "ITEMS", "")]
    for each, mine in held:
        rows.append((each.calendar.id, each.calendar.title, str(len(mine)), _remark(each)))
        rows += [("", f"  {label}", "", "") for label in labels(reader, mine if items else ())]
    console.table(rows)
    return complaints(reader)


def labels(reader: "Reader", wanted: Iterable["ItemInfo"]) -> Iterator[str]:
    """Yield what to call each item, with the age of one that could not be read since."""
    from caldav_run.ical.describe import label
    from caldav_run.model import Failed

    for item in reader.bodies(wanted):
        if isinstance(item, Failed):
            yield f"{item.href}: {item.reason}"
            continue
        stale = f" (last read {when(item.stale_since)})" if item.stale_since else ""
        yield (label(item.body) or item.href) + stale


def _row(info: "SnapshotInfo") -> tuple[str, ...]:
    counts = info.counts
    remarks = []
    if counts and counts.stale + counts.missing:
        remarks.append(f"{counts.stale + counts.missing} not readable")
    if counts and counts.excluded:
        remarks.append(f"{counts.excluded} left out")
    if info.guarded:
        remarks.append("guarded")
    if info.problem is not None:
        remarks.append(f"incomplete: {info.problem}")
    return (
        info.id[:12],
        f"{info.time:%Y-%m-%d %H:%M:%S}",
        info.account,
        str(counts.calendars) if counts else "?",
        str(counts.items) if counts else "?",
        ", ".join(remarks),
    )


def _remark(info: "CalendarInfo") -> str:
    if info.excluded:
        return "not selected"
    if not info.unread:
        return ""
    since = f", last read {when(info.stale_since)}" if info.stale_since else ""
    return f"not readable: {info.reason}{since}"


def _snapshot_json(info: "SnapshotInfo") -> dict[str, Any]:
    return {
        "id": info.id,
        "account": info.account,
        "time": info.time.isoformat(),
        "generation": info.generation,
        "number": info.number,
        "counts": info.counts._asdict() if info.counts else None,
        "guarded": info.guarded,
        "problem": str(info.problem) if info.problem else None,
    }


def _calendar_json(info: "CalendarInfo", held: list["ItemInfo"], *, items: bool) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": info.calendar.id,
        "display_name": info.calendar.display_name,
        "excluded": info.excluded,
        "unread": info.unread,
        "count": len(held),
    }
    if items:
        described["items"] = [
            {
                "href": each.href,
                "uid": each.uid,
                "etag": each.etag,
                "sha256": each.sha256,
                "size": each.size,
                "stale_since": each.stale_since,
            }
            for each in held
        ]
    return described
