"""Which repository a verb means: a pipeline's sink or source, or a path."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from caldav_run.cli import console
from caldav_run.cli.options import (
    Identity,
    PassphraseFile,
    Sets,
    Trust,
    asked_passphrase,
    identity_files,
    passphrase_in,
    settings,
)
from caldav_run.cli.places import Place, in_pipeline
from caldav_run.engine.outcome import combine
from caldav_run.errors import UsageError

if TYPE_CHECKING:
    from caldav_run.connectors.sinks.snapshot import SnapshotSink
    from caldav_run.pipeline.build import Pipeline
    from caldav_run.repository.keys import Keyring
    from caldav_run.repository.opening import Means
    from caldav_run.repository.reader import Reader
    from caldav_run.repository.snapshots import SnapshotInfo
    from caldav_run.repository.storage import Storage

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
        passphrase_file: A file with a passphrase that opens it.
        trust: Fingerprints of signers to believe.
    """

    repository: str | None
    sink: str | None
    source: str | None
    account: str | None
    sets: Sequence[str] | None
    identity: Sequence[Path] | None
    passphrase_file: Path | None
    trust: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A repository that can be looked into.

    Attributes:
        reader: Reads it.
        account: The account that is meant; None for any.
        words: The verb's own arguments; None for each that is left out.
        location: Where it is.
        storage: How its object storage is reached; None for what the environment says.
        means: What it was opened with.
        timezone: Where days end that are named in words.
    """

    reader: "Reader"
    account: str | None
    words: tuple[str | None, ...]
    location: str
    storage: "Storage | None"
    means: "Means"
    timezone: tzinfo

    @property
    def now(self) -> datetime:
        """The time, in the zone where days end."""
        return datetime.now(self.timezone)

    @property
    def accounts(self) -> list[str]:
        """The account that is meant; all where none is, but for safety snapshots."""
        from caldav_run.repository.references import meant

        return meant(each.account for each in self.reader.snapshots(self.account))

    def snapshot(self, ref: str | None) -> "SnapshotInfo":
        """Find a snapshot, None for the latest; see `caldav_run.repository.references.resolve`.

        Raises:
            UsageError: There is none, or more than one is meant.
        """
        if not self.reader.snapshots():
            raise UsageError(
                f"{self.location} holds no snapshot yet", mend="make one: caldav-run run PIPELINE"
            )
        return self.reader.resolve("latest" if ref is None else ref, self.account, self.now)


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
        return Place(location=location(choice.repository)), _moved_up(file, words)
    return in_pipeline(file, choice), words


def open_repository(choice: Choice, file: str | None, *words: str | None) -> Opened:
    """Find and open the repository that is meant; see `find_place`.

    Identities, or a passphrase for a bundle of them, are those of the command line and the
    environment, else the pipeline's, else the default file; without any, and where there are
    bundles, whoever sits at the terminal is asked.

    Raises:
        UsageError: No repository or more than one is named, or there is an argument too many.
        SetupError: The pipeline cannot be used, or there is no identity.
    """
    place, rest = find_place(choice, file, *words)
    return open_place(choice, place, rest)


def open_place(choice: Choice, place: Place, words: tuple[str | None, ...] = ()) -> Opened:
    """Open a repository that was found; see `open_repository`.

    Raises:
        SetupError: There is no identity.
    """
    from caldav_run.repository.reader import Reader

    account = place.account if choice.account is None else choice.account
    means = means_of(choice, place)
    reader = Reader(place.store(), _keyring(place, means))
    return Opened(reader, account, words, place.location, place.storage, means, place.timezone)


def keyring_of(choice: Choice, place: Place) -> "Keyring":
    """Return what opens a repository; see `open_repository`.

    Raises:
        SetupError: There is no identity.
    """
    return _keyring(place, means_of(choice, place))


def _keyring(place: Place, means: "Means") -> "Keyring":
    from caldav_run.repository.opening import open_keyring

    return open_keyring(place.store(), means)


def means_of(choice: Choice, place: Place) -> "Means":
    """Return what a repository is to be opened with, in the order that `open_repository` says."""
    from caldav_run.repository.opening import Means

    trust = (*place.trust, *(choice.trust or ()))
    means = Means(asked=asked_passphrase(), trust=trust)
    if choice.passphrase_file is not None and not choice.identity:
        return replace(means, passphrase=passphrase_in(choice.passphrase_file))
    if files := identity_files(choice.identity) or place.identities:
        return replace(means, identities=files)
    return replace(means, passphrase=place.passphrase)


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

    def with_options(  # noqa: PLR0913 -- each is an option
        *,
        repository: RepositoryPlace = None,
        sink: SinkName = None,
        source: SourceName = None,
        account: Account = None,
        sets: Sets = None,
        identity: Identity = None,
        passphrase_file: PassphraseFile = None,
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
            passphrase_file=passphrase_file,
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


def location(text: str) -> str:
    """Return a place as it was given on the command line: a URL as it is, a path absolute.

    Raises:
        UsageError: It is empty, as an unset variable is, and would mean the current folder.
    """
    from caldav_run.repository.storage import scheme_of

    if not text:
        raise UsageError("the place of a repository is empty", mend="give a folder or a URL")
    return text if scheme_of(text) else str(Path(text).expanduser().absolute())


def _moved_up(first: str | None, words: tuple[str | None, ...]) -> tuple[str | None, ...]:
    """Return the words of a verb whose pipeline file is left out."""
    *mine, beyond = first, *words
    if beyond is not None:
        raise UsageError(f'"{beyond}" is one too many', mend="--repository stands for PIPELINE")
    return tuple(mine)
