"""The verb `history`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caldav_run.cli import console
from caldav_run.cli.bodies import UNREADABLE, readable
from caldav_run.cli.find import match_json, print_matches
from caldav_run.cli.options import Output, OutputOption
from caldav_run.cli.repositories import (
    Choice,
    Opened,
    PipelineFile,
    asks_for_repository,
    complaints,
    open_repository,
)
from caldav_run.cli.seek import Match, by_name, by_text
from caldav_run.cli.times import tell_read
from caldav_run.errors import UsageError

if TYPE_CHECKING:
    from caldav_run.repository.snapshots import ItemInfo
    from caldav_run.repository.tracks import Stop, Track


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What happened to an event at one snapshot.

    Attributes:
        snapshot: The snapshot's id.
        time: Its time.
        sign: `+` came, `~` changed, `-` went, `x` is left out, `!` is not readable.
        calendar: The id of its calendar.
        calendar_name: The title of that.
        href: Its name in that.
        sha256: Hash of its bytes then; None when it is gone.
        changes: What happened, a phrase each.
        patch: What changed, property by property.
    """

    snapshot: str
    time: str
    sign: str
    calendar: str
    calendar_name: str
    href: str
    sha256: str | None
    changes: Sequence[str]
    patch: Sequence[str] = ()


@asks_for_repository
def history(
    choice: Choice,
    pipeline: PipelineFile = None,
    event: Annotated[
        str | None,
        typer.Argument(
            metavar="EVENT",
            help="A UID, CALENDAR/HREF, or a text out of its title, place or description.",
            show_default=False,
        ),
    ] = None,
    *,
    patch: Annotated[
        bool, typer.Option("--patch", help="Show each changed property, before and after.")
    ] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Show one event through time, every version of it."""
    found = open_repository(choice, pipeline, event)
    (wanted,) = found.words
    if not (wanted or "").strip():
        raise UsageError("no event is named", mend="give its UID, or a word out of its title")
    tracks, matches = _looked_up(found, wanted or "")
    tell_read(found.reader, found.accounts)
    if output is Output.JSON:
        events = [_track_json(found, each) for each in tracks]
        console.document({"events": events, "matches": [match_json(each) for each in matches]})
    for each in tracks if output is Output.TEXT else ():
        _print(found, each, patch=patch)
    if matches and output is Output.TEXT:
        print_matches(found, matches, choice, pipeline)
    status = complaints(found.reader)
    if tracks:
        return status
    problem = _several(matches) if matches else _none(wanted or "")
    console.error(problem)
    # Where something is damaged, that may be why.
    return status or problem.exit_status


def _looked_up(found: Opened, wanted: str) -> tuple[list["Track"], list[Match]]:
    """Return the events that are meant; or those that may be, where there are several."""
    from caldav_run.ical.search import TITLES

    if named := by_name(found, wanted):
        return named, []
    matches = by_text(found, wanted, TITLES)
    return ([matches[0].track], []) if len(matches) == 1 else ([], matches)


def _several(matches: Sequence[Match]) -> UsageError:
    return UsageError(f"{len(matches)} events say so", mend="name one of them by its UID")


def _none(wanted: str) -> UsageError:
    return UsageError(
        f'no snapshot has an event with the UID "{wanted}", or with this text in its title, '
        "place or description",
        mend="caldav-run find looks into everything that events say",
    )


def _print(found: Opened, track: "Track", *, patch: bool) -> None:
    bodies = readable(found.reader, track.items())
    console.out(f"{track.account}: {_title(track, bodies)}, UID {track.uid or 'none'}")
    for step in _steps(track, bodies):
        time = step.time[:19].replace("T", " ")
        words = f"{step.snapshot[:12]}  {time}  {step.sign} {', '.join(step.changes)}"
        console.out(words.replace("\n", " "))
        for each in step.patch if patch else ():
            console.out(f"      {each}")


def _track_json(found: Opened, track: "Track") -> dict[str, Any]:
    bodies = readable(found.reader, track.items())
    return {
        "account": track.account,
        "uid": track.uid,
        "title": _title(track, bodies),
        "versions": [asdict(each) for each in _steps(track, bodies)],
    }


def _title(track: "Track", bodies: Mapping[str, bytes]) -> str:
    newest = [each for stop in track.stops for each in stop.items][-1]
    return _label(newest, bodies)


def _label(item: "ItemInfo", bodies: Mapping[str, bytes]) -> str:
    from caldav_run.ical.describe import label

    body = bodies.get(item.sha256 or "")
    return (label(body) if body is not None else "") or item.href


def _steps(track: "Track", bodies: Mapping[str, bytes]) -> Iterator[Step]:
    before: Stop | None = None
    for stop in track.stops:
        yield from _between(before, stop, bodies)
        before = stop


def _between(before: "Stop | None", stop: "Stop", bodies: Mapping[str, bytes]) -> Iterator[Step]:
    """Yield what happened from one stop to the next, place by place."""
    old = {(each.calendar, each.href): each for each in (before.items if before else ())}
    new = {(each.calendar, each.href): each for each in stop.items}
    gone = [old[place] for place in sorted(old.keys() - new.keys())]
    come = [new[place] for place in sorted(new.keys() - old.keys())]
    moved = list(zip(gone, come, strict=False))
    stayed = [(old[place], new[place]) for place in sorted(old.keys() & new.keys())]
    for one, other in [*moved, *stayed]:
        if words := [*_way(one, other, stop), *_changes(one, other, bodies)]:
            yield _step(stop, "~", other, words, _patch(one, other, bodies))
    verb = "appeared in" if before is None else "also in" if before.items else "came back in"
    for item in come[len(moved) :]:
        words = [f"{verb} {stop.titles[item.calendar]}: {_label(item, bodies)}"]
        yield _step(stop, "+", item, words)
    for item in gone[len(moved) :]:
        yield _left(stop, item)


def _left(stop: "Stop", item: "ItemInfo") -> Step:
    from caldav_run.repository.sightings import Absence

    why = stop.absence or Absence.DELETED
    sign = {Absence.LEFT_OUT: "x", Absence.UNREAD: "!"}.get(why, "-")
    title = stop.titles[item.calendar]
    words = f"{why} from {title}" if why is Absence.DELETED else f"{why} ({title})"
    return _step(stop, sign, replace(item, sha256=None), [words])


def _way(old: "ItemInfo", new: "ItemInfo", stop: "Stop") -> Iterator[str]:
    if old.calendar != new.calendar:
        one, other = stop.titles[old.calendar], stop.titles[new.calendar]
        yield f"moved from calendar {one} to {other}"
    elif old.href != new.href:
        yield f"stored as {new.href} instead of {old.href}"


def _changes(old: "ItemInfo", new: "ItemInfo", bodies: Mapping[str, bytes]) -> list[str]:
    from caldav_run.ical.describe import describe

    if old.sha256 == new.sha256:
        return []
    before, after = bodies.get(old.sha256 or ""), bodies.get(new.sha256 or "")
    if before is None or after is None:
        return [UNREADABLE]
    return describe(before, after) or ["other bytes that say the same"]


def _patch(old: "ItemInfo", new: "ItemInfo", bodies: Mapping[str, bytes]) -> list[str]:
    from caldav_run.ical.describe import properties_diff

    before, after = bodies.get(old.sha256 or ""), bodies.get(new.sha256 or "")
    return [] if before is None or after is None else properties_diff(before, after)


def _step(
    stop: "Stop",
    sign: str,
    item: "ItemInfo",
    changes: Sequence[str],
    patch: Sequence[str] = (),
) -> Step:
    return Step(
        snapshot=stop.snapshot.id,
        time=stop.snapshot.time.isoformat(),
        sign=sign,
        calendar=item.calendar,
        calendar_name=stop.titles[item.calendar],
        href=item.href,
        sha256=item.sha256,
        changes=changes,
        patch=patch,
    )
