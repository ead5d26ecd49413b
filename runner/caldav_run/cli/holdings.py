"""The verb `key list`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caldav_run.cli import console
from caldav_run.cli.execute import load
from caldav_run.cli.options import (
    KeyFolder,
    Output,
    OutputOption,
    assignments,
    identity_files,
)
from caldav_run.cli.repositories import (
    Choice,
    PipelineFile,
    asks_for_repository,
    find_place,
    means_of,
    snapshot_sink,
)
from caldav_run.errors import SetupError, UsageError

if TYPE_CHECKING:
    from caldav_run.cli.places import Place
    from caldav_run.repository.holdings import Holding
    from caldav_run.repository.keys import Keyring
    from caldav_run.repository.store import Store

Document = dict[str, Any]


@asks_for_repository
def key_list(
    choice: Choice,
    pipeline: PipelineFile = None,
    *,
    folder: KeyFolder = None,
    output: OutputOption = Output.TEXT,
) -> int:
    """List the keys of this machine and of a repository.

    Without an identity the repository shows its writers and times only. No secret is printed.
    """
    recipients = _recipients(choice, pipeline, folder)
    named = pipeline is not None or choice.repository is not None
    place = find_place(choice, pipeline)[0] if named else None
    host = _host(choice, folder, place.writer if place else None)
    host["recipients"] = [{"recipient": each, "place": where} for each, where in recipients]
    listed: Document = {"host": host, "repository": None}
    if place is not None:
        listed["repository"] = _repository(choice, place, [each for each, _ in recipients])
    if output is Output.JSON:
        console.document(listed)
    else:
        _print(listed)
    return 0


def _recipients(choice: Choice, pipeline: str | None, folder: Path | None) -> list[tuple[str, str]]:
    """Return who opens what is written today, and where that is said."""
    from caldav_run.repository.keys import RECIPIENTS, default_folder, load_recipients

    if pipeline is not None and choice.repository is None and choice.source is None:
        (loaded,) = load([Path(pipeline)], assignments(choice.sets), strict_env=False)
        try:
            sink = snapshot_sink(loaded, choice.sink)
        except UsageError:
            return []
        return [(each, pipeline) for each in sink.readers()]
    path = (folder.expanduser() if folder else default_folder()) / RECIPIENTS
    return [(each, str(path)) for each in load_recipients(path)] if path.exists() else []


def _host(choice: Choice, folder: Path | None, chosen: Path | None) -> Document:
    from caldav_run.repository.keys import (
        IDENTITY,
        WRITER,
        default_folder,
        load_keyring,
        load_writer,
    )

    home = folder.expanduser() if folder else default_folder()
    files = identity_files(choice.identity) or (home / IDENTITY,)
    found = [each for each in files if choice.identity or each.exists()]
    keyring = load_keyring(found) if found else None
    key = chosen or home / WRITER
    writer = load_writer(key) if key.exists() else None
    return {
        "folder": str(home),
        "writer_key": str(key) if writer else None,
        "signer": writer.signer.fingerprint if writer else None,
        "writer": writer.name if writer else None,
        "identities": [each.recipient for each in keyring.identities] if keyring else [],
        "identity_files": [str(each) for each in found],
        "trusted": sorted(keyring.trusted) if keyring else [],
        "removed": sorted(keyring.removed) if keyring else [],
    }


def _repository(choice: Choice, place: "Place", recipients: Sequence[str]) -> Document:
    from caldav_run.repository import age, bundles
    from caldav_run.repository.create import repository_id

    store = place.store()
    identity = repository_id(store)
    keyring, held = _held(choice, place, store)
    today = age.digest_of(recipients) if recipients else None
    return {
        "location": place.location,
        "id": identity,
        "bundles": [
            {"name": each.name, "stored": each.modified.isoformat()}
            for each in bundles.listed(store)
        ],
        "signers": list(_signers(held, keyring)),
        "generations": [_generation(each, today) for each in held],
    }


def _held(choice: Choice, place: "Place", store: "Store") -> "tuple[Keyring | None, list[Holding]]":
    from caldav_run.repository import names
    from caldav_run.repository.holdings import closed
    from caldav_run.repository.opening import open_keyring
    from caldav_run.repository.reader import Reader
    from caldav_run.repository.survey import survey

    try:
        # A list is not worth to ask somebody for a passphrase.
        keyring = open_keyring(store, replace(means_of(choice, place), asked=None))
    except SetupError as error:
        console.tell(f"{error.message}: the repository shows its writers and times only")
        listed = survey(store.list(names.ACCOUNTS))
        return None, [closed(each) for each in listed if each.segments]
    return keyring, Reader(store, keyring).holdings()


def _signers(held: "Sequence[Holding]", keyring: "Keyring | None") -> Iterator[Document]:
    """Yield who wrote the repository, as far as that can be known."""
    from caldav_run.repository import names

    known = sorted(keyring.known) if keyring else []
    named = {names.writer_of(each): each for each in known}
    for writer in sorted({each.writer for each in held}):
        mine = [each for each in held if each.writer == writer]
        signer = named.get(writer)
        state = "unknown"
        if keyring is not None and signer is not None:
            state = "trusted" if signer in keyring.trusted else "removed"
        yield {
            "signer": signer,
            "writer": writer,
            "state": state,
            "first": min(each.first for each in mine).isoformat(),
            "last": max(each.last for each in mine).isoformat(),
            "generations": len(mine),
            "snapshots": sum(each.snapshots for each in mine),
        }


def _generation(held: "Holding", today: str | None) -> Document:
    current = None if today is None or held.recipients is None else held.recipients == today
    return {
        "generation": held.generation,
        "account": held.account,
        "writer": held.writer,
        "recipients": held.recipients,
        "current_recipients": current,
        "first": held.first.isoformat(),
        "last": held.last.isoformat(),
        "snapshots": held.snapshots,
        "problem": str(held.problem) if held.problem else None,
    }


def _print(listed: Mapping[str, Any]) -> None:
    host = listed["host"]
    rows = [("signer", host["signer"], host["writer_key"])] if host["signer"] else []
    rows += [("recipient", each["recipient"], each["place"]) for each in host["recipients"]]
    place = ", ".join(host["identity_files"])
    rows += [("identity of", each, place) for each in host["identities"]]
    rows += [("trusts", each, place) for each in host["trusted"]]
    rows += [("removed", each, place) for each in host["removed"]]
    console.table([("ON THIS MACHINE", "", ""), *rows])
    if listed["repository"] is not None:
        _print_repository(listed["repository"])


def _print_repository(found: Mapping[str, Any]) -> None:
    console.out(f"\n{found['location']}, id {found['id']}")
    for each in found["bundles"]:
        console.out(f"opens with a passphrase: {each['name']}, stored {_day(each['stored'])}")
    console.out("")
    heads = ("SIGNER", "STATE", "FIRST", "LAST", "SNAPSHOTS")
    console.table([heads, *map(_signer_row, found["signers"])])
    console.out("")
    heads = ("FULL BACKUP", "ACCOUNT", "SNAPSHOTS", "SEALED TO", "")
    console.table([heads, *map(_generation_row, found["generations"])])


def _signer_row(each: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    name = each["signer"] or f"{each['writer']}…"
    times = _day(each["first"]), _day(each["last"])
    return name, each["state"], *times, str(each["snapshots"])


def _generation_row(each: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    words = {True: "today's recipients", False: "other recipients than today's", None: ""}
    remark = each["problem"] or words[each["current_recipients"]]
    account, recipients = each["account"] or "?", each["recipients"] or "?"
    return each["generation"], account, str(each["snapshots"]), recipients, remark


def _day(time: str) -> str:
    return time[:19].replace("T", " ")
