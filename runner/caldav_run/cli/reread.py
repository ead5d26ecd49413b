"""Level S of the verb `check`: unchanged items, read from the source again."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from caldav_run.cli.execute import load
from caldav_run.cli.findings import Verdict
from caldav_run.cli.options import assignments, settings
from caldav_run.cli.places import Place, writer_of
from caldav_run.cli.repositories import Choice, keyring_of
from caldav_run.errors import SetupError, UsageError
from caldav_run.model import Failed

if TYPE_CHECKING:
    from caldav_run.connectors.protocol import Source
    from caldav_run.engine.reread import Key
    from caldav_run.repository.check.findings import Finding
    from caldav_run.repository.keys import Keyring
    from caldav_run.repository.reader import Reader
    from caldav_run.repository.snapshots import ItemInfo


def reread_source(
    choice: Choice, place: Place, file: str | None, count: int, state_dir: Path | None
) -> tuple[Verdict, list["Finding"]]:
    """Compare items with what the pipeline's sources give now.

    Args:
        choice: The options.
        place: The repository.
        file: The pipeline file, whose sources are read.
        count: How many items of each account.
        state_dir: The folder for caches.

    Raises:
        UsageError: No pipeline is named.
        ConnectorError: A source cannot be read.
    """
    from caldav_run.engine.reread import Reread
    from caldav_run.repository.reader import Reader

    if file is None or choice.repository is not None:
        raise UsageError("--reread needs the source", mend="give the pipeline file that reads it")
    reader = Reader(place.store(), _any_keyring(choice, place))
    findings: list[Finding] = []
    compared = passed = 0
    for source in _sources(choice, file, state_dir):
        held = _held(reader, source.account)
        chosen = secrets.SystemRandom().sample(sorted(held), min(count, len(held)))
        rereading = Reread(held, set(chosen), lambda info: _body(reader, info))
        try:
            findings += rereading.check(source)
        finally:
            source.close()
        compared, passed = compared + rereading.compared, passed + rereading.passed
    about = f"{compared} unchanged items read again"
    if passed:
        about += f"; {passed} more have changed since, or cannot be compared without an identity"
    return Verdict("S", checked=compared > 0, about=about), findings


def _sources(choice: Choice, file: str, state_dir: Path | None) -> Iterator["Source"]:
    from caldav_run.pipeline.build import build_source

    (pipeline,) = load([Path(file)], assignments(choice.sets))
    chosen = settings(state_dir=state_dir)
    for name, spec in pipeline.sources.items():
        if spec.type != "snapshot":
            source = build_source(spec, chosen.context(pipeline, name))
            if choice.account in {None, source.account}:
                yield source


def _any_keyring(choice: Choice, place: Place) -> "Keyring":
    """Return what opens rows: an identity, else the writer's key, which opens no body.

    Raises:
        SetupError: There is neither.
    """
    from caldav_run.repository.keys import Keyring

    try:
        return keyring_of(choice, place)
    except SetupError:
        writer = writer_of(place)
        if writer is None:
            raise
        return Keyring((writer.metadata,), frozenset({writer.signer.fingerprint}))


def _held(reader: "Reader", account: str) -> dict["Key", "ItemInfo"]:
    """Return the up-to-date items of an account's newest snapshot."""
    newest = reader.resolve("latest", account)
    items = reader.items(newest)
    return {
        (each.calendar, each.href): each
        for each in items
        if each.etag and each.sha256 and each.stale_since is None
    }


def _body(reader: "Reader", info: "ItemInfo") -> bytes | None:
    (found,) = reader.bodies([info])
    return None if isinstance(found, Failed) else found.body
