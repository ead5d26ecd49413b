"""The verb `diff`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Final

import typer

from caldav_run.cli import console
from caldav_run.cli.bodies import UNREADABLE, readable
from caldav_run.cli.options import Output, OutputOption
from caldav_run.cli.repositories import (
    Choice,
    Opened,
    PipelineFile,
    asks_for_repository,
    complaints,
    open_repository,
)
from caldav_run.cli.times import tell_age, tell_read, when
from caldav_run.errors import UsageError

if TYPE_CHECKING:
    from caldav_run.model import Calendar
    from caldav_run.repository.difference import CalendarDifference, Difference, ItemDifference
    from caldav_run.repository.reader import Reader
    from caldav_run.repository.snapshots import SnapshotInfo

# So many items' old and new bytes are in memory at a time.
_AT_ONCE: Final = 500
# A whole VTIMEZONE says nothing on one line.
_LONG: Final = frozenset({"timezone", "availability"})


@dataclass(frozen=True, slots=True)
class Line:
    """One difference, in words.

    Attributes:
        calendar: The calendar's id.
        calendar_name: Its title.
        href: The item; None for the calendar itself.
        uid: The item's UID.
        sign: `+`, `~` or `-`.
        label: What it concerns; empty for the calendar itself.
        changes: What changed, a phrase each.
        patch: What changed, property by property.
    """

    calendar: str
    calendar_name: str
    href: str | None
    uid: str | None
    sign: str
    label: str
    changes: Sequence[str] = ()
    patch: Sequence[str] = ()


@asks_for_repository
def diff(
    choice: Choice,
    pipeline: PipelineFile = None,
    old: Annotated[
        str | None,
        typer.Argument(
            metavar="OLD",
            help="An id or its first digits, latest~1, or a time: the newest not after it "
            "(2026-05-01, the end of that day; yesterday; '2 weeks ago').",
            show_default="latest~1",
        ),
    ] = None,
    new: Annotated[
        str | None, typer.Argument(metavar="NEW", help="The same.", show_default="latest")
    ] = None,
    *,
    patch: Annotated[
        bool, typer.Option("--patch", help="Show each changed property, before and after.")
    ] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Tell in words what changed between two snapshots."""
    found = open_repository(choice, pipeline, old, new)
    reader = found.reader
    before, after = _sides(found)
    lines = _lines(reader, before, after)
    if output is Output.JSON:
        changes = [{each.name: getattr(line, each.name) for each in fields(line)} for line in lines]
        console.document({"old": before.id, "new": after.id, "changes": changes})
        tell_age(reader, after)
        return complaints(reader)
    console.tell(f"{before.account}: from {when(before.time)} to {when(after.time)}")
    tell_read(reader, [after.account])
    if not _print(lines, patch=patch):
        console.tell("nothing changed")
    return complaints(reader)


def _sides(found: Opened) -> tuple["SnapshotInfo", "SnapshotInfo"]:
    """Return the two snapshots that are compared.

    Raises:
        UsageError: One of them does not exist, or they are of two accounts.
    """
    old, new = found.words
    after = found.snapshot(new)
    mine = [each for each in found.reader.snapshots() if each.account == after.account]
    if old is None and len(mine) == 1:
        raise UsageError(
            f"{after.account} has one snapshot only, and nothing to compare it with",
            mend="the next run that finds a change makes another one",
        )
    before = found.snapshot("latest~1" if old is None else old)
    if before.account != after.account:
        raise UsageError(f"the snapshots are of two accounts: {before.account} and {after.account}")
    return before, after


def _print(lines: Iterator[Line], *, patch: bool) -> bool:
    """Print differences, and return whether there was one."""
    found = False
    for line in lines:
        found = True
        what = (
            f"{line.calendar_name}: {line.label}"
            if line.label
            else f"calendar {line.calendar_name}"
        )
        changes = f": {', '.join(line.changes)}" if line.changes else ""
        console.out(" ".join(f"{line.sign} {what}{changes}".split()))
        for each in line.patch if patch else ():
            console.out(f"      {each}")
    return found


def _lines(reader: "Reader", old: "SnapshotInfo", new: "SnapshotInfo") -> Iterator[Line]:
    rest = reader.diff(old, new)
    while batch := list(islice(rest, _AT_ONCE)):
        yield from _worded(reader, batch)


def _worded(reader: "Reader", batch: Sequence["Difference"]) -> Iterator[Line]:
    from caldav_run.repository.difference import ItemDifference

    items = [each for each in batch if isinstance(each, ItemDifference)]
    bodies = readable(reader, (info for each in items for info in (each.old, each.new) if info))
    for each in batch:
        if isinstance(each, ItemDifference):
            yield _item(each, bodies)
        else:
            yield _calendar(each)


def _item(each: "ItemDifference", bodies: Mapping[str, bytes]) -> Line:
    from caldav_run.ical.describe import describe, label, properties_diff

    sides = [info for info in (each.new, each.old) if info is not None]
    before = bodies.get((each.old and each.old.sha256) or "")
    after = bodies.get((each.new and each.new.sha256) or "")
    newest = after if after is not None else before
    name = (label(newest) if newest is not None else "") or sides[0].href
    calendar = each.calendar.calendar
    place = calendar.id, calendar.title, sides[0].href, sides[0].uid
    if len(sides) == 1:
        return Line(*place, each.kind, name)
    if before is None or after is None:
        return Line(*place, each.kind, name, [UNREADABLE])
    return Line(*place, each.kind, name, describe(before, after), properties_diff(before, after))


def _calendar(each: "CalendarDifference") -> Line:
    sides = [info for info in (each.new, each.old) if info is not None]
    place = sides[0].calendar.id, sides[0].calendar.title, None, None
    if len(sides) == 1:
        return Line(*place, each.kind, "")
    new, old = sides
    changes = list(_properties(old.calendar, new.calendar))
    if old.excluded != new.excluded:
        changes.append("no longer selected" if new.excluded else "selected again")
    return Line(*place, each.kind, "", changes)


def _properties(old: "Calendar", new: "Calendar") -> Iterator[str]:
    for field in fields(old):
        was, now = getattr(old, field.name), getattr(new, field.name)
        if was == now or field.name == "token":
            continue
        name = field.name.replace("_", " ")
        if field.name in _LONG:
            yield f"{name} changed"
        else:
            yield f"{name} changed from {_value(was)} to {_value(now)}"


def _value(value: object) -> str:
    """Return a calendar property's value as a person writes it."""
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f'"{value}"' if isinstance(value, str) else str(value)
