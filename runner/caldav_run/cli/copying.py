"""The verb `copy`."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caldav_run.cli import console
from caldav_run.cli.options import Output, OutputOption, identity_files
from caldav_run.cli.places import Place, writer_of
from caldav_run.cli.progress import counting
from caldav_run.cli.repositories import (
    Choice,
    PipelineFile,
    asks_for_repository,
    find_place,
    location,
)
from caldav_run.cli.times import beginning
from caldav_run.engine.outcome import combine
from caldav_run.errors import CaldavRunError, UsageError

if TYPE_CHECKING:
    from caldav_run.repository.copying import Copying


@asks_for_repository
def copy(
    choice: Choice,
    pipeline: PipelineFile = None,
    *,
    to: Annotated[str, typer.Option("--to", metavar="PLACE", help="A folder or URL to copy to.")],
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="Only full backups with a snapshot that is not older."
        ),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read what the copy already holds as well.")
    ] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Copy a repository as it is to another place.

    It goes on where an earlier copy ended. Needs no key: every object is compared with its name
    before it is stored. Options of object storage for PLACE are those of the environment.
    """
    from caldav_run.repository import copying
    from caldav_run.repository.stores import open_store

    place, _ = find_place(choice, pipeline)
    streams = None if choice.account is None else frozenset({_stream(choice, place)})
    moment = None if since is None else beginning(since, place.timezone)
    target = open_store(location(to))
    prepared = copying.prepare(place.store(), target, streams, moment)
    return _carry_out(prepared, output, verify=verify)


def _carry_out(prepared: "Copying", output: Output, *, verify: bool) -> int:
    from caldav_run.repository import copying

    fates: Counter[str] = Counter()
    problems: list[CaldavRunError] = []
    stored = 0
    whole = copying.by_content if verify else copying.by_size
    with counting("copying", len(prepared.objects)) as told:
        for each in prepared.carry_out(whole):
            told()
            fates[each.fate] += 1
            stored += each.size * (each.fate is copying.Fate.COPIED)
            if each.problem is not None:
                problems.append(each.problem)
    for problem in problems:
        console.error(problem)
    counts = {str(fate): fates[fate] for fate in copying.Fate} | {"unknown": prepared.unknown}
    if output is Output.JSON:
        about = {"to": prepared.target.location, **counts, "bytes": stored}
        console.document(about | {"problems": [str(each) for each in problems]})
    else:
        copied = console.counted(counts["copied"], "object")
        console.out(
            f"{prepared.target.location}: {copied} copied ({stored:,} bytes), "
            f"{counts['present']:,} there already, {counts['damaged']:,} damaged and left out"
        )
        if prepared.unknown:
            console.tell(f"{prepared.unknown:,} files that are none of a repository were left")
    return combine([each.exit_status for each in problems])


def _stream(choice: Choice, place: Place) -> str:
    """Return which history is the account's: its name in the store needs the name key.

    Raises:
        UsageError: Neither a writer key nor an identity file holds one.
    """
    from caldav_run.repository import keys, names

    writer = writer_of(place)
    if writer is not None:
        return names.stream_name(writer.name_key, choice.account or "")
    default = keys.default_folder() / keys.IDENTITY
    files = identity_files(choice.identity) or place.identities or (default,)
    for file in filter(Path.exists, files):
        for name_key in keys.comments(keys.read(file, "identity"), "name-key"):
            return names.stream_name(bytes.fromhex(name_key), choice.account or "")
    raise UsageError(
        "--account needs the writer key or a whole identity file, to know which folder is its",
        mend="copy everything, or name the file with --identity",
    )
