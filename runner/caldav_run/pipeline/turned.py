"""A pipeline's own places as the destination of a restore."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from caldav_run.connectors.schemas import load_schemas
from caldav_run.connectors.vdir_names import plain_folder_name
from caldav_run.errors import UsageError
from caldav_run.pipeline.build import ConnectorSpec

if TYPE_CHECKING:
    from caldav_run.model import Options

_FOLDERS: Final = "ics"


def sink_properties(kind: str) -> dict[str, dict[str, object]]:
    """Return what a sink of this type takes, by name, as its schema says."""
    return _properties("sinks", kind)


def as_sink(source: ConnectorSpec) -> ConnectorSpec:
    """Return the sink that writes where a source reads, with the options that both have.

    Raises:
        UsageError: Nothing can be written there.
    """
    known = sink_properties(source.type)
    options = {key: value for key, value in source.options.items() if key in known}
    if source.type == _FOLDERS:
        options["path"] = str(_folder(source).parent)
    unset = tuple(each for each in source.unset if each.split(".")[2] in known)
    return replace(source, options={**_defaults(known), **options}, unset=unset)


def as_source(sink: ConnectorSpec, account: str) -> ConnectorSpec:
    """Return the source that reads where a sink writes, under the name of an account."""
    known = _properties("sources", sink.type)
    options = {key: value for key, value in sink.options.items() if key in known}
    return replace(sink, options={**_defaults(known), **options, "account": account})


def folder_sink(folder: Path) -> ConnectorSpec:
    """Return the sink that writes into a folder which no pipeline names."""
    options: Options = {**_defaults(sink_properties(_FOLDERS)), "path": str(folder)}
    return ConnectorSpec(type=_FOLDERS, name=str(folder), options=options, place=str(folder))


def name_there(source: ConnectorSpec, account: str) -> str:
    """Return what an account has to be called so that its calendars go where a source has them."""
    return _folder(source).name if source.type == _FOLDERS else account


def _properties(where: str, kind: str) -> dict[str, dict[str, object]]:
    schema = load_schemas()[f"{where}/{kind}.schema.json"]
    found: dict[str, dict[str, object]] = schema["properties"]
    return found


def _defaults(known: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    return {key: part["default"] for key, part in known.items() if "default" in part}


def _folder(source: ConnectorSpec) -> Path:
    """Return the folder of an ics source.

    Raises:
        UsageError: It reads a single file or an address, or no sink can have such a folder.
    """
    path = Path(str(source.options.get("path", "")))
    if "path" not in source.options or path.suffix == ".ics" or path.is_file():
        raise UsageError(
            f'{source.place}: "{source.name}" reads one file, and nothing can be written into it',
            mend="give a folder: --to PATH",
        )
    if plain_folder_name(path.name) is None:
        raise UsageError(
            f'{source.place}: no sink writes into a folder that is called "{path.name}"',
            mend="give another folder: --to PATH",
        )
    return path
