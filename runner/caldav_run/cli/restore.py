"""The verb `restore`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caldav_run.cli import console, logs
from caldav_run.cli.execute import Ended, load, run_one
from caldav_run.cli.options import (
    Diff,
    Identity,
    Output,
    OutputOption,
    PassphraseFile,
    Quiet,
    Sets,
    StateDir,
    Trust,
    Verbose,
    assignments,
    at_terminal,
    settings,
)
from caldav_run.cli.picking import Wish
from caldav_run.cli.places import place_in
from caldav_run.cli.repositories import Account, Choice, Opened, complaints, open_place
from caldav_run.cli.restoring import (
    Restore,
    any_calendars,
    calendars,
    destination,
    repository_of,
    with_options,
)
from caldav_run.cli.times import tell_age
from caldav_run.engine.outcome import ExitStatus, combine
from caldav_run.errors import UsageError

if TYPE_CHECKING:
    from caldav_run.pipeline.build import Pipeline
    from caldav_run.pipeline.settings import Settings
    from caldav_run.repository.snapshots import SnapshotInfo


def restore(  # noqa: PLR0913 -- one parameter an option
    pipeline: Annotated[
        Path, typer.Argument(metavar="PIPELINE", help="A pipeline file (YAML).", readable=False)
    ],
    *,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="NAME",
            help="Where to: a caldav or ics sink of the pipeline, a source (the account that was "
            "backed up), or a folder.",
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            metavar="NAME",
            help="The repository: a snapshot sink or source of the pipeline, where there are "
            "several.",
        ),
    ] = None,
    account: Account = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="SNAPSHOT",
            help="Out of which snapshot: an id, latest~1, or a time (2026-05-01, '2 weeks ago').",
            show_default="latest",
        ),
    ] = None,
    calendar: Annotated[
        list[str] | None,
        typer.Option(
            "--calendar",
            metavar="PATTERN",
            help="Only calendars whose name or id matches; OLD=NEW gives one another name there "
            "(repeatable).",
        ),
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option(
            "--rename",
            metavar="OLD=NEW",
            help="Give a calendar another name there (repeatable).",
        ),
    ] = None,
    uid: Annotated[
        list[str] | None,
        typer.Option(
            "--uid", metavar="ITEM", help="Only this event: a UID, or CALENDAR/HREF (repeatable)."
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option("--text", metavar="TEXT", help="Only what says this, in any case."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Only what takes place then or later."),
    ] = None,
    stop: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Only what takes place up to then."),
    ] = None,
    deleted_since: Annotated[
        str | None,
        typer.Option(
            "--deleted-since",
            metavar="TIME",
            help="Only what was deleted since that time and is gone.",
        ),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Write nothing, show what would be done.")
    ] = False,
    diff: Diff = False,
    on_conflict: Annotated[
        str | None,
        typer.Option(
            "--on-conflict",
            metavar="RULE",
            help="Which version wins where the destination has another one.",
            show_default="keep_source with --uid or --text, else newest",
        ),
    ] = None,
    scheduling: Annotated[
        str | None,
        typer.Option(
            "--scheduling", metavar="RULE", help="As the sink's option.", show_default=False
        ),
    ] = None,
    verify: Annotated[
        str | None,
        typer.Option("--verify", metavar="HOW", help="As the sink's option.", show_default=False),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before writing.")] = False,
    detailed_exitcode: Annotated[
        bool,
        typer.Option("--detailed-exitcode", help="With --plan: exit with 10 for changes."),
    ] = False,
    sets: Sets = None,
    output: OutputOption = Output.TEXT,
    state_dir: StateDir = None,
    identity: Identity = None,
    passphrase_file: PassphraseFile = None,
    trust: Trust = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Bring back events, calendars or an account from a backup.

    Missing items are added, and what is there in another version is decided by --on-conflict;
    nothing is deleted. On a terminal it shows what it would do, and asks.
    """
    logs.start(verbose=verbose)
    (loaded,) = load([pipeline], assignments(sets), strict_env=False)
    choice = repository_of(loaded, source, account)
    choice = replace(
        choice, identity=identity, passphrase_file=passphrase_file, trust=trust, sets=sets
    )
    found = open_place(choice, place_in(loaded, choice))
    wish = Wish(
        calendars=tuple(calendar or ()),
        uids=tuple(uid or ()),
        text=text,
        start=start,
        stop=stop,
        deleted_since=deleted_since,
    )
    ways = {"on_conflict": on_conflict, "scheduling": scheduling, "verify": verify}
    at = _own_time(loaded, choice, wish) if as_of is None else as_of
    taken = _snapshot(found, at, wish)
    made = _made(loaded, found, taken, wish, (to, rename or (), ways))
    chosen = settings(
        state_dir=state_dir,
        identity=identity,
        trust=trust,
        dry=plan,
        detail=plan or verbose or wish.single,
        diff=diff,
    )
    ended = None
    if output is Output.TEXT and not (plan or yes) and at_terminal():
        ended = _asked(made, chosen, quiet=quiet)
    if ended is None:
        ended = run_one(made.job(chosen), output, quiet=quiet)
    if output is Output.JSON:
        console.document(ended.document)
    status = combine([each for each in (ended.status, complaints(found.reader)) if each])
    if detailed_exitcode and plan and ended.changed and status == ExitStatus.DONE:
        return ExitStatus.HAS_CHANGES
    return status


def _own_time(pipeline: "Pipeline", choice: Choice, wish: Wish) -> str | None:
    """Return the snapshot that a source of the pipeline reads; None for the latest."""
    if choice.source is None or wish.deleted_since is not None:
        return None
    as_of = pipeline.sources[choice.source].options.get("as_of")
    return None if as_of is None else str(as_of)


def _snapshot(found: Opened, as_of: str | None, wish: Wish) -> "SnapshotInfo":
    """Return the snapshot to take items from.

    Raises:
        UsageError: There is none, or what was deleted is asked of an old one.
    """
    if as_of is not None and wish.deleted_since is not None:
        raise UsageError(
            "--as-of and --deleted-since each say which versions are meant",
            mend="leave one of them out: what was deleted comes back as it was last",
        )
    chosen = found.snapshot(as_of)
    if chosen.problem is not None:
        raise chosen.problem
    tell_age(found.reader, chosen)
    return chosen


def _made(
    pipeline: "Pipeline",
    found: Opened,
    chosen: "SnapshotInfo",
    wish: Wish,
    goal: tuple[str, Sequence[str], dict[str, str | None]],
) -> Restore:
    to, renamed, ways = goal
    place = destination(pipeline, to, chosen.account)
    if wish.deleted_since is None:
        patterns, names = calendars(found, chosen, wish.calendars, renamed)
    else:
        patterns, names = any_calendars(found, chosen.account, wish.calendars, renamed)
    wish = replace(wish, calendars=tuple(patterns))
    # Who names an event wants that version; who names a time does not mean to undo what was
    # changed since.
    ways["on_conflict"] = ways["on_conflict"] or ("keep_source" if wish.named else "newest")
    return Restore(
        pipeline=pipeline,
        found=found,
        chosen=chosen,
        wish=wish,
        goal=with_options(place, ways, names),
    )


def _asked(made: Restore, chosen: "Settings", *, quiet: bool) -> Ended | None:
    """Show what would be done, and ask whether it shall be.

    Returns:
        None where it shall; how the planning ended where there is nothing to do.

    Raises:
        UsageError: It shall not.
    """
    shown = run_one(made.job(replace(chosen, dry=True, detail=True)), quiet=quiet)
    if not shown.changed:
        return shown
    if not typer.confirm(f"Write this to {made.goal.spec.name}?", err=True):
        raise UsageError("nothing was done")
    return None
