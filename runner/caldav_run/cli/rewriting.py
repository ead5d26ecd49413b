"""The verb `rewrite`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caldav_run.cli import console
from caldav_run.cli.execute import load
from caldav_run.cli.options import assignments, at_terminal
from caldav_run.cli.places import in_pipeline
from caldav_run.cli.progress import counting
from caldav_run.cli.repositories import (
    Choice,
    PipelineFile,
    asks_for_repository,
    keyring_of,
    snapshot_sink,
)
from caldav_run.engine.outcome import combine
from caldav_run.errors import CaldavRunError, UsageError

if TYPE_CHECKING:
    from caldav_run.repository.rewrite import Rewrite
    from caldav_run.repository.rewrite_plan import Plan, Request
    from caldav_run.repository.rewriting import Written


@asks_for_repository
def rewrite(  # noqa: PLR0913 -- one parameter an option
    choice: Choice,
    pipeline: PipelineFile = None,
    *,
    erase_uid: Annotated[
        list[str] | None,
        typer.Option("--erase-uid", metavar="UID", help="Erase this item for good (repeatable)."),
    ] = None,
    recipients: Annotated[
        bool,
        typer.Option("--recipients", help="Seal all history to the pipeline's recipients alone."),
    ] = False,
    now: Annotated[
        bool, typer.Option("--now", help="Delete the old history at once, not after 72 hours.")
    ] = False,
    keep_damaged: Annotated[
        bool,
        typer.Option("--keep-damaged", help="Go on without what cannot be read, and list it."),
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Show what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> int:
    """Erase items from all history, or seal it to other recipients.

    Needs an identity and the writer key. Each full backup is written anew with its increments,
    read back, and only then marked for deletion. An item that the server still has comes back with
    the next run.
    """
    if bool(erase_uid) == recipients:
        raise UsageError("ask for one thing", mend="give --erase-uid UID, or --recipients")
    if choice.repository is not None or pipeline is None:
        raise UsageError(
            "a rewriting needs the pipeline", mend="it says who signs and who can read"
        )
    from caldav_run.repository.rewrite_plan import Request

    (loaded,) = load([Path(pipeline)], assignments(choice.sets), strict_env=False)
    made = snapshot_sink(loaded, choice.sink).rewrite(
        keyring_of(choice, in_pipeline(pipeline, choice)), _now
    )
    damage: list[CaldavRunError] = []
    request = Request(
        uids=frozenset(erase_uid or ()),
        account=choice.account,
        on_damage=damage.append if keep_damaged else _stop,
    )
    plan = made.plan(request)
    _show(plan, now=now)
    remains = plan.replaced if now else ()
    if (plan.tasks or remains) and not check:
        _confirm(made, sure=yes)
    if not check:
        _carry_out(made, plan, request, now=now)
    for problem in damage:
        console.error(problem)
    return combine([each.exit_status for each in damage])


def _now() -> datetime:
    return datetime.now(UTC)


def _stop(problem: CaldavRunError) -> None:
    raise type(problem)(
        problem.message, mend=f"{problem.mend or 'look at it'}; --keep-damaged goes on without it"
    )


def _show(plan: "Plan", *, now: bool) -> None:
    heads = ("GENERATION", "ACCOUNT", "SNAPSHOTS", "VERSIONS TO ERASE")
    rows = [
        (
            each.generation.listed.name.name,
            each.generation.account or "?",
            str(len(each.chain)),
            str(each.versions),
        )
        for each in plan.tasks
    ]
    if rows:
        console.table([heads, *rows])
    else:
        console.tell("there is nothing to rewrite")
    if plan.replaced and now:
        old = console.counted(len(plan.replaced), "full backup")
        console.tell(f"{old} that an earlier rewriting replaced will be deleted")


def _confirm(made: "Rewrite", *, sure: bool) -> None:
    """Ask whether history may be changed.

    Raises:
        UsageError: Nobody can be asked, or the answer is no.
    """
    if sure:
        return
    if not at_terminal():
        raise UsageError("nobody can be asked here", mend="say --yes, after a look with --check")
    question = f"Rewrite this history in {made.store.location}? What is erased is gone for good."
    if not typer.confirm(question, err=True):
        raise UsageError("nothing was done")


def _carry_out(made: "Rewrite", plan: "Plan", request: "Request", *, now: bool) -> None:
    written: list[Written] = []
    with counting("rewriting", len(plan.tasks)) as told:
        for each in made.carry_out(plan, request):
            written.append(each)
            told()
    if written:
        made.record(written)
        console.out(f"rewritten: {console.counted(len(written), 'full backup')}")
    if now:
        deleted = made.delete(written, plan.replaced)
        console.out(f"deleted: {console.counted(len(deleted), 'old full backup')}")
        return
    if own := sum(each.original.writer == made.writer.name for each in written):
        old = console.counted(own, "old full backup")
        console.out(f"marked: {old}; `caldav-run expire` deletes what was marked 72 hours ago")
    marked = [*(each.original for each in written), *(each.name for each in plan.replaced)]
    if others := sum(each.writer != made.writer.name for each in marked):
        old = console.counted(others, "old full backup")
        console.out(f"marked: {old} of other writer keys, which only `--now` deletes")
