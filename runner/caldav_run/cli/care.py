"""The verb `expire`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from caldav_run.cli import console
from caldav_run.cli.execute import load
from caldav_run.cli.options import Output, OutputOption, Sets, assignments
from caldav_run.cli.repositories import SinkName, snapshot_sink
from caldav_run.engine.outcome import combine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caldav_run.repository.expire import Deed, Expiry
    from caldav_run.repository.names import GenerationName
    from caldav_run.repository.retention import Verdict

    Deeds = Mapping[GenerationName, Deed]

_DONE: Final = {"mark": "marked", "delete": "deleted"}
_DUE: Final = {"mark": "to mark", "delete": "to delete"}


def expire(
    pipeline: Annotated[
        Path,
        typer.Argument(metavar="PIPELINE", help="Has the repository as a sink.", readable=False),
    ],
    *,
    sink: SinkName = None,
    sets: Sets = None,
    check: Annotated[
        bool, typer.Option("--check", help="Show what would go and why the rest stays.")
    ] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Delete expired history: first marked, gone 72 hours later.

    It needs the writer key and no identity. Only full backups that this writer made can go.
    """
    # The account's own variables are not needed.
    (loaded,) = load([pipeline], assignments(sets), strict_env=False)
    found = snapshot_sink(loaded, sink).look_for_expired(_now).confirmed()
    deeds = {} if check else {each.verdict.generation.name: each for each in found.carry_out()}
    for problem in found.problems:
        console.error(problem)
    if output is Output.JSON:
        console.document([_json(each, deeds) for each in found.verdicts])
    else:
        _print(found, deeds)
    failed = [each.problem for each in deeds.values() if each.problem]
    for problem in failed:
        console.error(problem)
    blocked = any(each.stage == "blocked" for each in found.verdicts)
    return combine([each.exit_status for each in (*found.problems, *failed)] + [1] * blocked)


def _now() -> datetime:
    return datetime.now(UTC)


def _print(found: "Expiry", deeds: "Deeds") -> None:
    heads = ("GENERATION", "ACCOUNT", "BECOMES", "WHY")
    rows = [
        (
            each.generation.name.name,
            each.generation.account or "?",
            _becomes(each, deeds),
            each.why,
        )
        for each in found.verdicts
    ]
    if rows:
        console.table([heads, *rows])
    else:
        console.tell("this writer has no history there yet")
    if found.stock.foreign:
        others = console.counted(found.stock.foreign, "full backup")
        console.tell(f"of other writers, for them to expire: {others}")


def _becomes(verdict: "Verdict", deeds: "Deeds") -> str:
    if verdict.stage not in _DONE:
        return verdict.stage
    deed = deeds.get(verdict.generation.name)
    if deed is None:
        return _DUE[verdict.stage]
    return _DONE[verdict.stage] if deed.problem is None else f"cannot {verdict.stage}"


def _json(verdict: "Verdict", deeds: "Deeds") -> dict[str, Any]:
    deed = deeds.get(verdict.generation.name)
    return {
        "generation": verdict.generation.name.name,
        "account": verdict.generation.account,
        "stage": verdict.stage,
        "why": verdict.why,
        "successors": [each.name for each in verdict.successors],
        "done": deed is not None and deed.problem is None,
        "problem": str(deed.problem) if deed and deed.problem else None,
    }
