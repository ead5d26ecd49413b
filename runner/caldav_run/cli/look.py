"""The verbs `snapshots` and `show`."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caldav_run.cli import console
from caldav_run.cli.options import Output, OutputOption
from caldav_run.cli.repositories import (
    Choice,
    PipelineFile,
    asks_for_repository,
    complaints,
    open_repository,
)
from caldav_run.cli.times import tell_age, tell_read, when

if TYPE_CHECKING:
    from caldav_run.repository.reader import Reader
    from caldav_run.repository.snapshots import CalendarInfo, ItemInfo, SnapshotInfo

Snapshot = Annotated[
    str | None,
    typer.Argument(
        metavar="SNAPSHOT",
        help="An id or its first digits, latest~1, or a time: the newest not after it "
        "(2026-05-01, the end of that day; yesterday; '2 weeks ago').",
        show_default="latest",
    ),
]


@asks_for_repository
def snapshots(
    choice: Choice,
    pipeline: PipelineFile = None,
    *,
    output: OutputOption = Output.TEXT,
) -> int:
    """List the snapshots of a repository, oldest first."""
    reader = open_repository(choice, pipeline).reader
    listed = reader.snapshots(choice.account)
    if output is Output.JSON:
        console.document([_snapshot_json(each) for each in listed])
        return complaints(reader)
    heads = ("SNAPSHOT", "TIME (UTC)", "ACCOUNT", "CALENDARS", "ITEMS", "")
    console.table([heads, *(_row(each) for each in listed)])
    tell_read(reader, sorted({each.account for each in listed}))
    return complaints(reader)


@asks_for_repository
def show(
    choice: Choice,
    pipeline: PipelineFile = None,
    snapshot: Snapshot = None,
    *,
    items: Annotated[bool, typer.Option("--items", help="List the items too.")] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Show the calendars, and with --items the items, of a snapshot."""
    found = open_repository(choice, pipeline, snapshot)
    reader = found.reader
    chosen = found.snapshot(found.words[0] or "latest")
    tell_age(reader, chosen)
    held = [
        (each, list(reader.items(chosen, each.calendar.id))) for each in reader.calendars(chosen)
    ]
    if output is Output.JSON:
        contents = [_calendar_json(each, mine, items=items) for each, mine in held]
        console.document(_snapshot_json(chosen) | {"contents": contents})
        return complaints(reader)
    heads = ("CALENDAR", "NAME", "ITEMS", "")
    console.table([heads, *(_calendar_row(each, len(mine)) for each, mine in held)])
    for _, mine in held if items else ():
        _print_items(reader, mine)
    return complaints(reader)


def _print_items(reader: "Reader", held: Sequence["ItemInfo"]) -> None:
    """Print a calendar's items as `cat` takes them, with what they are called."""
    if held:
        console.out("")
        # They come pack by pack.
        console.table(sorted(_item_rows(reader, held)))


def _item_rows(reader: "Reader", held: Sequence["ItemInfo"]) -> Iterator[tuple[str, str]]:
    from caldav_run.ical.describe import label
    from caldav_run.model import Failed

    for item in reader.bodies(held):
        place = f"{item.calendar}/{item.href}"
        if isinstance(item, Failed):
            yield place, f"not readable: {item.reason}"
            continue
        stale = f" (last read {when(item.stale_since)})" if item.stale_since else ""
        yield place, label(item.body) + stale


def _row(info: "SnapshotInfo") -> tuple[str, ...]:
    counts = info.counts
    remarks = []
    if counts and counts.stale + counts.missing:
        remarks.append(f"{counts.stale + counts.missing} not readable")
    if counts and counts.excluded:
        remarks.append(f"{counts.excluded} left out")
    if info.guarded:
        remarks.append("guarded")
    if info.expired is not None:
        remarks.append("expired: caldav-run expire deletes it")
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


def _calendar_row(info: "CalendarInfo", items: int) -> tuple[str, ...]:
    remark = ""
    if info.excluded:
        remark = "not selected"
    elif info.unread:
        since = f", last read {when(info.stale_since)}" if info.stale_since else ""
        remark = f"not readable: {info.reason}{since}"
    return info.calendar.id, info.calendar.title, str(items), remark


def _snapshot_json(info: "SnapshotInfo") -> dict[str, Any]:
    return {
        "id": info.id,
        "account": info.account,
        "time": info.time.isoformat(),
        "generation": info.generation,
        "number": info.number,
        "counts": info.counts._asdict() if info.counts else None,
        "guarded": info.guarded,
        "expired": info.expired.isoformat() if info.expired else None,
        "problem": str(info.problem) if info.problem else None,
    }


def _calendar_json(info: "CalendarInfo", held: list["ItemInfo"], *, items: bool) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": info.calendar.id,
        "display_name": info.calendar.display_name,
        "excluded": info.excluded,
        "unread": info.unread,
        "reason": info.reason,
        "stale_since": info.stale_since.isoformat() if info.stale_since else None,
        "count": len(held),
    }
    if items:
        described["items"] = [_item_json(each) for each in held]
    return described


def _item_json(info: "ItemInfo") -> dict[str, Any]:
    return {
        "href": info.href,
        "uid": info.uid,
        "etag": info.etag,
        "sha256": info.sha256,
        "size": info.size,
        "stale_since": info.stale_since.isoformat() if info.stale_since else None,
        "reason": info.reason,
    }
