"""Which repository a verb means: a pipeline's sink or source, or a path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caldav_run.cli import console
from caldav_run.cli.options import identity_files
from caldav_run.engine.outcome import combine
from caldav_run.errors import SetupError, UsageError

if TYPE_CHECKING:
    from caldav_run.pipeline.build import ConnectorSpec, Pipeline
    from caldav_run.repository.reader import Reader
    from caldav_run.repository.snapshots import SnapshotInfo

Repository = Annotated[
    Path | None,
    typer.Option("--repository", help="The repository, instead of a pipeline file."),
]
SinkName = Annotated[
    str | None, typer.Option("--sink", metavar="NAME", help="Which sink of the pipeline.")
]
SourceName = Annotated[
    str | None, typer.Option("--source", metavar="NAME", help="Which source of the pipeline.")
]
Account = Annotated[str | None, typer.Option("--account", help="Which account.")]
Arguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PIPELINE] …",
        help="The pipeline file, unless --repository is given; then what the verb takes.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a repository is, and what is known of how to open it.

    Attributes:
        path: Its folder.
        account: The account that is meant; None for any.
        identities: Identity files that the pipeline names.
        trust: Fingerprints of signers that the pipeline trusts.
        options: The options of the pipeline's sink or source; empty for a bare path.
    """

    path: Path
    account: str | None = None
    identities: tuple[Path, ...] = ()
    trust: tuple[str, ...] = ()
    options: Mapping[str, object]


def locate(
    arguments: Sequence[str],
    repository: Path | None,
    *,
    sink: str | None = None,
    source: str | None = None,
) -> tuple[Place, list[str]]:
    """Return the repository that is meant, and the arguments that are left.

    Raises:
        UsageError: None is named, or the pipeline has several.
        SetupError: The pipeline cannot be used.
    """
    if repository is not None:
        return Place(path=repository.absolute(), options={}), list(arguments)
    if not arguments:
        raise UsageError("no repository is named", mend="give a pipeline file or --repository PATH")
    pipeline = _pipeline(Path(arguments[0]))
    return _place(pipeline, sink, source), list(arguments[1:])


def _pipeline(file: Path) -> "Pipeline":
    from caldav_run.pipeline.build import load_pipeline
    from caldav_run.pipeline.problems import PipelineError
    from caldav_run.pipeline.render import render_text

    if file.is_dir():
        raise UsageError(f"{file} is a folder", mend=f"is it meant as --repository {file}?")
    try:
        # The account's own variables need not be set where only its history is looked at.
        return load_pipeline(file, sets={}, strict_env=False)
    except PipelineError as error:
        console.tell(render_text(error.problems))
        raise typer.Exit(PipelineError.exit_status) from None


def _place(pipeline: "Pipeline", sink: str | None, source: str | None) -> Place:
    spec = _spec(pipeline, sink, source)
    path = str(spec.options["repository"])
    if "${" in path:
        raise SetupError(
            f"{spec.place}: the repository's path {path} names a variable that is not set"
        )
    account = spec.options.get("account") or _only_account(pipeline, spec)
    identity = spec.options.get("identity")
    file = identity.get("file") if isinstance(identity, Mapping) else None
    trust = spec.options.get("trust")
    return Place(
        path=Path(path),
        account=None if account is None else str(account),
        identities=(Path(str(file)),) if file else (),
        trust=tuple(map(str, trust)) if isinstance(trust, list) else (),
        options=spec.options,
    )


def _spec(pipeline: "Pipeline", sink: str | None, source: str | None) -> "ConnectorSpec":
    if sink is not None:
        found = {f"--sink {sink}": pipeline.sinks.get(sink)}
    elif source is not None:
        found = {f"--source {source}": pipeline.sources.get(source)}
    else:
        found = {f"--sink {name}": each for name, each in pipeline.sinks.items()}
        found |= {f"--source {name}": each for name, each in pipeline.sources.items()}
    known = {name: spec for name, spec in found.items() if spec and spec.type == "snapshot"}
    paths = {spec.options["repository"] for spec in known.values()}
    if not known:
        named = " or ".join(found) if sink or source else "sink or source of type snapshot"
        raise UsageError(f"{pipeline.file} has no repository: no {named}")
    if len(paths) > 1:
        raise UsageError(
            f"{pipeline.file} has several repositories", mend=f"choose: {', '.join(known)}"
        )
    return next(iter(known.values()))


def _only_account(pipeline: "Pipeline", spec: "ConnectorSpec") -> str | None:
    """Return the one account that a pipeline writes, when `spec` is a sink and it is one."""
    if spec.name not in pipeline.sinks or len(pipeline.sources) > 1:
        return None
    (only,) = pipeline.sources.values()
    return str(only.options.get("account") or only.name)


@dataclass(frozen=True, slots=True)
class Opened:
    """A repository that can be looked into.

    Attributes:
        reader: Reads it.
        account: The account that is meant; None for any.
        rest: The verb's own arguments.
        place: Where it is.
        identities: The identity files that it was opened with.
        trust: The fingerprints that are trusted besides those in the files.
    """

    reader: "Reader"
    account: str | None
    rest: Sequence[str]
    place: Place
    identities: tuple[Path, ...]
    trust: tuple[str, ...]

    def words(self, *usage: str, needed: int = 0) -> list[str]:
        """Return the verb's own arguments, empty ones for those left out.

        Args:
            usage: What they are called.
            needed: How many of them must be there.

        Raises:
            UsageError: There are too many or too few.
        """
        if needed <= len(self.rest) <= len(usage):
            return [*self.rest, *[""] * (len(usage) - len(self.rest))]
        wanted = " ".join(name if at < needed else f"[{name}]" for at, name in enumerate(usage))
        raise UsageError(
            f"the arguments {' '.join(self.rest)!r} do not fit",
            mend=f"after the pipeline: {wanted or 'nothing'}",
        )


def opened(
    arguments: Sequence[str] | None,
    repository: Path | None,
    sink: str | None,
    source: str | None,
    account: str | None,
    identity: Sequence[Path] | None,
    trust: Sequence[str] | None,
) -> Opened:
    """Find and open the repository that is meant.

    Identities are those given, else the pipeline's, else the default one.

    Raises:
        UsageError: None is named, or the pipeline has several.
        SetupError: The pipeline cannot be used, or there is no identity.
    """
    from caldav_run.repository.keys import IDENTITY, default_folder, load_keyring
    from caldav_run.repository.local import LocalStore
    from caldav_run.repository.reader import Reader

    place, rest = locate(arguments or [], repository, sink=sink, source=source)
    files = identity_files(identity) or place.identities or (default_folder() / IDENTITY,)
    trusted = (*place.trust, *(trust or ()))
    reader = Reader(LocalStore(place.path), load_keyring(files, trusted))
    return Opened(reader, account or place.account, rest, place, files, trusted)


def complaints(reader: "Reader") -> int:
    """Tell what the reader found damaged, and return the exit status that it makes."""
    for problem in reader.problems:
        console.error(problem)
    return combine([problem.exit_status for problem in reader.problems])


def age(reader: "Reader", snapshot: "SnapshotInfo") -> None:
    """Tell how old what is shown is: when it was taken, and when the account was last read."""
    read = reader.last_read(snapshot.account)
    since = f"; the account was last read {when(read)}" if read else ""
    console.tell(f"{snapshot.account} as of {when(snapshot.time)}{since}")


def when(time: datetime) -> str:
    """Return a time with its distance from now: `2026-05-04 12:00 UTC (2 days ago)`."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC ({_ago(datetime.now(UTC) - time)})"


def _ago(passed: timedelta) -> str:
    seconds = passed.total_seconds()
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(seconds // length)
        if count >= 1:
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"
