"""The verb `diff`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from typing import TYPE_CHECKING, Annotated

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
    complaints,
    opened,
    when,
)

if TYPE_CHECKING:
    from caldav_run.repository.difference import CalendarDifference, Difference, ItemDifference
    from caldav_run.repository.reader import Reader
    from caldav_run.repository.snapshots import SnapshotInfo

# So many items' old and new bytes are in memory at a time.
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One difference, in words.

    Attributes:
        calendar: The calendar's title.
        sign: `+`, `~` or `-`.
        label: What it concerns; empty for the calendar itself.
        changes: What changed, a phrase each.
        patch: What changed, property by property.
    """

    calendar: str
    sign: str
    label: str
    changes: Sequence[str] = ()
    patch: Sequence[str] = ()


@app.command()
def diff(  # noqa: PLR0913 -- one parameter an option
    arguments: Arguments = None,
    *,
    repository: Repository = None,
    sink: SinkName = None,
    source: SourceName = None,
    account: Account = None,
    identity: Identity = None,
    trust: Trust = None,
    patch: Annotated[bool, typer.Option("--patch", help="Show changed properties.")] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Tell what changed between two snapshots: diff PIPELINE [OLD [NEW]].

    By default the latest is compared with the one before it.
    """
    found = opened(arguments, repository, sink, source, account, identity, trust)
    first, second = found.words("OLD", "NEW")
    reader = found.reader
    old = reader.resolve(first or "latest~1", found.account)
    new = reader.resolve(second or "latest", found.account)
    lines = _lines(reader, old, new)
    if output is Output.JSON:
        changes = [{each.name: getattr(line, each.name) for each in fields(line)} for line in lines]
        console.document({"old": old.id, "new": new.id, "changes": changes})
        return complaints(reader)
    console.tell(f"{old.account}: from {when(old.time)} to {when(new.time)}")
    found_any = False
    for line in lines:
        found_any = True
        console.out(_text(line))
        for each in line.patch if patch else ():
            console.out(f"      {each}")
    if not found_any:
        console.tell("nothing changed")
    return complaints(reader)


def _lines(reader: "Reader", old: "SnapshotInfo", new: "SnapshotInfo") -> Iterator[Line]:
    titles = {each.calendar.id: each.calendar.title for each in reader.calendars(old)}
    titles |= {each.calendar.id: each.calendar.title for each in reader.calendars(new)}
    rest = reader.diff(old, new)
    while batch := list(islice(rest, _AT_ONCE)):
        yield from _worded(reader, batch, titles)


def _worded(
    reader: "Reader", batch: Sequence["Difference"], titles: dict[str, str]
) -> Iterator[Line]:
    from caldav_run.repository.difference import ItemDifference

    bodies = _bodies(reader, [each for each in batch if isinstance(each, ItemDifference)])
    for each in batch:
        if isinstance(each, ItemDifference):
            yield _item(each, bodies, titles)
        else:
            yield _calendar(each)


def _bodies(reader: "Reader", batch: Sequence["ItemDifference"]) -> dict[str, bytes]:
    """Return the bytes that a batch speaks of, by their hash; what cannot be read is missing."""
    from caldav_run.model import Item

    wanted = [info for each in batch for info in (each.old, each.new) if info and info.sha256]
    return {item.sha256: item.body for item in reader.bodies(wanted) if isinstance(item, Item)}


def _item(each: "ItemDifference", bodies: dict[str, bytes], titles: dict[str, str]) -> Line:
    from caldav_run.ical.describe import describe, label, properties_diff

    info = each.new or each.old
    if info is None:
        message = "a difference has at least one side"
        raise ValueError(message)
    before = bodies.get((each.old and each.old.sha256) or "")
    after = bodies.get((each.new and each.new.sha256) or "")
    body = after if after is not None else before
    name = (label(body) if body is not None else "") or info.href
    title = titles.get(info.calendar, info.calendar)
    if before is None or after is None:
        return Line(title, each.kind, name)
    return Line(title, each.kind, name, describe(before, after), properties_diff(before, after))


def _calendar(each: "CalendarDifference") -> Line:
    known = each.new or each.old
    title = known.calendar.title if known else ""
    if each.old is None or each.new is None:
        return Line(title, each.kind, "")
    old, new = each.old, each.new
    changes = [
        f"{field.name.replace('_', ' ')} changed from {was!r} to {now!r}"
        for field in fields(old.calendar)
        if field.name != "token"
        and (was := getattr(old.calendar, field.name)) != (now := getattr(new.calendar, field.name))
    ]
    if old.excluded != new.excluded:
        changes.append("no longer selected" if new.excluded else "selected again")
    return Line(title, each.kind, "", changes)


def _text(line: Line) -> str:
    what = f"{line.calendar}: {line.label}" if line.label else f"calendar {line.calendar}"
    return f"{line.sign} {what}" + (f": {', '.join(line.changes)}" if line.changes else "")
