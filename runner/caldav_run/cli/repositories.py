"""Which repository a verb means: a pipeline's sink or source, or a path."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer

from caldav_run.cli import console
from caldav_run.cli.execute import load
from caldav_run.cli.options import Identity, Sets, Trust, assignments, identity_files, settings
from caldav_run.engine.outcome import combine
from caldav_run.errors import SetupError, UsageError

if TYPE_CHECKING:
    from caldav_run.connectors.sinks.snapshot import SnapshotSink
    from caldav_run.pipeline.build import ConnectorSpec, Pipeline
    from caldav_run.repository.keys import Keyring, Writer
    from caldav_run.repository.reader import Reader
    from caldav_run.repository.snapshots import SnapshotInfo
    from caldav_run.repository.storage import Storage
    from caldav_run.repository.store import Store

PipelineFile = Annotated[
    str | None,
    typer.Argument(
        metavar="PIPELINE",
        help="A pipeline file with the repository as sink or source; left out with --repository.",
        show_default=False,
    ),
]
RepositoryPlace = Annotated[
    str | None,
    typer.Option("--repository", metavar="PLACE", help="The repository, without a pipeline file."),
]
SinkName = Annotated[
    str | None, typer.Option("--sink", metavar="NAME", help="Which sink of the pipeline.")
]
SourceName = Annotated[
    str | None, typer.Option("--source", metavar="NAME", help="Which source of the pipeline.")
]
Account = Annotated[
    str | None,
    typer.Option("--account", metavar="NAME", help="Which account, where there are several."),
]

# What has to be known of a pipeline's repository to look into it.
_NEEDED: Final = frozenset({"repository", "storage", "account"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the command line says of the repository; nothing of it has to be given.

    Attributes:
        repository: Its folder or URL.
        sink: The pipeline's sink that is meant.
        source: The pipeline's source that is meant.
        account: The account that is meant.
        sets: Values that take the place of the pipeline's variables, `NAME=VALUE` each.
        identity: Files that open it.
        trust: Fingerprints of signers to believe.
    """

    repository: str | None
    sink: str | None
    source: str | None
    account: str | None
    sets: Sequence[str] | None
    identity: Sequence[Path] | None
    trust: Sequence[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a repository is, and what a pipeline knows of how to open it.

    Attributes:
        location: Its folder or URL.
        storage: How its object storage is reached; None for what the environment says.
        account: The account that is meant; None for any.
        identities: Identity files that the pipeline names.
        trust: Fingerprints of signers that the pipeline trusts.
        timezone: Where days end that are named in words: the pipeline's time zone.
        writer: The file of the writer's key, where the pipeline names one.
    """

    location: str
    storage: "Storage | None" = None
    account: str | None = None
    identities: tuple[Path, ...] = ()
    trust: tuple[str, ...] = ()
    timezone: tzinfo = UTC
    writer: Path | None = None

    def store(self) -> "Store":
        """Return the store, without touching it.

        Raises:
            SetupError: The location is none that a repository can have.
        """
        from caldav_run.repository.stores import open_store

        return open_store(self.location, self.storage)


@dataclass(frozen=True, slots=True)
class Opened:
    """A repository that can be looked into.

    Attributes:
        reader: Reads it.
        account: The account that is meant; None for any.
        words: The verb's own arguments; None for each that is left out.
        location: Where it is.
        identities: The identity files that it was opened with.
        trust: The fingerprints that are trusted besides those in the files.
        timezone: Where days end that are named in words.
    """

    reader: "Reader"
    account: str | None
    words: tuple[str | None, ...]
    location: str
    identities: tuple[Path, ...]
    trust: tuple[str, ...]
    timezone: tzinfo

    @property
    def now(self) -> datetime:
        """The time, in the zone where days end."""
        return datetime.now(self.timezone)

    def snapshot(self, ref: str) -> "SnapshotInfo":
        """Find a snapshot; see `caldav_run.repository.references.resolve`.

        Raises:
            UsageError: There is none, or more than one is meant.
        """
        if not self.reader.snapshots():
            raise UsageError(
                f"{self.location} holds no snapshot yet", mend="make one: caldav-run run PIPELINE"
            )
        return self.reader.resolve(ref, self.account, self.now)


def find_place(
    choice: Choice, file: str | None, *words: str | None
) -> tuple[Place, tuple[str | None, ...]]:
    """Find the repository that is meant, without touching it.

    Args:
        choice: The options.
        file: The pipeline file, or the first of `words` where the repository is a path.
        words: The verb's own arguments.

    Returns:
        Where it is, and the verb's own arguments; None for each that is left out.

    Raises:
        UsageError: No repository or more than one is named, or there is an argument too many.
        SetupError: The pipeline cannot be used.
    """
    if choice.repository is not None:
        return Place(location=_location(choice.repository)), _moved_up(file, words)
    return _in_pipeline(file, choice), words


def open_repository(choice: Choice, file: str | None, *words: str | None) -> Opened:
    """Find and open the repository that is meant; see `find_place`.

    Identities are those of the command line and the environment, else the pipeline's, else the
    default one.

    Raises:
        UsageError: No repository or more than one is named, or there is an argument too many.
        SetupError: The pipeline cannot be used, or there is no identity.
    """
    from caldav_run.repository.keys import load_keyring
    from caldav_run.repository.reader import Reader

    place, rest = find_place(choice, file, *words)
    files, trust = _opened_with(choice, place)
    reader = Reader(place.store(), load_keyring(files, trust))
    account = choice.account or place.account
    return Opened(reader, account, rest, place.location, files, trust, place.timezone)


def keyring_of(choice: Choice, place: Place) -> "Keyring":
    """Return what opens a repository; see `open_repository`.

    Raises:
        SetupError: There is no identity.
    """
    from caldav_run.repository.keys import load_keyring

    return load_keyring(*_opened_with(choice, place))


def writer_of(place: Place) -> "Writer | None":
    """Return the writer's key: the one that the pipeline names, else the default one.

    None where there is none, as on a machine that only reads.
    """
    from caldav_run.repository.keys import WRITER, default_folder, load_writer

    file = place.writer or default_folder() / WRITER
    return load_writer(file) if file.exists() else None


def _opened_with(choice: Choice, place: Place) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    from caldav_run.repository.keys import IDENTITY, default_folder

    files = identity_files(choice.identity) or place.identities or (default_folder() / IDENTITY,)
    return files, (*place.trust, *(choice.trust or ()))


def snapshot_sink(pipeline: "Pipeline", name: str | None) -> "SnapshotSink":
    """Return a pipeline's snapshot sink, the only one or the named one.

    Raises:
        UsageError: It has none, or several of which none is named.
    """
    from caldav_run.pipeline.build import build_sink

    known = {each.name: each for each in pipeline.sinks.values() if each.type == "snapshot"}
    if not known:
        raise UsageError(f"{pipeline.file} has no sink of type snapshot")
    if name is None and len(known) > 1:
        raise UsageError(
            f"{pipeline.file} has several repositories",
            mend=f"choose one with --sink: {', '.join(known)}",
        )
    spec = next(iter(known.values())) if name is None else known.get(name)
    if spec is None:
        raise UsageError(
            f'{pipeline.file} has no snapshot sink "{name}"', mend=f"it has: {', '.join(known)}"
        )
    # The registry gives a SnapshotSink for this type.
    return cast("SnapshotSink", build_sink(spec, settings().context(pipeline, spec.name)))


def asks_for_repository(verb: Callable[..., int]) -> Callable[..., int]:
    """Give a verb, whose first parameter is a `Choice`, the options that fill one.

    Typer reads options from a signature; this writes them once for all verbs.
    """

    def with_options(
        *,
        repository: RepositoryPlace = None,
        sink: SinkName = None,
        source: SourceName = None,
        account: Account = None,
        sets: Sets = None,
        identity: Identity = None,
        trust: Trust = None,
        **own: Any,
    ) -> int:
        choice = Choice(
            repository=repository,
            sink=sink,
            source=source,
            account=account,
            sets=sets,
            identity=identity,
            trust=trust,
        )
        return verb(choice, **own)

    _, *own = inspect.signature(verb, eval_str=True).parameters.values()
    shared = inspect.signature(with_options, eval_str=True).parameters.values()
    parameters = [*own, *(each for each in shared if each.kind is each.KEYWORD_ONLY)]
    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {each.name: each.annotation for each in parameters}
    with_options.__name__, with_options.__doc__ = verb.__name__, verb.__doc__
    with_options.__module__ = verb.__module__
    return with_options


def complaints(reader: "Reader") -> int:
    """Tell what the reader found damaged, and return the exit status that it makes."""
    for problem in reader.problems:
        console.error(problem)
    return combine([problem.exit_status for problem in reader.problems])


def _location(text: str) -> str:
    from caldav_run.repository.storage import scheme_of

    return text if scheme_of(text) else str(Path(text).expanduser().absolute())


def _moved_up(first: str | None, words: tuple[str | None, ...]) -> tuple[str | None, ...]:
    """Return the words of a verb whose pipeline file is left out."""
    *mine, beyond = first, *words
    if beyond is not None:
        raise UsageError(f'"{beyond}" is one too many', mend="--repository stands for PIPELINE")
    return tuple(mine)


def _in_pipeline(file: str | None, choice: Choice) -> Place:
    if file is None:
        raise UsageError("no repository is named", mend="give a pipeline file or --repository PATH")
    if Path(file).is_dir():
        raise UsageError(f"{file} is a folder", mend=f"is it meant as --repository {file}?")
    # The account's own variables need not be set where only its history is looked at.
    (pipeline,) = load([Path(file)], assignments(choice.sets), strict_env=False)
    return _place(pipeline, choice)


def _place(pipeline: "Pipeline", choice: Choice) -> Place:
    from caldav_run.connectors.storage import storage_from

    spec = _spec(pipeline, choice)
    for unset in spec.unset:
        if unset.split(".")[2] in _NEEDED:
            raise SetupError(f"{spec.place}: {unset} needs an environment variable that is not set")
    account = spec.options.get("account") or _only_account(pipeline, spec)
    file, writer = (_file(spec.options.get(key)) for key in ("identity", "signer"))
    trust = spec.options.get("trust")
    return Place(
        location=str(spec.options["repository"]),
        storage=storage_from(spec.options),
        account=None if account is None else str(account),
        identities=(file,) if file else (),
        trust=tuple(map(str, trust)) if isinstance(trust, list | tuple) else (),
        timezone=pipeline.timezone,
        writer=writer,
    )


def _file(reference: object) -> Path | None:
    file = reference.get("file") if isinstance(reference, Mapping) else None
    return Path(str(file)) if file else None


def _spec(pipeline: "Pipeline", choice: Choice) -> "ConnectorSpec":
    every = {f"--sink {name}": spec for name, spec in pipeline.sinks.items()}
    every |= {f"--source {name}": spec for name, spec in pipeline.sources.items()}
    known = {name: spec for name, spec in every.items() if spec.type == "snapshot"}
    if not known:
        raise UsageError(f"{pipeline.file} has no sink or source of type snapshot")
    wanted = [f"--sink {choice.sink}"] * (choice.sink is not None)
    wanted += [f"--source {choice.source}"] * (choice.source is not None)
    found = {name: spec for name, spec in known.items() if not wanted or name in wanted}
    if not found:
        raise UsageError(
            f"{pipeline.file} has no repository {' '.join(wanted)}",
            mend=f"choose: {', '.join(known)}",
        )
    # Two services may have buckets of one name.
    if len({(each.options["repository"], _endpoint(each)) for each in found.values()}) > 1:
        raise UsageError(
            f"{pipeline.file} has several repositories", mend=f"choose: {', '.join(known)}"
        )
    return next(iter(found.values()))


def _endpoint(spec: "ConnectorSpec") -> str | None:
    from caldav_run.connectors.storage import storage_from

    return storage_from(spec.options).endpoint


def _only_account(pipeline: "Pipeline", spec: "ConnectorSpec") -> str | None:
    """Return the one account that a pipeline writes, when `spec` is a sink and it is one."""
    if spec.name not in pipeline.sinks or len(pipeline.sources) > 1:
        return None
    (only,) = pipeline.sources.values()
    return str(only.options.get("account") or only.name)
