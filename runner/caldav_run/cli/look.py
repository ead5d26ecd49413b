"""The verbs `snapshots` and `show`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from caldav_run import shelf
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
from caldav_run.errors import ItemError, UsageError

if TYPE_CHECKING:
    from caldav_run.connectors.selection import Selection
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

_WORDS: Final = {
    "VEVENT": ("event", "events"),
    "VTODO": ("task", "tasks"),
    "VJOURNAL": ("journal entry", "journal entries"),
    "file": ("file", "files"),
}


@asks_for_repository
def snapshots(
    choice: Choice,
    pipeline: PipelineFile = None,
    *,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, help="Only the newest N.", show_default="all"),
    ] = None,
    output: OutputOption = Output.TEXT,
) -> int:
    """List the snapshots of a repository, oldest first."""
    reader = open_repository(choice, pipeline).reader
    known = reader.snapshots(choice.account)
    names = sorted({each.account for each in known})
    listed = known[-limit:] if limit else known
    if output is Output.JSON:
        read = {name: _time_json(reader.last_read(name)) for name in names}
        console.document([{**_snapshot_json(e), "last_read": read[e.account]} for e in listed])
    else:
        heads = ("SNAPSHOT", "TIME (UTC)", "ACCOUNT", "CALENDARS", "ITEMS", "")
        console.table([heads, *(_row(each) for each in listed)])
    tell_read(reader, names)
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
    chosen = found.snapshot(found.words[0])
    tell_age(reader, chosen)
    held = [
        (each, list(reader.items(chosen, each.calendar.id))) for each in reader.calendars(chosen)
    ]
    read = {each.calendar.id: _looked_into(reader, mine) for each, mine in held if items}
    if output is Output.JSON:
        contents = [_calendar_json(each, mine, read) for each, mine in held]
        console.document(_snapshot_json(chosen) | {"contents": contents})
        return complaints(reader)
    heads = ("CALENDAR", "NAME", "ITEMS", "")
    console.table([heads, *(_calendar_row(each, len(mine)) for each, mine in held)])
    for each, mine in held if items else ():
        _print_items(each, mine, read[each.calendar.id])
    return complaints(reader)


def selected(
    reader: "Reader", snapshot: "SnapshotInfo", patterns: Sequence[str] | None
) -> "Selection":
    """Return which calendars of a snapshot patterns mean; None means all.

    Raises:
        UsageError: They mean none of them, as a misspelt one does.
    """
    from caldav_run.connectors.selection import Selection

    selection = Selection.from_option(patterns)
    known = [each.calendar for each in reader.calendars(snapshot) if not each.excluded]
    if patterns and not any(map(selection.selects, known)):
        raise UsageError(
            f"no calendar of the snapshot is called {' or '.join(patterns)}",
            mend=f"it has: {', '.join(sorted(each.title for each in known)) or 'none'}",
        )
    return selection


class _Read(NamedTuple):
    """What the bytes of an item say.

    Attributes:
        label: What to call it, or why it cannot be read.
        components: The names of its components; empty when it cannot be read.
    """

    label: str
    components: tuple[str, ...]


def _looked_into(reader: "Reader", held: Sequence["ItemInfo"]) -> dict[str, _Read]:
    """Return what a calendar's items say, by href."""
    from caldav_run.ical.describe import label
    from caldav_run.ical.scan import scan
    from caldav_run.model import Failed

    stored = {each.href for each in held if each.object}
    read: dict[str, _Read] = {}
    for item in reader.bodies(held):
        if isinstance(item, Failed):
            read[item.href or ""] = _Read(f"not readable: {item.reason}", ())
            if item.href in stored:
                reader.report(ItemError(f"{item.calendar}/{item.href}: {item.reason}"))
        elif item.calendar == shelf.ID:
            read[item.href] = _Read(f"{len(item.body):,} bytes", ("file",))
        else:
            read[item.href] = _Read(label(item.body), scan(item.body).components)
    return read


def _print_items(
    info: "CalendarInfo", held: Sequence["ItemInfo"], read: Mapping[str, _Read]
) -> None:
    """Print a calendar's items as `cat` takes them, with what they are called."""
    if not held:
        return
    kinds = Counter(name for each in read.values() for name in each.components)
    words = [_counted(kinds[name], *_WORDS.get(name, (name, name))) for name in sorted(kinds)]
    console.out("")
    console.out(f"{info.calendar.title}: {', '.join(words) or 'nothing that can be read'}")
    rows = []
    for each in held:
        stale = each.sha256 and each.stale_since
        since = f" (last read {when(each.stale_since)})" if stale and each.stale_since else ""
        rows.append((f"{each.calendar}/{each.href}", read[each.href].label + since))
    console.table(rows)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


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
    elif info.calendar.sharing:
        remark = f"shared: {info.calendar.sharing}"
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


def _calendar_json(
    info: "CalendarInfo", held: Sequence["ItemInfo"], read: Mapping[str, Mapping[str, _Read]]
) -> dict[str, Any]:
    """Return a calendar, and where they were read its items, as JSON shows it."""
    described: dict[str, Any] = {
        **asdict(info.calendar),
        "excluded": info.excluded,
        "unread": info.unread,
        "reason": info.reason,
        "stale_since": _time_json(info.stale_since),
        "count": len(held),
    }
    mine = read.get(info.calendar.id)
    if mine is not None:
        described["counts"] = Counter(name for each in mine.values() for name in each.components)
        described["items"] = [_item_json(each, mine[each.href]) for each in held]
    return described


def _item_json(info: "ItemInfo", read: _Read) -> dict[str, Any]:
    return {
        "href": info.href,
        "uid": info.uid,
        "label": read.label,
        "components": read.components,
        "etag": info.etag,
        "sha256": info.sha256,
        "size": info.size,
        "provenance": info.provenance,
        "object": info.object,
        "member": info.member,
        "stale_since": _time_json(info.stale_since),
        "reason": info.reason,
    }


def _time_json(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
