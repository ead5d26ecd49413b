"""The options that the sinks with a present state share."""

from collections.abc import Mapping
from pathlib import Path

from caldav_run.connectors.mirroring import Deletions, MirrorOptions
from caldav_run.model import Options


def mirror_options(options: Options) -> MirrorOptions:
    """Return what the options say about writing."""
    saved, rejected = options.get("safety_snapshot"), options.get("rejected")
    return MirrorOptions(
        mode=str(options.get("mode", "merge")),
        on_conflict=str(options.get("on_conflict", "newest")),
        delete=_deletions(options.get("delete")),
        verify=str(options.get("verify", "full")),
        safety_snapshot=None if saved is None else str(saved),
        rejected=None if rejected is None else Path(str(rejected)),
    )


def _deletions(value: object) -> Deletions:
    usual = Deletions()
    if not isinstance(value, Mapping):
        return usual
    return Deletions(
        max=int(value.get("max", usual.max)),
        max_ratio=_share(value.get("max_ratio", usual.max_ratio)),
        calendars=bool(value.get("calendars", usual.calendars)),
    )


def _share(value: object) -> float:
    """Return a percentage or a number as a share from 0 to 1."""
    text = str(value)
    return float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
