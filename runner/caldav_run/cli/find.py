"""The verb `find`."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caldav_run.cli import console
from caldav_run.cli.options import Output, OutputOption
from caldav_run.cli.repositories import (
    Choice,
    Opened,
    PipelineFile,
    asks_for_repository,
    complaints,
    open_repository,
)
from caldav_run.cli.seek import Match, by_text, command, spelled
from caldav_run.cli.times import beginning, tell_read, when
from caldav_run.errors import UsageError

if TYPE_CHECKING:
    from caldav_run.repository.snapshots import SnapshotInfo


@asks_for_repository
def find(
    choice: Choice,
    pipeline: PipelineFile = None,
    text: Annotated[
        str | None,
        typer.Argument(metavar="TEXT", help="What an event says, in any case.", show_default=False),
    ] = None,
    *,
    calendar: Annotated[
        list[str] | None,
        typer.Option(
            "--calendar",
            metavar="PATTERN",
            help="Only in calendars whose name or id matches (repeatable).",
        ),
    ] = None,
    deleted: Annotated[bool, typer.Option("--deleted", help="Only what is gone now.")] = False,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="Only what was still there at that time, or later."
        ),
    ] = None,
    output: OutputOption = Output.TEXT,
) -> int:
    """Find events in all snapshots, the deleted ones too."""
    found = open_repository(choice, pipeline, text)
    (wanted,) = found.words
    if not (wanted or "").strip():
        raise UsageError("no text is named", mend="give a word that the event says")
    still = None if since is None else beginning(since, found.timezone)
    matches = [
        each
        for each in by_text(found, wanted or "")
        if _selected(each, calendar) and _lasted(each, still) and (each.track.gone or not deleted)
    ]
    tell_read(found.reader, found.accounts)
    if output is Output.JSON:
        console.document([match_json(each) for each in matches])
    else:
        print_matches(found, matches, choice, pipeline)
    return complaints(found.reader)


def print_matches(
    found: Opened, matches: list[Match], choice: Choice, pipeline: str | None
) -> None:
    """Print what was found, a paragraph each, with the command that gets it back."""
    several = len(found.accounts) > 1
    for match in matches:
        where = f"{match.track.account}, {match.calendar}" if several else match.calendar
        console.out(f"{match.outline.label or match.item.href}")
        console.out(f"  in {where}, UID {match.track.uid or 'none'}")
        console.out(f"  {_span(match)}")
        if not match.current:
            console.out(f"  says so in {_named(match.stop.snapshot)}, and not any more")
        words = (spelled(match.item), "--snapshot", match.holder.id[:12])
        console.out(f"  {command('cat', choice, pipeline, *words)}")
    if not matches:
        console.tell("nothing found")


def match_json(match: Match) -> dict[str, Any]:
    """Return what was found as JSON shows it."""
    track, gone = match.track, match.track.gone
    return {
        "account": track.account,
        "calendar": match.item.calendar,
        "calendar_name": match.calendar,
        "href": match.item.href,
        "uid": track.uid,
        "summary": match.outline.summary,
        "start": match.outline.start,
        "sha256": match.item.sha256,
        "first": _snapshot_json(track.stops[0].snapshot),
        "last": _snapshot_json(track.last),
        "snapshot": match.holder.id,
        "current": match.current,
        "gone": None
        if gone is None
        else {**_snapshot_json(gone.snapshot), "why": str(gone.absence)},
    }


def _snapshot_json(info: "SnapshotInfo") -> dict[str, str]:
    return {"id": info.id, "time": info.time.isoformat()}


def _span(match: Match) -> str:
    track = match.track
    first, last = _named(track.stops[0].snapshot), _named(track.last)
    if track.gone is None:
        return f"first in {first}, still there"
    since = f"{track.gone.absence} since {when(track.gone.snapshot.time)}"
    return f"first in {first}, last in {last}, {since}"


def _named(info: "SnapshotInfo") -> str:
    return f"{info.id[:12]} ({info.time:%Y-%m-%d})"


def _selected(match: Match, patterns: list[str] | None) -> bool:
    """Return whether the event ever was in a calendar that is meant."""
    from caldav_run.connectors.selection import Selection
    from caldav_run.model import Calendar

    selection = Selection.from_option(patterns)
    held = {pair for stop in match.track.stops for pair in stop.titles.items()}
    return any(selection.selects(Calendar(id=each, display_name=title)) for each, title in held)


def _lasted(match: Match, since: datetime | None) -> bool:
    gone = match.track.gone
    return since is None or gone is None or gone.snapshot.time >= since
