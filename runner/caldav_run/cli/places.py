"""Where the repository is that a pipeline's sink or source means."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Final

from caldav_run.cli.execute import load
from caldav_run.cli.options import assignments
from caldav_run.errors import SetupError, UsageError
from caldav_run.secret import Secret

if TYPE_CHECKING:
    from caldav_run.cli.repositories import Choice
    from caldav_run.pipeline.build import ConnectorSpec, Pipeline
    from caldav_run.repository.keys import Writer
    from caldav_run.repository.storage import Storage
    from caldav_run.repository.store import Store

# What has to be known of a pipeline's repository to look into it.
_NEEDED: Final = frozenset({"repository", "storage", "account"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a repository is, and what a pipeline knows of how to open it.

    Attributes:
        location: Its folder or URL.
        storage: How its object storage is reached; None for what the environment says.
        account: The account that is meant; None for any.
        identities: Identity files that the pipeline names.
        passphrase: Opens a bundle in it, as the pipeline says.
        trust: Fingerprints of signers that the pipeline trusts.
        timezone: Where days end that are named in words: the pipeline's time zone.
        writer: The file of the writer's key, where the pipeline names one.
    """

    location: str
    storage: "Storage | None" = None
    account: str | None = None
    identities: tuple[Path, ...] = ()
    passphrase: Secret | None = None
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


def writer_of(place: Place) -> "Writer | None":
    """Return the writer's key: the one that the pipeline names, else the default one.

    None where there is none, as on a machine that only reads.
    """
    from caldav_run.repository.keys import WRITER, default_folder, load_writer

    file = place.writer or default_folder() / WRITER
    return load_writer(file) if file.exists() else None


def in_pipeline(file: str | None, choice: "Choice") -> Place:
    """Find the repository that a pipeline means, without touching it.

    Raises:
        UsageError: None or more than one is meant.
        SetupError: The pipeline cannot be used.
    """
    if file is None:
        raise UsageError(
            "no repository is named", mend="give a pipeline file or --repository PLACE"
        )
    if Path(file).is_dir():
        raise UsageError(f"{file} is a folder", mend=f"is it meant as --repository {file}?")
    # The account's own variables need not be set where only its history is looked at.
    (pipeline,) = load([Path(file)], assignments(choice.sets), strict_env=False)
    return place_in(pipeline, choice)


def place_in(pipeline: "Pipeline", choice: "Choice") -> Place:
    """Find the repository that a loaded pipeline means; see `in_pipeline`."""
    from caldav_run.connectors.storage import storage_from

    spec = _spec(pipeline, choice)
    for unset in spec.unset:
        if unset.split(".")[2] in _NEEDED:
            raise SetupError(f"{spec.place}: {unset} needs an environment variable that is not set")
    account = spec.options.get("account") or _only_account(pipeline, spec)
    file, writer = (_file(spec.options.get(key)) for key in ("identity", "signer"))
    trust, passphrase = spec.options.get("trust"), spec.options.get("passphrase")
    return Place(
        location=str(spec.options["repository"]),
        storage=storage_from(spec.options),
        account=None if account is None else str(account),
        identities=(file,) if file else (),
        passphrase=passphrase if isinstance(passphrase, Secret) else None,
        trust=tuple(map(str, trust)) if isinstance(trust, list | tuple) else (),
        timezone=pipeline.timezone,
        writer=writer,
    )


def _file(reference: object) -> Path | None:
    file = reference.get("file") if isinstance(reference, Mapping) else None
    return Path(str(file)) if file else None


def _spec(pipeline: "Pipeline", choice: "Choice") -> "ConnectorSpec":
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


def in_repository(path: Path) -> bool:
    """Return whether a path is a repository or lies in one: plain events do not belong there."""
    from caldav_run.repository.names import MARKER

    return any((each / MARKER).is_file() for each in (path, path.parent))
