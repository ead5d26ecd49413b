"""The verb `drill`: prove that a snapshot can be restored."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from caldav_run.cli import console
from caldav_run.cli.look import Snapshot, selected
from caldav_run.cli.options import Output, OutputOption, Quiet
from caldav_run.cli.repositories import (
    Choice,
    PipelineFile,
    asks_for_repository,
    open_repository,
)
from caldav_run.cli.times import tell_age, when
from caldav_run.errors import AccessError, ConnectorError

if TYPE_CHECKING:
    from caldav_run.testing.drill.proof import Proof

_LEVELS: Final = ("L0", "L1", "L2", "L3")
_VERDICTS: Final = {
    0: "proven: everything came back",
    1: "NOT PROVEN: not everything came back as it was",
    3: "proven in part: what is named above was not restored; everything else came back",
}


@asks_for_repository
def drill(
    choice: Choice,
    pipeline: PipelineFile = None,
    snapshot: Snapshot = None,
    *,
    calendar: Annotated[
        list[str] | None,
        typer.Option(
            "--calendar",
            metavar="PATTERN",
            help="Only calendars whose name or id matches (repeatable).",
        ),
    ] = None,
    proof: Annotated[
        Path | None,
        typer.Option(
            "--proof", metavar="FILE", help="Write the proof there as JSON.", readable=False
        ),
    ] = None,
    output: OutputOption = Output.TEXT,
    quiet: Quiet = False,
) -> int:
    """Prove that a snapshot can be restored.

    Puts it onto a Radicale on this machine, reads it back over CalDAV, and compares every item and
    calendar. The server is gone afterwards; nobody is mailed, and neither the
    repository nor your server is touched.
    """
    from caldav_run.cli.live import watcher
    from caldav_run.testing.drill.proof import drill as run_drill

    found = open_repository(choice, pipeline, snapshot)
    chosen = found.snapshot(found.words[0])
    tell_age(found.reader, chosen)
    selection = selected(found.reader, chosen, calendar)
    scratch = tempfile.TemporaryDirectory(prefix="caldav-run-drill-")
    try:
        with scratch as folder, watcher(quiet=quiet) as watch:
            shown = run_drill(found.reader, chosen, selection, Path(folder), watch.take)
    except KeyboardInterrupt:
        console.tell("interrupted: the server and all that was restored are gone")
        raise
    if proof is not None:
        _write(proof, shown)
    if output is Output.JSON:
        console.document(shown.document)
    else:
        for line in _lines(shown):
            console.out(line)
    return shown.status


def _write(file: Path, proof: "Proof") -> None:
    text = json.dumps(proof.document, indent=2, ensure_ascii=False)
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        kind = AccessError if isinstance(error, PermissionError) else ConnectorError
        raise kind(f"cannot write {file}: {error.strerror}") from error


def _lines(proof: "Proof") -> list[str]:
    calendars = console.counted(proof.calendars, "calendar")
    items = console.counted(proof.items, "item")
    levels = ", ".join(f"{proof.levels.get(level, 0):,} {level}" for level in _LEVELS)
    rules = ", ".join(f"{rule} {count}" for rule, count in sorted(proof.deviations.items()))
    tolerated = f" (tolerated: {rules})" if rules else ""
    back = sum(proof.levels.values())
    return [
        f"snapshot    {proof.snapshot[:12]} of {proof.account}, {when(proof.taken)}",
        f"repository  {proof.repository}, signed by {proof.signer}",
        f"restored    into {proof.server} with {proof.program}, in {proof.seconds:g} s",
        f"came back   {calendars}, {back:,} of {items}",
        f"which hold  {proof.size:,} bytes, {proof.instances:,} entries with each override counted",
        f"equal at    {levels} (L0: byte for byte){tolerated}",
        *([f"stale       {proof.stale:,} items were last read before it"] * bool(proof.stale)),
        *_named("unread", _said(proof.unread)),
        *_named("refused", _said(proof.refused)),
        *_named("different", proof.differences),
        *_named("damaged", proof.problems),
        _VERDICTS[proof.status],
    ]


def _said(reasons: Mapping[str, str]) -> list[str]:
    return [f"{place}: {reason}" for place, reason in reasons.items()]


def _named(what: str, lines: Iterable[str]) -> Iterator[str]:
    for each in lines:
        yield f"{what:<10}  {each}"
